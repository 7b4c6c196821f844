"""The hybrid logical clock: its text, its order, and what the centre makes of a clock that is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync import clock

NOW = datetime(2020, 12, 30, 1, 30, 0, 123000, tzinfo=UTC)
NOW_MS = clock.to_ms(NOW)
HLC = "20201230T013000123Z-0000"
MINUTE = 60_000


def test_the_text_is_utc_milliseconds_and_four_hexadecimal_digits() -> None:
    assert clock.stamp(NOW_MS, 0) == HLC
    assert clock.stamp(NOW_MS, 0xABCD) == "20201230T013000123Z-abcd"
    assert clock.parse("20201230T013000123Z-abcd") == (NOW_MS, 0xABCD)
    assert len(HLC) == 24


def test_milliseconds_are_cut_not_rounded() -> None:
    assert clock.stamp(clock.to_ms(NOW + timedelta(microseconds=999)), 0) == HLC
    assert clock.to_ms(datetime(1969, 12, 31, 23, 59, 59, 999500, tzinfo=UTC)) == -1


def test_years_before_1000_keep_their_width() -> None:
    assert clock.stamp(*clock.parse(clock.EARLIEST)) == clock.EARLIEST
    assert clock.EARLIEST < HLC


def test_text_order_is_time_order() -> None:
    moments = [(NOW_MS, 0), (NOW_MS, 1), (NOW_MS, 0xFFFF), (NOW_MS + 1, 0), (NOW_MS + 86_400_000, 0)]
    texts = [clock.stamp(*moment) for moment in moments]
    assert texts == sorted(texts)


def test_a_tick_takes_the_wall_clock_where_that_is_later() -> None:
    assert clock.tick(clock.EARLIEST, NOW_MS) == HLC
    assert clock.tick(clock.stamp(NOW_MS - 1, 0xFFFF), NOW_MS) == HLC


@pytest.mark.parametrize("behind_ms", [0, 1, 86_400_000])
def test_a_tick_is_later_than_all_that_was_seen(behind_ms: int) -> None:
    assert clock.tick(HLC, NOW_MS - behind_ms) == "20201230T013000123Z-0001"


def test_a_full_counter_raises_the_millisecond() -> None:
    assert clock.after("20201230T013000123Z-ffff") == "20201230T013000124Z-0000"
    assert clock.tick("20201231T235959999Z-ffff", NOW_MS) == "20210101T000000000Z-0000"


# --- the merge clock -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead_ms", [-400 * 86_400_000, -1, 0, 5 * MINUTE])
def test_up_to_five_minutes_ahead_an_op_keeps_its_own_clock(ahead_ms: int) -> None:
    hlc = clock.stamp(NOW_MS + ahead_ms, 7)
    assert clock.merge_clock(hlc, clock.EARLIEST, clock.EARLIEST, NOW_MS) is None


def test_more_than_five_minutes_ahead_it_gets_another() -> None:
    hlc = clock.stamp(NOW_MS + 5 * MINUTE + 1, 0)
    assert clock.merge_clock(hlc, clock.EARLIEST, clock.EARLIEST, NOW_MS) == "20201230T013000123Z-0001"


def test_an_op_that_is_not_later_than_the_one_before_gets_another() -> None:
    assert clock.merge_clock(HLC, HLC, clock.EARLIEST, NOW_MS) == "20201230T013000123Z-0001"
    before = clock.stamp(NOW_MS - 1000, 0)
    assert clock.merge_clock(before, HLC, clock.EARLIEST, NOW_MS) == "20201230T013000123Z-0001"
    assert clock.merge_clock(clock.after(HLC), HLC, clock.EARLIEST, NOW_MS) is None


def test_the_other_clock_is_after_the_wall_clock_the_log_and_the_stream() -> None:
    wrong = clock.stamp(NOW_MS + 365 * 86_400_000, 0)
    wall, log, stream = (clock.stamp(NOW_MS, 0), clock.stamp(NOW_MS + 1, 5), clock.stamp(NOW_MS + 2, 9))
    early = clock.EARLIEST
    assert clock.merge_clock(wrong, early, early, NOW_MS) == clock.after(wall)
    assert clock.merge_clock(wrong, log, early, NOW_MS) == clock.after(log)
    assert clock.merge_clock(wrong, log, stream, NOW_MS) == clock.after(stream)
    assert clock.merge_clock(wrong, stream, log, NOW_MS) == clock.after(stream)


def test_the_latest_clock_of_the_stream_alone_restamps_nothing() -> None:
    late = clock.stamp(NOW_MS + 4 * MINUTE, 0)
    assert clock.merge_clock(HLC, clock.EARLIEST, late, NOW_MS) is None
