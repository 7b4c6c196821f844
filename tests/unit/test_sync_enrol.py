"""Enrolment: one code, one device; a lost reply costs nothing; guessing is slowed down."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sync import enrolment, identity, log, server
from sync.identity import KeyPair
from sync.op import uuid7
from tests.support.foreign import Foreign
from tests.support.toy import Centre, expect_problem, memory

TEAM = uuid7()


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


def enrol(centre: Centre, code: str | None, key: KeyPair | None = None, token: str | None = None, **more: Any) -> Any:
    document = {"name": "Truck 1", "public_key": (key or KeyPair.generate()).public} | more
    if code is not None:
        document["code"] = code
    return centre.answer("enrol", json.dumps(document).encode(), token, more.get("address", "10.0.0.1"))


def test_a_code_makes_a_device_of_its_team(centre: Centre) -> None:
    key = KeyPair.generate()
    answer = enrol(centre, centre.code(TEAM), key, age_recipient="age1xyz")
    assert set(answer) == {"device", "token", "server", "epoch", "grants"}
    assert set(answer["server"]) == {"device", "public_key", "age_recipient"}
    assert answer["grants"] == sorted(["org", f"team-{TEAM}"])
    with centre.begin() as conn:
        assert answer["server"]["device"] == log.own(conn)
        assert answer["epoch"] == log.recall(conn, "epoch")
    assert json.loads(centre.states()[answer["device"]])["team"] == TEAM
    assert len(identity.decode(answer["token"])) == 32
    assert centre.pull(answer["token"])["grants"] == answer["grants"]


@pytest.mark.parametrize("change", [str.lower, lambda c: c.replace("-", ""), lambda c: "-".join(c), lambda c: f" {c} "])
def test_case_and_hyphens_of_a_code_are_ignored(centre: Centre, change: Any) -> None:
    assert enrol(centre, change(centre.code(TEAM)))["device"]


def test_the_same_code_and_key_give_the_same_device_and_a_fresh_token(centre: Centre) -> None:
    code, key = centre.code(TEAM), KeyPair.generate()
    first, again = enrol(centre, code, key), enrol(centre, code, key)
    assert first["device"] == again["device"]
    assert first["token"] != again["token"]
    assert centre.pull(again["token"])["through"] == 0
    with expect_problem("unauthorized"):
        centre.pull(first["token"])
    with centre.begin() as conn:
        assert len(log.entries_of(conn, first["device"])) == 1, "announced once"


def test_a_code_is_for_one_device(centre: Centre) -> None:
    code = centre.code(TEAM)
    enrol(centre, code)
    with expect_problem("enrolment-code-invalid"):
        enrol(centre, code)


def test_the_same_key_with_another_code_of_the_team_is_the_same_device(centre: Centre) -> None:
    key = KeyPair.generate()
    device = enrol(centre, centre.code(TEAM), key)["device"]
    assert enrol(centre, centre.code(TEAM), key)["device"] == device
    with expect_problem("enrolment-code-invalid"):
        enrol(centre, centre.code(uuid7()), key)


def test_a_code_lasts_24_hours(centre: Centre) -> None:
    code, late = centre.code(TEAM), centre.code(TEAM)
    centre.clock += timedelta(hours=24) - timedelta(seconds=1)
    enrol(centre, code)
    centre.clock += timedelta(seconds=1)
    with expect_problem("enrolment-code-invalid"):
        enrol(centre, late)


def test_wrong_used_and_expired_are_one_answer(centre: Centre) -> None:
    used, late = centre.code(TEAM), centre.code(TEAM)
    enrol(centre, used)
    said = []
    centre.clock += timedelta(hours=25)
    for code in (used, late, "AAAAA-AAAAA", "", "陈", "\ud800"):
        with expect_problem("enrolment-code-invalid") as caught:
            enrol(centre, code)
        said.append(caught[0].to_dict())
    assert all(document == said[0] for document in said)


def test_only_the_hash_of_a_code_is_kept(centre: Centre) -> None:
    with centre.begin() as conn:
        codes = enrolment.new_codes(conn, TEAM, 3, centre.now())
        kept = json.dumps([list(row) for row in conn.execute(enrolment.tables.enrolment_code.select())])
    assert len({code for code, _ in codes}) == 3
    assert codes[0][1] == centre.clock + timedelta(hours=24)
    assert not [code for code, _ in codes if identity.plain_code(code) in kept or code in kept]


def test_too_many_attempts_from_one_address(centre: Centre) -> None:
    good = centre.code(TEAM)
    for _ in range(enrolment.ATTEMPTS):
        with expect_problem("enrolment-code-invalid"):
            enrol(centre, "wrong")
    with expect_problem("too-many-attempts") as caught:
        enrol(centre, good)
    assert 0 < caught[0].members["retry_after"] <= enrolment.ATTEMPTS_WITHIN.total_seconds()
    document = {"name": "n", "public_key": KeyPair.generate().public, "code": centre.code(TEAM)}
    assert centre.answer("enrol", json.dumps(document).encode(), None, "10.0.0.2")["device"]
    centre.clock += timedelta(seconds=caught[0].members["retry_after"])
    assert enrol(centre, good)["device"]


def test_attempts_are_forgotten_after_a_while(centre: Centre) -> None:
    for _ in range(3 * enrolment.ATTEMPTS):
        with expect_problem("enrolment-code-invalid"):
            enrol(centre, "wrong")
        centre.clock += enrolment.ATTEMPTS_WITHIN / (enrolment.ATTEMPTS - 1)


def test_an_earlier_device_vouches_for_a_new_one(centre: Centre) -> None:
    old, key = Foreign.enrolled(centre, team=TEAM), KeyPair.generate()
    new = enrol(centre, None, key, old.token)
    assert new["device"] != old.device
    assert json.loads(centre.states()[new["device"]])["team"] == TEAM
    assert enrol(centre, None, key, old.token)["device"] == new["device"], "a lost reply makes no third device"
    with expect_problem("unauthorized"):
        enrol(centre, None, None, "wrong")
    with centre.begin() as conn:
        server.revoke(conn, old.device)
    with expect_problem("device-revoked"):
        enrol(centre, None, None, old.token)


def test_a_revoked_device_does_not_come_back_by_a_code(centre: Centre) -> None:
    key = KeyPair.generate()
    device = enrol(centre, centre.code(TEAM), key)["device"]
    with centre.begin() as conn:
        server.revoke(conn, device)
    with expect_problem("device-revoked"):
        enrol(centre, centre.code(TEAM), key)


@pytest.mark.parametrize(
    "changed",
    [
        {"public_key": "x"}, {"public_key": None}, {"public_key": "A" * 43 + "="}, {"name": ""}, {"name": "n" * 101},
        {"name": 5}, {"name": "a\x00b"}, {"name": "a\ud800"}, {"code": 5}, {"code": "A" * 41},
        {"age_recipient": "a\x00"}, {"public_key": "\ud800"},
    ],
)  # fmt: skip
def test_malformed_requests(centre: Centre, changed: dict[str, Any]) -> None:
    with expect_problem("malformed"):
        enrol(centre, **({"code": centre.code(TEAM)} | changed))


def test_neither_code_nor_token_is_malformed(centre: Centre) -> None:
    with expect_problem("malformed"):
        enrol(centre, None)


def test_a_code_is_not_spent_by_an_enrolment_that_fails(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    code, key = centre.code(TEAM), KeyPair.generate()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(centre.app, "enrolled", fail)
    with pytest.raises(OSError, match="disk full"):
        enrol(centre, code, key)
    monkeypatch.undo()
    assert enrol(centre, code)["device"]


@pytest.mark.parametrize("by", ["itself", "another key", "for another key", "an unknown device"])
def test_what_a_laptop_was_before_is_believed_of_its_old_key(centre: Centre, by: str) -> None:
    """Also after it was revoked: a new code lets it in, and what it did not hand over is still its to send."""
    old, new = KeyPair.generate(), KeyPair.generate()
    before = enrol(centre, centre.code(TEAM), old)["device"]
    with centre.begin() as conn:
        server.revoke(conn, before)
    signer = KeyPair.generate() if by == "another key" else old
    named = uuid7() if by == "an unknown device" else before
    signed = KeyPair.generate().public if by == "for another key" else new.public
    told = [{"device": named, "sig": signer.sign(identity.earlier_text(named, signed))}]
    device = enrol(centre, centre.code(TEAM), new, earlier=told)["device"]
    with centre.begin() as conn:
        known = conn.exec_driver_sql("SELECT earlier FROM sync_device WHERE id = ?", (device,)).scalar()
    assert known == (before if by == "itself" else None)
