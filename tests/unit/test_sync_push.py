"""Push, as the protocol's table of problems has it, in its order, and what an answer promises."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from sync import chains, clock, enrolment, identity, server
from sync.op import MAX_BYTES, Op, uuid7
from sync.problem import Problem
from sync.wire import MAX_BYTES as MAX_DOCUMENT
from tests.support.foreign import Foreign, canonical
from tests.support.toy import Centre, expect_problem, memory
from tests.support.toy_house import START, TOWN, times_applied


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def device(centre: Centre) -> Foreign:
    return Foreign.enrolled(centre)


def server_key(centre: Centre) -> str:
    with centre.begin() as conn:
        return str(enrolment.server_card(conn)["public_key"])


# --- what is answered ------------------------------------------------------------------------------------------


def test_a_push_is_answered_with_a_receipt_for_what_is_held(centre: Centre, device: Foreign) -> None:
    first, second = device.thing(), device.thing()
    answer = device.push()
    assert (answer["through"], answer["head"]) == (2, device.hash(2))
    assert (answer["quarantined"], answer["restamped"]) == ([], [])
    receipt = answer["receipt"]
    text = f"aidvisit-receipt-1:{device.device}:2:{device.hash(2)}:{receipt['at']}"
    assert identity.verify(server_key(centre), text, receipt["sig"])
    assert [centre.entry(device.device, seq).op for seq in (1, 2)] == [first, second]
    assert [centre.entry(device.device, seq).n for seq in (1, 2)] == [1, 2]
    assert set(centre.states()) >= {first.subject, second.subject}


def test_what_is_held_already_is_compared_and_skipped(centre: Centre, device: Foreign) -> None:
    device.thing()
    first = device.push()
    assert device.push() == first
    device.thing()
    assert device.push(1)["through"] == 2
    assert device.push(2)["through"] == 2
    assert device.push(1, 1)["through"] == 2
    with centre.begin() as conn:
        assert {times for (name, _), times in times_applied(conn).items() if name == device.device} == {1}


def test_an_answer_covers_every_op_that_was_sent_held_already_or_not(centre: Centre, device: Foreign) -> None:
    device.thing(hlc=clock.stamp(clock.to_ms(START) + 86_400_000, 0))
    device.op("future.recorded", {}, hlc=clock.stamp(clock.to_ms(START) + 1000, 0))
    once = device.push()
    assert [item["seq"] for item in once["quarantined"]] == [2]
    device.thing()
    again = device.push()
    assert again["restamped"][:1] == once["restamped"]
    assert again["quarantined"] == once["quarantined"]
    assert device.push(3)["quarantined"] == []


def test_what_is_quarantined_is_not_in_the_way(centre: Centre, device: Foreign) -> None:
    device.op("future.recorded", {"a": 1})
    device.thing(stream="999999999")
    good = device.thing()
    answer = device.push()
    assert answer["through"] == 3
    assert [(i["seq"], i["problem"]["type"].split(":")[-1]) for i in answer["quarantined"]] == [
        (1, "unknown-kind"),
        (2, "not-granted"),
    ]
    assert good.subject in centre.states()
    assert [entry.name for entry in centre.held()] == [f"{device.device}/1", f"{device.device}/2"]
    assert [centre.entry(device.device, seq).n for seq in (1, 2, 3)] == [None, None, 1]


def test_ops_of_any_streams_in_one_batch(device: Foreign) -> None:
    box = uuid7()
    device.op("box.planned", {}, stream=f"trip-{box}", subject=box)
    device.thing(stream=f"trip-{box}")
    device.op("note.recorded", {}, stream="office")
    device.thing()
    answer = device.push()
    assert (answer["through"], answer["quarantined"]) == (4, [])
    assert f"trip-{box}" in device.pull()["grants"]


def test_members_that_are_not_known_are_ignored(device: Foreign) -> None:
    device.thing()
    assert device.push(later={"share": 0.5})["through"] == 1


def test_an_erased_body_keeps_its_place_in_the_chain(centre: Centre, device: Foreign) -> None:
    for _ in range(3):
        device.thing()
    document = device.document()
    digest = centre_digest(device.ops[1])
    document["ops"][1] = {"erased": digest}
    assert centre.push(device.token, document)["through"] == 3
    assert centre.push(device.token, document)["through"] == 3
    device.thing()
    assert device.push(4)["through"] == 4
    other = Foreign.enrolled(centre)
    assert [op["seq"] for op in other.pull_all() if op["device"] == device.device] == [1, 3, 4]
    with centre.begin() as conn:
        assert chains.verify(conn) == []


def centre_digest(op: Op) -> str:
    return sha256(canonical(op)).hexdigest()


# --- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "", "wrong", "陈", "\udcff"])
def test_unauthorized_without_the_right_token(centre: Centre, device: Foreign, token: str | None) -> None:
    device.thing()
    with expect_problem("unauthorized"):
        centre.push(token, device.document())  # type: ignore[arg-type]


def test_unauthorized_when_the_device_is_not_the_tokens(centre: Centre, device: Foreign) -> None:
    other = Foreign.enrolled(centre)
    device.thing()
    with expect_problem("unauthorized"):
        centre.push(other.token, device.document())


def test_a_revoked_device_gets_and_gives_nothing(centre: Centre, device: Foreign) -> None:
    device.thing()
    with centre.begin() as conn:
        server.revoke(conn, device.device)
    for call in (device.push, device.pull):
        with expect_problem("device-revoked"):
            call()
    assert device.ops[0].subject not in centre.states()


def test_too_many_ops(centre: Centre, device: Foreign) -> None:
    device.ops = [device.thing()] * 1001
    with expect_problem("too-large") as caught:
        device.push()
    assert caught[0].members == {"max_ops": 1000, "max_bytes": 4 * 1024 * 1024}


def test_too_many_bytes(centre: Centre, device: Foreign) -> None:
    with expect_problem("too-large"):
        centre.answer("push", b" " * (MAX_DOCUMENT + 1), device.token)
    with expect_problem("malformed"):
        centre.answer("push", b" " * MAX_DOCUMENT, device.token)


def _op(**changed: Any) -> dict[str, Any]:
    item = {"stream": TOWN, "hlc": "20201230T013000000Z-0000", "actor": uuid7(), "kind": "thing.registered", "v": 1}
    return item | {"subject": uuid7(), "body": {"fields": {}}} | changed


@pytest.mark.parametrize(
    "item",
    [
        {}, {"erased": "x"}, _op(hlc="yesterday"), _op(body=[]), _op(body={"n": 0.5}), _op(v=0), _op(stream=""),
        _op(more=1), _op(device=uuid7()), _op(body={"t": "x" * MAX_BYTES}), _op(body={"t": "\ud800"}),
        _op(actor="nobody"), _op(body={"t": "\x00"}), _op(body={"n": 2**53}), _op(kind=None),
    ],
)  # fmt: skip
def test_malformed_is_about_the_envelope(centre: Centre, device: Foreign, item: dict[str, Any]) -> None:
    device.thing()
    with expect_problem("malformed") as caught:
        device.push(ops=[item])
    caught[0].detail.encode()
    assert device.pull()["through"] == 0


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"nope", b"\xff\xfe", b'{"limit":0}', b"[" * 100_000])
def test_malformed_documents(centre: Centre, device: Foreign, raw: bytes) -> None:
    for name in ("push", "pull"):
        with expect_problem("malformed"):
            centre.answer(name, raw, device.token)


def test_what_a_body_says_is_never_malformed(device: Foreign) -> None:
    device.op("gift.recorded", {"quantity": "many"})
    assert [i["problem"]["type"] for i in device.push()["quarantined"]] == ["urn:aidvisit:problem:invalid-body"]


def test_chain_broken_when_the_ops_do_not_hash_from_prev_to_head(device: Foreign) -> None:
    device.thing(), device.thing()
    for changed in ({"prev": "ab" * 32}, {"head": "ab" * 32}, {"ops": device.document()["ops"][::-1]}):
        with expect_problem("chain-broken"):
            device.push(**changed)


def test_bad_signature(centre: Centre, device: Foreign) -> None:
    device.thing()
    other = Foreign.enrolled(centre)
    head = device.hash(1)
    for sig in ("", "x", other.key.sign(f"aidvisit-push-1:{device.device}:1:{head}"), device.sign(2, head)):
        with expect_problem("bad-signature"):
            device.push(sig=sig)


def test_fork_names_the_first_op_that_differs(device: Foreign) -> None:
    for _ in range(3):
        device.thing()
    copy = device.copy()
    device.thing(), device.thing()
    device.push()
    for _ in range(4):
        copy.thing()
    for first, seq in ((1, 4), (3, 4), (4, 4), (5, 4), (6, 5)):
        with expect_problem("fork") as caught:
            copy.push(first)
        assert caught[0].members == {"seq": seq}
    with expect_problem("fork") as caught:
        copy.push(4, 4)
    assert caught[0].members == {"seq": 4}
    assert device.pull()["through"] == 5


def test_gap(device: Foreign) -> None:
    for _ in range(4):
        device.thing()
    device.push(1, 1)
    with expect_problem("gap") as caught:
        device.push(3)
    assert caught[0].members == {"through": 1}
    assert device.push(2)["through"] == 4


def test_a_push_is_one_transaction(centre: Centre, device: Foreign, monkeypatch: pytest.MonkeyPatch) -> None:
    device.thing(), device.thing()
    apply = centre.app.apply

    def break_when_done(*given: Any) -> None:
        apply(*given)
        raise OSError("disk full")

    monkeypatch.setattr(centre.app, "apply", break_when_done)
    with pytest.raises(OSError, match="disk full"):
        device.push()
    monkeypatch.undo()
    assert device.pull()["through"] == 0
    assert device.push()["through"] == 2
    assert [centre.entry(device.device, seq).n for seq in (1, 2)] == [1, 2]


FAULTS = ("token", "size", "form", "chain", "signature", "place")
NAMES = ("unauthorized", "too-large", "malformed", "chain-broken", "bad-signature")


@pytest.mark.parametrize("first", range(len(NAMES)))
@pytest.mark.parametrize("place", ["fork", "gap"])
def test_checks_come_in_the_protocols_order(centre: Centre, device: Foreign, first: int, place: str) -> None:
    """A document with every fault from the `first` on is refused for that one."""
    device.thing()
    device.push()
    copy = device.copy()
    copy.ops.clear()
    for _ in range(1003 if first <= 1 else 3):
        copy.thing()
    document = copy.document(1 if place == "fork" else 3)
    if first <= 4:
        document["sig"] = "x"
    if first <= 3:
        document["head"] = "ab" * 32
    if first <= 2:
        document["ops"][0]["hlc"] = "yesterday"
    with expect_problem(NAMES[first]):
        centre.push("wrong" if first == 0 else device.token, document)


@pytest.mark.parametrize("place", ["fork", "gap"])
def test_fork_and_gap_come_last(centre: Centre, device: Foreign, place: str) -> None:
    device.thing()
    device.push()
    copy = device.copy()
    copy.ops.clear()
    for _ in range(3):
        copy.thing()
    with expect_problem(place):
        copy.push(1 if place == "fork" else 3)


def test_a_document_of_the_device_is_refused_by_token_before_its_form(centre: Centre, device: Foreign) -> None:
    with expect_problem("unauthorized"):
        centre.answer("push", json.dumps({"device": uuid7(), "ops": 5}).encode(), device.token)


# --- clocks ----------------------------------------------------------------------------------------------------


def test_merge_clocks_rise_strictly_along_a_log_whatever_its_clock_did(centre: Centre, device: Foreign) -> None:
    moment = clock.to_ms(START)
    for offset in (0, 365 * 86_400_000, -86_400_000, -86_400_000, 0, 299_000, 301_000, 1):
        device.thing(hlc=clock.stamp(moment + offset, 0))
    answer = device.push()
    given = {item["seq"]: item["merge_hlc"] for item in answer["restamped"]}
    clocks = [given.get(op.seq, op.hlc) for op in device.ops]
    assert clocks == sorted(set(clocks))
    assert [centre.entry(device.device, op.seq).clock for op in device.ops] == clocks
    assert [centre.entry(device.device, op.seq).op.hlc for op in device.ops] == [op.hlc for op in device.ops]
    assert set(given) == {2, 3, 4, 5, 7, 8}


def test_a_restamped_op_is_later_than_all_of_its_stream(centre: Centre, device: Foreign) -> None:
    other = Foreign.enrolled(centre)
    latest = clock.stamp(clock.to_ms(START) + 240_000, 9)
    other.thing(hlc=latest)
    other.push()
    device.thing(hlc=clock.stamp(clock.to_ms(START) + 86_400_000, 0))
    assert device.push()["restamped"] == [{"seq": 1, "merge_hlc": clock.after(latest)}]


def test_also_in_a_stream_that_is_not_granted_any_more(centre: Centre, device: Foreign) -> None:
    latest = clock.stamp(clock.to_ms(START) + 240_000, 9)
    device.thing(hlc=latest)
    device.push()
    gone = Foreign.enrolled(centre, "441225113")
    gone.thing(hlc=clock.stamp(clock.to_ms(START) + 86_400_000, 0))
    assert gone.push()["restamped"] == [{"seq": 1, "merge_hlc": clock.after(latest)}]


def test_a_clock_that_is_a_day_behind_stands(centre: Centre, device: Foreign) -> None:
    device.thing(hlc=clock.stamp(clock.to_ms(START - timedelta(days=1)), 0))
    assert device.push()["restamped"] == []


def test_grants_of_a_new_box_hold_for_the_rest_of_the_batch(centre: Centre, device: Foreign) -> None:
    box = uuid7()
    device.thing(stream=f"trip-{box}")
    device.op("box.planned", {}, stream=f"trip-{box}", subject=box)
    device.thing(stream=f"trip-{box}")
    answer = device.push()
    assert [item["seq"] for item in answer["quarantined"]] == [1]
    assert centre.entry(device.device, 1).n is not None, "released by itself: the box came behind it"


def test_a_box_grants_its_own_stream_and_nothing_else(
    centre: Centre, device: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grants that change in the middle of a batch must not meet a stream that is not locked."""
    box, grants = uuid7(), centre.app.grants
    device.op("box.planned", {}, stream=f"trip-{box}", subject=box)
    device.thing(stream="999999999")

    def more_the_second_time(conn: Any, name: str) -> Any:
        given = grants(conn, name)
        opened = f"trip-{box}" in given.streams
        return type(given)(given.streams | {"999999999"}) if opened else given

    monkeypatch.setattr(centre.app, "grants", more_the_second_time)
    assert device.push()["through"] == 2


def test_a_problem_of_the_house_is_stored_as_it_was_said(centre: Centre, device: Foreign) -> None:
    device.op("thing.updated", {"set": {"a": 1}})
    (item,) = device.push()["quarantined"]
    assert Problem.from_dict(item["problem"]).name == "unknown-subject"
    assert centre.entry(device.device, 1).problem == item["problem"]
