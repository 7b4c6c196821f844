"""POST enrol: what a code is exchanged for, once (docs/protocol.md section 3)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.contract.bodies import register
from tests.contract.conftest import TOWN, Office, one_database
from tests.support.client import Device, Line, Refused, enrol, public_of, unb64

pytestmark = pytest.mark.usefixtures("quiet_attempts")


def refused(status: int, name: str, *arguments: object, **how: object) -> Refused:
    with pytest.raises(Refused) as caught:
        enrol(*arguments, **how)  # type: ignore[arg-type]
    assert (caught.value.status, caught.value.name) == (status, name)
    return caught.value


def test_a_code_makes_a_device(office: Office, line: Line) -> None:
    code = office.centre.code(office.town_team)
    key = Ed25519PrivateKey.generate()
    answer = line.send("enrol", f'{{"code":"{code}","name":"车 1","public_key":"{public_of(key)}","later":1}}'.encode())
    assert answer.status == 201
    document = answer.document
    assert set(document) >= {"device", "token", "server", "epoch", "grants"}
    assert str(uuid.UUID(document["device"])) == document["device"]
    assert len(unb64(document["token"])) >= 32
    assert str(uuid.UUID(document["epoch"])) == document["epoch"]
    assert len(unb64(document["server"]["public_key"])) == 32
    assert document["server"]["device"] != document["device"]
    assert set(document["grants"]) == {"org", f"team-{office.town_team}", TOWN}


def test_the_new_device_may_push_and_pull(device: Device, town: str) -> None:
    register(device, town)
    assert device.push()["through"] == 1
    assert device.pull()["through"] == 1


def test_lost_reply_costs_no_code(office: Office, line: Line) -> None:
    code, key = office.centre.code(office.town_team), Ed25519PrivateKey.generate()
    first = enrol(line, code, key=key)
    again = enrol(line, code, key=key)
    assert again.id == first.id
    assert again.token != first.token
    assert again.pull()["through"] == 0


def test_a_used_code_is_worth_nothing_to_another_key(office: Office, line: Line) -> None:
    code = office.centre.code(office.town_team)
    enrol(line, code)
    refused(403, "enrolment-code-invalid", line, code)


def test_wrong_used_and_expired_are_one_answer(office: Office, line: Line) -> None:
    used, expired = office.centre.code(office.town_team), office.centre.code(office.town_team)
    enrol(line, used)
    yesterday = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    changed = office.centre.sql(
        "UPDATE enrolment_code SET expires_at = :at WHERE device IS NULL AND team = :team",
        at=yesterday,
        team=office.town_team,
    )
    assert changed > 0
    office.centre.forget_codes(office.town_team)
    answers = [
        refused(403, "enrolment-code-invalid", line, code).document for code in (used, expired, "ZZZZZ-ZZZZZ", "", "é")
    ]
    assert all(answer == answers[0] for answer in answers)


def test_a_code_lasts_24_hours(office: Office) -> None:
    made = office.centre.command("central", "enrol-code", "--team", office.town_team)
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=55) < left <= timedelta(hours=24)


def test_case_and_hyphens_of_a_code_are_ignored(office: Office, line: Line) -> None:
    for write in (str.lower, lambda code: "-".join(code.replace("-", "")), lambda code: code.replace("-", "").upper()):
        code = office.centre.code(office.town_team)
        plain = code.replace("-", "").upper()
        assert len(plain) == 10
        assert set(plain) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), "Crockford's base32"
        assert enrol(line, write(code)).id


def test_a_token_of_the_earlier_device_replaces_a_code(office: Office, line: Line) -> None:
    earlier = office.laptop(office.town_team)
    later = enrol(line, token=earlier.token)
    assert later.id != earlier.id
    assert later.grants == earlier.grants
    assert later.pull()["through"] == 0
    refused(401, "unauthorized", line, token="x" * 43)


def test_a_revoked_device_brings_no_successor(office: Office, line: Line) -> None:
    earlier = office.laptop(office.town_team)
    office.centre.sql("UPDATE sync_device SET revoked = :yes WHERE id = :id", yes=True, id=earlier.id)
    refused(403, "device-revoked", line, token=earlier.token)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"code"',
        b"{",
        b'{"code":"0000000000","name":"x"}',
        b'{"code":"0000000000","name":"x","public_key":"AAAA"}',
        b'{"code":7,"name":"x","public_key":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}',
        b'{"code":"0000000000","public_key":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}',
        b'{"name":"x","public_key":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}',
        b'{"code":"\xff","name":"x","public_key":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}',
        b'{"code":"\\ud800","name":"x","public_key":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}',
        b'{"code":"0000000000","name":"\\u0000","public_key":"A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"}',
    ],
)
@one_database
def test_what_is_no_request_is_refused(line: Line, body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        line.ask("enrol", body)
    assert caught.value.name in ("malformed", "enrolment-code-invalid", "unauthorized")
    assert 400 <= caught.value.status < 500


def test_guessing_is_slowed_down(office: Office, line: Line, quiet_attempts: Callable[[], int]) -> None:
    names = []
    for guess in range(100):
        with pytest.raises(Refused) as caught:
            enrol(line, f"{guess:010d}")
        names.append(caught.value.name)
        if caught.value.name == "too-many-attempts":
            break
    assert names[:3] == ["enrolment-code-invalid"] * 3
    assert caught.value.status == 429
    assert int(caught.value.headers["Retry-After"]) > 0
    refused(429, "too-many-attempts", line, office.centre.code(office.town_team))
    quiet_attempts()
    assert office.laptop(office.town_team).id


def test_devices_of_the_team_learn_of_a_new_one(office: Office, device: Device) -> None:
    cursors = device.here()
    newcomer = office.laptop(office.idle_team)
    ops, _ = device.pull_all(cursors)
    said = [op for op in ops if op["kind"] == "device.enrolled" and op["subject"] == newcomer.id]
    assert [op["stream"] for op in said] == ["org"]
    body = said[0]["body"]
    assert (body["name"], body["public_key"], body["team"]) == ("车 1", public_of(newcomer.key), office.idle_team)
