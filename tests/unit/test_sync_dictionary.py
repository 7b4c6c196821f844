"""The coding of our own two ends: small, within its limits, and always the same."""

from __future__ import annotations

import json
import tracemalloc

import pytest
import zstandard

from benchmarks.dictionary import FOLDER, SEEDS, train
from benchmarks.traffic import World
from sync import dictionary, lifting
from sync.wire import MAX_BYTES, pack, unpack
from tests.support.toy import expect_problem

NUMBERS = range(1, dictionary.NEWEST + 1)


def text(seed: int, count: int) -> bytes:
    return json.dumps(World(seed).push(count), ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("number", NUMBERS)
def test_a_dictionary_is_named_by_its_number(number: int) -> None:
    data = (FOLDER / f"dictionary-{number}.zstd").read_bytes()
    assert zstandard.ZstdCompressionDict(data).dict_id() == number
    packed, _ = lifting.part(dictionary.pack(text(7, 1), number))
    assert zstandard.get_frame_parameters(packed).dict_id == number


def test_every_dictionary_that_ships_is_known() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == [f"dictionary-{n}.zstd" for n in NUMBERS]
    assert set(SEEDS) == set(NUMBERS)


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_training_again_makes_the_same_file(number: int) -> None:
    assert train(number) == (FOLDER / f"dictionary-{number}.zstd").read_bytes()


def test_one_op_takes_little_more_than_what_is_random_in_it() -> None:
    one, many = text(7, 1), text(7, 200)
    assert len(dictionary.pack(one, 1)) < len(zstandard.ZstdCompressor(level=19).compress(one)) * 0.7
    assert len(dictionary.pack(many, 1)) < len(zstandard.ZstdCompressor(level=19).compress(many)) * 0.85


@pytest.mark.parametrize(
    ("told", "number"),
    [(None, 0), (0, 0), (-1, 0), (True, 0), ("1", 0), (1.0, 0), ([1], 0), (1, 1), (10**30, dictionary.NEWEST)],
)
def test_the_newest_that_both_know(told: object, number: int) -> None:
    assert dictionary.common(told) == number


@pytest.mark.parametrize("coding", ["aid-0", f"aid-{dictionary.NEWEST + 1}", "aid-99999", "aid-", "aid", "aid-x"])
def test_a_dictionary_that_is_not_known_is_refused(coding: str) -> None:
    with expect_problem("malformed"):
        unpack(dictionary.pack(text(7, 1), 1), coding)


def test_exactly_the_limit_fits_and_one_byte_more_does_not() -> None:
    whole = text(7, 30)
    packed = dictionary.pack(whole, 1)
    assert unpack(packed, "aid-1", limit=len(whole)) == whole
    with expect_problem("too-large"):
        unpack(packed, "aid-1", limit=len(whole) - 1)


@pytest.mark.parametrize(
    ("first", "again", "times"), [(b"", b"\0", 300 * 1024 * 1024), (b"\x05", b"\x060", MAX_BYTES // 2 - 1)]
)
def test_a_bomb_does_not_go_off(first: bytes, again: bytes, times: int) -> None:
    """Neither what zstd makes of a few bytes, nor what a value said a million times makes of those."""
    rest = first + again * times
    packer = zstandard.ZstdCompressor(
        dict_data=zstandard.ZstdCompressionDict((FOLDER / "dictionary-1.zstd").read_bytes())
    )
    bomb = lifting.join(packer.compress(rest), bytes(64))
    assert len(bomb) < MAX_BYTES // 20
    tracemalloc.start()
    with expect_problem("too-large"):
        unpack(bomb, "aid-1")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * MAX_BYTES


@pytest.mark.parametrize(
    ("rest", "beside"),
    [
        (b"\x01", b"short"), (b"", b"left"), (b"\x060", b""), (b"\x01\x061", bytes(16)), (b"\x06", b""),
        (b"\x07", b"\xff" * 8 + b"\x00"), (b"\x07", b"\xff" * 7 + b"\x00"), (b"\x08", b"\x01" + bytes(10)),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_their_places_are_refused(rest: bytes, beside: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        lifting.lower(rest, beside, 1000)


def test_a_value_said_again_is_named_by_its_number() -> None:
    one = '"0192f3a0-0000-7000-8000-0000000000aa"'
    rest, beside = lifting.lift(f"[{one},{one},{one}]".encode())
    assert rest == b'["\x08","\x060","\x060"]'
    assert len(beside) == 16


def test_what_packing_does_not_make_shorter_stays_plain() -> None:
    assert pack(b"{}", "zstd", 1) == (b"{}", None)
    assert pack(b"\x01" * 500, None, 0) == (b"\x01" * 500, None)
