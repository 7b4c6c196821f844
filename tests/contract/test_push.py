"""POST push: resending, overlaps, gaps, forks and every refusal (docs/protocol.md section 3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.bodies import deliver, delivery, household, register
from tests.contract.conftest import one_database
from tests.support.client import (
    TRAVELLING,
    ZERO,
    Device,
    Document,
    Refused,
    canonical,
    chain,
    digest,
    encode,
    hlc,
    new_id,
    now_ms,
)


def refused(device: Device, status: int, name: str, document: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        device.send(document)
    assert (caught.value.status, caught.value.name) == (status, name)
    return caught.value


@pytest.fixture
def five(device: Device, town: str) -> Device:
    """A device with five ops in its log, none sent."""
    for number in range(5):
        register(device, town, f"户主 {number}")
    return device


# --- what is taken -------------------------------------------------------------------------------------------


def test_a_push_is_acknowledged(five: Device) -> None:
    answer = five.push()
    assert (answer["through"], answer["head"]) == (5, five.hashes[5])
    assert answer["quarantined"] == answer["restamped"] == []
    assert answer["receipt"]["at"].endswith("Z")
    assert (five.pull()["through"], five.pull()["head"]) == (5, five.hashes[5])


def test_the_same_again_changes_nothing(five: Device, other: Device, town: str) -> None:
    cursors = other.here()
    document = five.request()
    first = five.send(document)
    second = five.send(document)
    assert {**first, "receipt": None} == {**second, "receipt": None}
    ops, _ = other.pull_all(cursors)
    assert [(op["device"], op["seq"], op["n"]) for op in ops] == [(five.id, n, n) for n in range(1, 6)]


@pytest.mark.parametrize(("first", "last"), [(1, 3), (2, 5), (3, 5), (3, 3), (4, 5), (1, 5)])
def test_overlaps_are_compared_and_skipped(five: Device, other: Device, first: int, last: int) -> None:
    cursors = other.here()
    assert five.push(1, 3)["through"] == 3
    assert five.push(first, last)["through"] == max(3, last)
    assert five.push(1, 5)["through"] == 5
    ops, _ = other.pull_all(cursors)
    assert [op["seq"] for op in ops] == [1, 2, 3, 4, 5]


def test_a_lost_reply_costs_nothing(five: Device, town: str) -> None:
    """Quarantine and merge clocks are told again, for the ops that are held too."""
    five.say(town, "delivery.recorded", delivery(new_id()))
    five.say(town, "household.registered", household(town), at=hlc(now_ms() + 86_400_000))
    lost = five.push()
    assert [told["seq"] for told in lost["quarantined"]] == [6]
    assert [told["seq"] for told in lost["restamped"]] == [7]
    again = five.push(6, 7)
    assert (again["quarantined"], again["restamped"]) == (lost["quarantined"], lost["restamped"])
    register(five, town)
    more = five.push(7, 8)
    assert more["quarantined"] == []
    assert more["restamped"][0] == lost["restamped"][0]


def test_many_batches(five: Device, town: str) -> None:
    for _ in range(20):
        register(five, town)
    for first in range(1, 26, 4):
        assert five.push(first, min(first + 3, 25))["through"] == min(first + 3, 25)


def test_ops_of_many_streams_travel_together(device: Device, other: Device, town: str) -> None:
    cursors = other.here()
    neighbour = f"{town[:6]}{int(town[6:]) - 400:03d}"
    for stream in (town, neighbour, "office", town):
        if stream == "office":
            device.say(stream, "access.recorded", {"what": "export"})
        else:
            register(device, stream)
    assert device.push()["quarantined"] == []
    ops, _ = other.pull_all(cursors)
    assert {(op["stream"], op["seq"]) for op in ops} == {(town, 1), (neighbour, 2), (town, 4)}
    assert "office" not in other.pull()["grants"], "nobody but the centre reads it"


def test_an_erased_op_keeps_its_place(five: Device, other: Device) -> None:
    cursors = other.here()
    document = five.request()
    document["ops"][1] = {"erased": digest(five.log[1])}
    assert five.send(document)["through"] == 5
    assert five.send(document)["through"] == 5
    ops, _ = other.pull_all(cursors)
    assert [(op["seq"], op["n"]) for op in ops] == [(1, 1), (3, 2), (4, 3), (5, 4)]


def test_an_op_that_was_erased_since_is_still_the_same(five: Device) -> None:
    five.push()
    document = five.request()
    document["ops"][1] = {"erased": digest(five.log[1])}
    assert five.send(document)["through"] == 5


def test_odd_but_well_formed_text_arrives_unchanged(device: Device, other: Device, town: str) -> None:
    """Keys in UTF-16 order, escapes, lines of any kind: both ends hash the same bytes."""
    cursors = other.here()
    odd = {"\ufb33": 1, "😀": 2, "é": 3, "e\u0301": 4, "": 5, "\u2028": "\u2029", '"\\/': "\x01\x1f\x7f\t\r\n\u0080"}
    body = household(town, later=odd, numbers=[2**53 - 1, -(2**53) + 1, 0], nothing=None, flags=[True, False])
    device.say(town, "household.registered", body)
    deep: Any = "bottom"
    for _ in range(14):
        deep = [deep]
    device.say(town, "household.registered", household(town, deep=deep))
    assert device.push()["quarantined"] == []
    ops, _ = other.pull_all(cursors)
    assert [op["body"] for op in ops] == [op["body"] for op in device.log]
    assert [digest(op) for op in ops] == [digest(op) for op in device.log]


@one_database
def test_64_kib_are_the_limit_of_an_op(device: Device, town: str) -> None:
    body = household(town, later="")
    op = device.say(town, "household.registered", body)
    device.log.clear()
    device.hashes[1:] = []
    room = 65536 - len(canonical(op))
    device.say(town, "household.registered", household(town, later="x" * (room + 1)), op["subject"], at=op["hlc"])
    refused(device, 422, "malformed", device.request())
    device.log.clear()
    device.hashes[1:] = []
    device.say(town, "household.registered", household(town, later="x" * room), op["subject"], at=op["hlc"])
    assert len(canonical(device.log[0])) == 65536
    assert device.push()["through"] == 1


# --- what is refused -----------------------------------------------------------------------------------------


def _without(name: str) -> Callable[[Document], None]:
    return lambda document: document.pop(name)


def _with(**members: Any) -> Callable[[Document], None]:
    return lambda document: document.update(members)


DOCUMENTS = {
    **{f"without {name}": _without(name) for name in ("device", "from", "prev", "ops", "head", "sig")},
    "from zero": _with(**{"from": 0}),
    "from below zero": _with(**{"from": -1}),
    "from as text": _with(**{"from": "1"}),
    "from true": _with(**{"from": True}),
    "from beyond 2^53": _with(**{"from": 2**53}),
    "no ops": _with(ops=[]),
    "ops an object": _with(ops={}),
    "ops null": _with(ops=None),
    "op a text": _with(ops=["op"]),
    "prev too short": _with(prev="00"),
    "prev upper case": _with(prev="A" * 64),
    "head null": _with(head=None),
    "sig a number": _with(sig=1),
    "erased no digest": _with(ops=[{"erased": "x"}]),
    "erased and more": _with(ops=[{"erased": ZERO, "stream": "org"}]),
}


@pytest.mark.parametrize("harm", DOCUMENTS)
@one_database
def test_a_document_that_is_not_well_formed(device: Device, town: str, harm: str) -> None:
    register(device, town)
    document = device.request()
    DOCUMENTS[harm](document)
    with pytest.raises(Refused) as caught:
        device.send(document)
    # A push that names no device names no other device either: both readings of an absent one are refusals.
    allowed = {"malformed", "unauthorized"} if harm == "without device" else {"malformed"}
    assert caught.value.name in allowed
    assert caught.value.status in (401, 422)
    assert device.pull()["through"] == 0


OPS: dict[str, Document] = {
    "a member too many": {"later": 1},
    "the device repeated": {"device": new_id()},
    "the seq repeated": {"seq": 2},
    "stream a number": {"stream": 441225112},
    "stream null": {"stream": None},
    "hlc of no real date": {"hlc": "20210229T000000000Z-0000"},
    "hlc with an hour 24": {"hlc": "20210228T240000000Z-0000"},
    "hlc with a second 60": {"hlc": "20210228T235960000Z-0000"},
    "hlc in upper case": {"hlc": "20210228T000000000Z-00AB"},
    "hlc in other digits": {"hlc": "2021022٨T000000000Z-0000"},
    "hlc too short": {"hlc": "20210228T000000Z-0000"},
    "hlc with a newline": {"hlc": "20210228T000000000Z-0000\n"},
    "hlc null": {"hlc": None},
    "actor in upper case": {"actor": new_id().upper()},
    "actor without hyphens": {"actor": new_id().replace("-", "")},
    "actor in braces": {"actor": "{" + new_id() + "}"},
    "subject no UUID": {"subject": "household"},
    "subject null": {"subject": None},
    "kind a number": {"kind": 1},
    "v zero": {"v": 0},
    "v true": {"v": True},
    "v as text": {"v": "1"},
    "v beyond 2^53": {"v": 2**53},
    "body a list": {"body": []},
    "body null": {"body": None},
    "U+0000": {"body": {"note": "a\0b"}},
    "U+0000 in a key": {"body": {"a\0b": 1}},
    "U+0000 in the stream": {"stream": "441225112\0"},
    "number beyond 2^53": {"body": {"size": 2**53}},
    "number below −2^53": {"body": {"size": -(2**53)}},
}


@pytest.mark.parametrize("harm", OPS)
@one_database
def test_an_op_that_is_not_well_formed_stops_the_whole_push(five: Device, harm: str) -> None:
    document = five.request()
    document["ops"][3].update(OPS[harm])
    problem = refused(five, 422, "malformed", document)
    assert problem.document["detail"]
    assert five.pull()["through"] == 0, "all of its ops, or none"


@pytest.mark.parametrize("member", TRAVELLING)
@one_database
def test_an_op_without_a_member(five: Device, member: str) -> None:
    document = five.request()
    del document["ops"][4][member]
    refused(five, 422, "malformed", document)


@pytest.mark.parametrize(
    ("plain", "harmed"),
    [
        ('"marker": 1', '"marker": 1.0'),
        ('"marker": 1', '"marker": 1e0'),
        ('"marker": 1', '"marker": NaN'),
        ('"marker": 1', '"marker": Infinity'),
        ('"marker": 1', '"marker": 01'),
        ('"marker": 1', '"marker": "\\ud800"'),
        ('"marker": 1', '"marker": "\\udc00\\ud800"'),
        ('"marker": 1', '"marker": {"\\ud800": 1}'),
        ('"marker": 1', '"marker": 1, "marker": 1'),
        ('"marker": 1', '"marker": 1, "salt": "AAECAwQFBgc"'),
        ('"marker": 1', '"marker": ' + "9" * 5000),
        ('"marker": 1', '"marker": ' + "[" * 100_000 + "]" * 100_000),
        ('"marker": 1', '"marker": "\t"'),
        ('"marker": 1', '"marker": 1,'),
    ],
)
@one_database
def test_json_that_ops_do_not_hold(device: Device, town: str, plain: str, harmed: str) -> None:
    device.say(town, "household.registered", household(town, marker=1))
    text = encode(device.request()).decode()
    assert plain in text
    refused(device, 422, "malformed", text.replace(plain, harmed).encode())


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b"null", b"[]", b"{}{}", b"<html>"])
@one_database
def test_bytes_that_are_no_document(device: Device, data: bytes) -> None:
    refused(device, 422, "malformed", data)


@one_database
def test_seventeen_levels_are_too_many(device: Device, town: str) -> None:
    deep: Any = "bottom"
    for _ in range(15):
        deep = [deep]
    device.say(town, "household.registered", household(town, deep=deep))
    refused(device, 422, "malformed", device.request())


def test_ops_that_do_not_hash_to_the_head(five: Device) -> None:
    document = five.request()
    document["ops"][2]["body"]["note"] = "altered"
    refused(five, 422, "chain-broken", document)
    refused(five, 422, "chain-broken", five.signed({**five.request(), "head": "ab" * 32}))
    assert five.pull()["through"] == 0


def test_ops_in_another_order_do_not_hash_to_the_head(five: Device) -> None:
    document = five.request()
    document["ops"].reverse()
    refused(five, 422, "chain-broken", document)


def test_a_signature_must_be_the_devices(five: Device, other: Device) -> None:
    document = five.request()
    text = other.signed({**document, "device": five.id})["sig"]
    refused(five, 422, "bad-signature", {**document, "sig": text})
    refused(five, 422, "bad-signature", {**document, "sig": five.request(1, 4)["sig"]})
    for sig in ("", "x", "é" * 86, document["sig"] + "=="):
        with pytest.raises(Refused) as caught:
            five.send({**document, "sig": sig})
        assert caught.value.name in ("bad-signature", "malformed")
    assert five.pull()["through"] == 0


def test_a_gap_says_where_to_go_on(five: Device) -> None:
    assert refused(five, 409, "gap", five.request(3, 5)).document["through"] == 0
    five.push(1, 2)
    assert refused(five, 409, "gap", five.request(4, 5)).document["through"] == 2
    assert five.push(3, 5)["through"] == 5


def forked(device: Device, town: str, at: int) -> Device:
    """The same laptop restored from a copy that ends before op `at`, and used again."""
    twin = Device(device.line, device.key, device.id, device.token, device.server, device.epoch, device.grants)
    twin.user = device.user
    for op in device.log[: at - 1]:
        twin.say(op["stream"], op["kind"], op["body"], op["subject"], at=op["hlc"])
    assert twin.hashes == device.hashes[:at]
    for _ in range(3):
        register(twin, town, "副本")
    return twin


@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_fork_names_the_first_op_that_differs(five: Device, town: str, first: int) -> None:
    five.push()
    twin = forked(five, town, 3)
    assert refused(twin, 409, "fork", twin.request(first, 5)).document["seq"] == 3
    assert refused(twin, 409, "fork", twin.request(first, 3)).document["seq"] == 3
    assert five.pull()["head"] == five.hashes[5]


@pytest.mark.parametrize("first", [4, 5])
def test_a_fork_before_the_batch_is_seen_by_prev(five: Device, town: str, first: int) -> None:
    five.push()
    twin = forked(five, town, 3)
    assert refused(twin, 409, "fork", twin.request(first, 5)).document["seq"] == first - 1


def test_a_fork_is_seen_where_the_server_holds_less(five: Device, town: str) -> None:
    five.push(1, 4)
    twin = forked(five, town, 3)
    assert refused(twin, 409, "fork", twin.request(5, 5)).document["seq"] == 4


def test_a_log_that_does_not_begin_at_zero_is_a_fork(device: Device, town: str) -> None:
    register(device, town)
    prev = "ab" * 32
    document = {**device.request(), "prev": prev, "head": chain(prev, digest(device.log[0]))}
    assert refused(device, 409, "fork", device.signed(document)).document["seq"] == 1


def test_checks_come_in_their_order(five: Device, town: str) -> None:
    """Well-formedness, chain, signature, fork, gap: of two faults the first in that row is told."""
    five.push(1, 3)
    twin = forked(five, town, 2)
    no_chain = {**five.request(), "head": "ab" * 32, "sig": "A" * 86}
    assert json.loads(encode(no_chain))
    malformed = json.loads(encode(no_chain))
    malformed["ops"][4]["v"] = 0
    refused(five, 422, "malformed", malformed)
    refused(five, 422, "chain-broken", no_chain)
    refused(five, 422, "bad-signature", {**twin.request(), "sig": "A" * 86})
    refused(five, 422, "bad-signature", {**five.request(5, 5), "sig": "A" * 86})
    refused(twin, 409, "fork", twin.request())


def test_after_any_refusal_the_log_goes_on(five: Device) -> None:
    for harm in ("ab" * 32, "cd" * 32):
        refused(five, 422, "chain-broken", five.signed({**five.request(), "head": harm}))
    assert five.push()["through"] == 5


def test_a_delivery_is_about_what_it_names(device: Device, town: str) -> None:
    house = register(device, town)
    deliver(device, town, house)
    assert device.push()["quarantined"] == []
