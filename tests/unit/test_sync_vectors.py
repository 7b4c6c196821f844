"""Our code against docs/protocol-vectors.json, which anybody else's code can be held against too."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sync import clock, enrolment, identity, log, merge
from sync.identity import KeyPair, encode
from sync.op import ZERO, Op, canonical, chain, check_op, digest_of
from sync.problem import Problem
from sync.proof import Proof, answered_text, is_nonce
from tests.support.toy import Centre, memory
from tests.support.toy_house import START

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "protocol-vectors.json").read_text(encoding="utf-8")
)
DEVICE = KeyPair.from_private(encode(bytes(range(32))))
SERVER = KeyPair.from_private(encode(bytes(range(32, 64))))


def named(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case["what"])


def test_keys() -> None:
    assert DEVICE.public == VECTORS["device_public_key"]
    assert SERVER.public == VECTORS["server_public_key"]


def test_canonical_bytes_digests_and_chain() -> None:
    head = ZERO
    for vector in VECTORS["ops"]:
        op = Op(**vector["op"])
        assert check_op(op) == canonical(op) == vector["canonical"].encode()
        assert digest_of(op) == vector["digest"]
        head = chain(head, digest_of(op))
        assert head == vector["hash"]


def test_signatures() -> None:
    push, receipt = VECTORS["push"], VECTORS["receipt"]
    assert DEVICE.sign(identity.push_text(push["device"], 3, push["head"])) == push["sig"]
    assert identity.check_receipt(SERVER.public, receipt)
    made = identity.make_receipt(SERVER, receipt["device"], receipt["through"], receipt["head"], receipt["at"])
    assert made == receipt


def test_signed_answers() -> None:
    answer = VECTORS["answer"]
    assert answered_text(answer["nonce"], answer["body"].encode()) == answer["text"]
    assert SERVER.sign(answer["text"]) == answer["signature"]
    assert is_nonce(answer["nonce"])
    assert Proof(answer["text"], answer["signature"]).by(SERVER.public)
    assert not Proof(answer["text"], answer["signature"]).by(DEVICE.public)


@named(VECTORS["restamp"]["cases"])
def test_merge_clocks(case: dict[str, Any]) -> None:
    wall = clock.parse(VECTORS["restamp"]["wall"])[0]
    assert clock.merge_clock(case["hlc"], case["previous"], case["stream"], wall) == case["merge_hlc"]


def order(item: dict[str, Any]) -> merge.Order:
    device, _, seq = item["op"].partition("/")
    return item["clock"], device, int(seq)


@named(VECTORS["merge"]["fields"])
def test_fields(case: dict[str, Any]) -> None:
    edits = [merge.Edit(e["op"], order(e), e["set"], e.get("base", {})) for e in case["edits"]]
    for given in (edits, edits[::-1]):
        found = {
            path: {"value": state.value, "heads": [name for name, _ in state.heads], "conflict": state.conflict}
            for path, state in merge.fields(given).items()
        }
        assert found == case["fields"]


@named(VECTORS["merge"]["sets"])
def test_sets(case: dict[str, Any]) -> None:
    changes = [
        merge.Change(order(op), element, how == "add")
        for op in case["changes"]
        for how in ("add", "remove")
        for element in op.get(how, [])
    ]
    for given in (changes, changes[::-1]):
        assert sorted(merge.elements(given)) == case["elements"]


@pytest.fixture
def centre() -> Centre:
    """A centre that knows the vectors' device and holds its three ops."""
    centre = Centre(memory(), clock=START + timedelta(hours=1)).set_up()
    with centre.begin() as conn:
        device, token = VECTORS["push"]["device"], identity.hash_secret("token")
        log.add_device(conn, device, name="v", public_key=DEVICE.public, now=centre.now(), team="t", token_hash=token)
    centre.grant(VECTORS["push"]["device"], "441225112")
    centre.push("token", VECTORS["push"])
    return centre


def test_a_push_is_taken_and_answered(centre: Centre) -> None:
    answer = centre.push("token", VECTORS["push"])
    assert (answer["through"], answer["head"]) == (3, VECTORS["push"]["head"])
    with centre.begin() as conn:
        assert identity.check_receipt(enrolment.server_card(conn)["public_key"], answer["receipt"])


def test_the_digest_of_a_stream(centre: Centre) -> None:
    device = VECTORS["push"]["device"]
    with centre.begin() as conn:
        log.remember(conn, device=device, acked=3)  # as the laptop computes it: all three count
        conn.execute(log.op_table.update().where(log.op_table.c.device == device).values(problem=None))
        assert log.digest(conn, VECTORS["stream_digest"]["stream"]) == VECTORS["stream_digest"]["hex"]


@named(VECTORS["fork"]["cases"])
def test_forks(centre: Centre, case: dict[str, Any]) -> None:
    try:
        answer = centre.push("token", case["push"])
    except Problem as problem:
        assert (problem.name, problem.members) == (case["problem"], case["members"])  # noqa: PT017
    else:
        assert case["problem"] is None
        assert answer["through"] == 3
