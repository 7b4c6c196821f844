"""Packing for any bytes, and parsing that answers anything at all with a document or `malformed`."""

from __future__ import annotations

import gzip
import json
from typing import Any

import zstandard
from hypothesis import given
from hypothesis import strategies as st

from sync.op import loads
from sync.wire import EnrolRequest, PullRequest, PushRequest, load, pack, unpack
from tests.support.toy import expect_problem, perhaps

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=6), v, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    [
        "device",
        "from",
        "prev",
        "ops",
        "head",
        "sig",
        "epoch",
        "cursors",
        "limit",
        "status",
        "code",
        "name",
        "public_key",
    ]
)


@given(st.binary(max_size=2000), st.sampled_from(["zstd", "gzip", "zstd, gzip", "", "br", "gzip;q=0"]))
def test_packed_and_unpacked_is_the_same(data: bytes, accepted: str) -> None:
    packed, encoding = pack(data, accepted)
    assert unpack(packed, encoding) == data


@given(st.binary(max_size=200), st.sampled_from(["zstd", "gzip", None]))
def test_any_bytes_are_unpacked_or_refused(data: bytes, encoding: str | None) -> None:
    with perhaps("malformed", "too-large"):
        assert len(unpack(data, encoding, limit=100)) <= 100


@given(st.binary(min_size=1, max_size=400), st.data())
def test_what_is_cut_anywhere_is_refused(data: bytes, drawn: st.DataObject) -> None:
    for encoding, packed in (
        ("gzip", gzip.compress(data)),
        ("zstd", zstandard.ZstdCompressor(write_checksum=True).compress(data)),
    ):
        cut = drawn.draw(st.integers(0, len(packed) - 1))
        with expect_problem("malformed"):
            unpack(packed[:cut], encoding)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_document_or_malformed(data: bytes) -> None:
    with perhaps("malformed"):
        loads(data)


@given(JSON)
def test_json_is_read_as_it_was_written(value: Any) -> None:
    assert loads(json.dumps(value).encode()) == value


@given(st.dictionaries(MEMBERS, JSON, max_size=6), st.sampled_from([PushRequest, PullRequest, EnrolRequest]))
def test_any_document_is_taken_or_malformed(document: dict[str, Any], schema: Any) -> None:
    with perhaps("malformed"):
        load(schema, document)
