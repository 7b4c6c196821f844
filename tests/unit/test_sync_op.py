"""The op: what is well formed, to the boundary, and the bytes, digests and chain that follow from it."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
import rfc8785

from sync.op import MAX_BYTES, MAX_INT, ZERO, Op, canonical, chain, check_op, digest_of, loads, uuid7
from tests.support.toy import expect_problem

OP = Op(
    device="0192f3a0-0000-7000-8000-000000000001", seq=1, stream="441225112", hlc="20201230T013000000Z-0000",
    actor="0192f3a0-0000-7000-8000-0000000000aa", kind="thing.registered", v=1,
    subject="0192f3a0-0000-7000-8000-00000000000b", body={"name": "陈明生"},
)  # fmt: skip


def nested(levels: int) -> Any:
    """An object of so many levels."""
    return {} if levels == 1 else {"a": nested(levels - 1)}


def with_bytes(count: int) -> Op:
    """An op of exactly so many canonical bytes."""
    return replace(OP, body={"t": "x" * (count - len(canonical(replace(OP, body={"t": ""}))))})


def test_canonical_bytes_are_rfc_8785_over_exactly_the_nine_fields() -> None:
    fields = ("device", "seq", "stream", "hlc", "actor", "kind", "v", "subject", "body")
    assert canonical(OP) == rfc8785.dumps({field: getattr(OP, field) for field in fields})
    assert list(json.loads(canonical(OP))) == sorted(fields)


def test_digest_and_chain() -> None:
    assert digest_of(OP) == sha256(canonical(OP)).hexdigest()
    assert chain(ZERO, digest_of(OP)) == sha256(bytes(32) + sha256(canonical(OP)).digest()).hexdigest()
    assert chain("ab" * 32, "cd" * 32) == sha256(b"\xab" * 32 + b"\xcd" * 32).hexdigest()


def test_a_well_formed_op_gives_its_canonical_bytes() -> None:
    assert check_op(OP) == canonical(OP)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"n": MAX_INT, "m": -MAX_INT, "zero": 0},
        {"yes": True, "no": False, "none": None},
        {"text": "一队 \n\t\u0001 \U0001f600 \ufeff"},
        {"": "an empty key", "list": [[], {}, [1, "a", None]]},
        nested(15),
        {"list": [[[[[[[[[[[[[["deep"]]]]]]]]]]]]]]},
    ],
)
def test_what_a_body_may_hold(body: dict[str, Any]) -> None:
    check_op(replace(OP, body=body))


@pytest.mark.parametrize(
    "body",
    [
        {"n": MAX_INT + 1},
        {"n": -MAX_INT - 1},
        {"n": 1.5},
        {"n": 1.0},
        {"n": -0.0},
        {"text": "\ud800"},
        {"text": "a\udfffb"},
        {"text": "\x00"},
        {"\ud800": 1},
        {"\x00": 1},
        {"list": [{"text": "\x00"}]},
        nested(16),
        {"list": [[[[[[[[[[[[[[["too deep"]]]]]]]]]]]]]]]},
        {1: "a key that is no text"},
        {"t": (1, 2)},
        {"b": b"bytes"},
    ],
)
def test_what_a_body_may_not_hold(body: dict[str, Any]) -> None:
    with expect_problem("malformed"):
        check_op(replace(OP, body=body))


def test_a_body_is_an_object() -> None:
    for body in ([], "text", None, 1, True):
        with expect_problem("malformed"):
            check_op(replace(OP, body=body))


@pytest.mark.parametrize("field", ["device", "actor", "subject"])
@pytest.mark.parametrize(
    "value",
    [
        "0192F3A0-0000-7000-8000-000000000001",
        "0192f3a0000070008000000000000001",
        "{0192f3a0-0000-7000-8000-000000000001}",
        "0192f3a0-0000-7000-8000-000000000001\n",
        "0192f3a0-0000-7000-8000-00000000000g",
        "",
        None,
        1,
    ],
)
def test_ids_are_uuids_in_lower_case_with_hyphens(field: str, value: Any) -> None:
    with expect_problem("malformed") as caught:
        check_op(replace(OP, **{field: value}))
    assert field in caught[0].detail


@pytest.mark.parametrize("field", ["seq", "v"])
@pytest.mark.parametrize("value", [0, -1, True, 1.0, "1", None, MAX_INT + 1])
def test_numbers_of_the_envelope_start_at_one(field: str, value: Any) -> None:
    with expect_problem("malformed"):
        check_op(replace(OP, **{field: value}))


@pytest.mark.parametrize("field", ["stream", "kind"])
@pytest.mark.parametrize("value", ["", None, 1, "\x00", "\ud800", ["a"]])
def test_names_of_the_envelope_are_texts(field: str, value: Any) -> None:
    with expect_problem("malformed"):
        check_op(replace(OP, **{field: value}))


@pytest.mark.parametrize(
    "hlc",
    [
        "20200230T000000000Z-0000",
        "20201330T000000000Z-0000",
        "20201230T240000000Z-0000",
        "20201230T236000000Z-0000",
        "20201230T235960000Z-0000",
        "00000101T000000000Z-0000",
        "20201230T000000000Z-000G",
        "20201230T000000000Z-000A",
        "20201230T000000000Z-00000",
        "20201230T000000000Z-0000\n",
        "20201230T000000000-0000",
        "２0201230T000000000Z-0000",
        "",
        None,
        20201230,
    ],
)
def test_the_clock_is_a_real_date(hlc: Any) -> None:
    with expect_problem("malformed"):
        check_op(replace(OP, hlc=hlc))


def test_64_kib_of_canonical_bytes_and_not_one_more() -> None:
    assert len(check_op(with_bytes(MAX_BYTES))) == MAX_BYTES == 65536
    with expect_problem("malformed"):
        check_op(with_bytes(MAX_BYTES + 1))


def test_the_size_is_counted_in_bytes_not_characters() -> None:
    with expect_problem("malformed"):
        check_op(replace(OP, body={"t": "陈" * 22000}))


# --- parsing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '{"a":{"b":1,"b":2}}', '[{"a":1,"\\u0061":2}]'])
def test_no_key_stands_twice(text: str) -> None:
    with expect_problem("malformed"):
        loads(text.encode())


@pytest.mark.parametrize("data", [b"", b"{", b"nope", b"\xff", b'{"a":NaN}', b"[Infinity]", b"\xef\xbb\xbf{}", b"01"])
def test_what_is_not_json_in_utf_8(data: bytes) -> None:
    with expect_problem("malformed"):
        loads(data)


def test_a_document_may_be_deep_without_harm() -> None:
    with expect_problem("malformed"):
        loads(b"[" * 200_000)


def test_a_number_of_any_length_does_no_harm() -> None:
    with expect_problem("malformed"):
        loads(b"[" + b"9" * 1_000_000 + b"]")


@pytest.mark.parametrize("number", ["1.0", "1e2", "-0.0", "0.5", "9007199254740992", "-9007199254740992", "1E400"])
def test_an_op_holds_no_number_that_is_not_a_safe_whole_one(number: str) -> None:
    with expect_problem("malformed"):
        check_op(replace(OP, body=loads(f'{{"n":{number}}}'.encode())))


def test_minus_nought_is_nought() -> None:
    assert check_op(replace(OP, body=loads(b'{"n":-0}'))) == canonical(replace(OP, body={"n": 0}))


def test_members_that_a_reader_does_not_know_may_be_any_json() -> None:
    assert loads(b'{"load":0.5,"big":12345678901234567890}') == {"load": 0.5, "big": 12345678901234567890}


def test_ids_sort_by_time_and_are_version_7() -> None:
    ids = [uuid7() for _ in range(5000)]
    assert ids == sorted(set(ids))
    assert {(i[14], i[19] in "89ab") for i in ids} == {("7", True)}
