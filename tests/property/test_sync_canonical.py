"""Canonical bytes, digests and chain, for any op that is well formed; and that no other passes."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from sync import clock
from sync.op import FIELDS, MAX_INT, ZERO, Op, canonical, chain, check_op, digest_of, loads
from sync.wire import to_travel, travelling_op

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers(-MAX_INT, MAX_INT) | TEXT
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(TEXT, v, max_size=4), max_leaves=12)
UUIDS = st.uuids().map(str)
HLCS = st.builds(clock.stamp, st.integers(-62135596800000, 253402300799999), st.integers(0, 0xFFFF))
OPS = st.builds(
    Op, device=UUIDS, seq=st.integers(1, MAX_INT), stream=TEXT.filter(bool), hlc=HLCS, actor=UUIDS,
    kind=TEXT.filter(bool), v=st.integers(1, MAX_INT), subject=UUIDS, body=st.dictionaries(TEXT, VALUES, max_size=4),
)  # fmt: skip


def fields(op: Op) -> dict[str, Any]:
    return {name: getattr(op, name) for name in FIELDS}


def quick(op: Op) -> bytes:
    """The same bytes by the standard library, where no key is beyond the BMP."""
    return json.dumps(fields(op), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(OPS)
def test_bytes_are_rfc_8785(op: Op) -> None:
    assert check_op(op) == canonical(op) == rfc8785.dumps(fields(op))
    assert digest_of(op) == sha256(canonical(op)).hexdigest()


@given(OPS)
def test_bytes_say_what_the_op_says(op: Op) -> None:
    assert loads(canonical(op)) == fields(op)
    if all(ord(c) < 0xD800 for c in json.dumps(op.body, ensure_ascii=False)):
        assert canonical(op) == quick(op)


@given(OPS)
def test_an_op_travels_and_arrives_as_itself(op: Op) -> None:
    arrived = travelling_op(op.device, op.seq, loads(json.dumps(to_travel(op)).encode()))
    assert arrived == op
    assert isinstance(arrived, Op)
    assert digest_of(arrived) == digest_of(op)


@given(OPS, st.sampled_from(FIELDS), st.data())
def test_whatever_is_altered_alters_the_digest(op: Op, field: str, data: st.DataObject) -> None:
    other = data.draw(OPS)
    changed = Op(**(fields(op) | {field: getattr(other, field)}))
    assert (digest_of(changed) == digest_of(op)) == (json.dumps(fields(changed)) == json.dumps(fields(op))) or (
        canonical(changed) == canonical(op)
    )


@given(st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=1, max_size=8), st.data())
def test_a_chain_knows_its_ops_and_their_order(digests: list[str], data: st.DataObject) -> None:
    def head(of: list[str]) -> str:
        hashed = ZERO
        for digest in of:
            hashed = chain(hashed, digest)
        return hashed

    other = data.draw(st.permutations(digests))
    assert (head(other) == head(digests)) == (other == digests)
    assert head(digests[:-1]) != head(digests)
