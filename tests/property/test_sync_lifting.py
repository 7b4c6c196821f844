"""Whatever a JSON text holds, what was lifted out of it comes back byte for byte, and nothing else is believed."""

from __future__ import annotations

import json
import uuid
from base64 import urlsafe_b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import clock, dictionary, lifting
from sync.wire import MAX_BYTES, pack, unpack
from tests.support.toy import perhaps

HASH = st.binary(min_size=32, max_size=32).map(bytes.hex)
UUIDS = st.uuids().map(str) | st.builds(
    lambda ms, rest: str(uuid.UUID(int=ms << 80 | 7 << 76 | rest)), st.integers(0, 2**48 - 1), st.integers(0, 2**76 - 1)
)
SECRETS = st.sampled_from([8, 32, 64]).flatmap(lambda n: st.binary(min_size=n, max_size=n)).map(
    lambda raw: urlsafe_b64encode(raw).rstrip(b"=").decode()
)  # fmt: skip
CLOCKS = st.builds(clock.stamp, st.integers(-62_135_596_800_000, 253_402_300_799_999), st.integers(0, 65535))
LIKE = st.from_regex(r"[0-9a-f-]{30,40}|\d{8}T\d{9}Z-0000|[A-Za-z0-9_-]{11}|[A-Za-z0-9_-]{86}", fullmatch=True)
TEXTS = st.text(max_size=12) | HASH | UUIDS | SECRETS | CLOCKS | LIKE | st.builds(str.__add__, UUIDS, HASH | LIKE)
VALUES = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=25,
)


def encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")


@given(VALUES, st.booleans())
def test_lifted_and_lowered_is_the_same(value: object, twice: bool) -> None:
    text = encode([value, value] if twice else value)
    rest, beside = lifting.lift(text)
    assert lifting.lower(rest, beside, MAX_BYTES) == text
    assert lifting.part(lifting.join(rest, beside)) == (rest, beside)


@given(VALUES)
def test_every_coding_of_ours_gives_back_what_was_packed(value: object) -> None:
    text = encode(value)
    for number in range(1, dictionary.NEWEST + 1):
        assert unpack(dictionary.pack(text, number), dictionary.coding(number)) == text
        packed, encoding = pack(text, "", number)
        assert unpack(packed, encoding) == text
        assert len(packed) <= len(text)


@given(st.binary(max_size=80), st.integers(1, dictionary.NEWEST))
def test_any_bytes_are_read_or_refused(data: bytes, number: int) -> None:
    with perhaps("malformed", "too-large"):
        assert len(unpack(data, dictionary.coding(number), limit=100)) <= 100


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_parts_are_put_together_or_refused(rest: bytes, beside: bytes) -> None:
    with suppress(ValueError):
        lifting.lower(rest, beside, 1000)


@given(VALUES, st.data())
def test_what_is_cut_anywhere_is_refused(value: object, drawn: st.DataObject) -> None:
    packed = dictionary.pack(encode(value), 1)
    cut = drawn.draw(st.integers(0, len(packed) - 1))
    with perhaps("malformed"):
        unpack(packed[:cut], "aid-1")
        pytest.fail("a cut body was read")


@given(st.sampled_from(range(1, 9)), st.text(max_size=5))
def test_a_text_that_holds_marks_is_not_lifted(mark: int, around: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        lifting.lift(f"{around}{chr(mark)}{around}".encode())
