"""The clock's promises for any clocks: order, strict rise along a log, restart, and the way back after a wrong one."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sync import clock

MS = st.integers(0, 253402300799998)
COUNTERS = st.integers(0, 0xFFFF) | st.sampled_from([0, 1, 0xFFFE, 0xFFFF])
HLCS = st.builds(clock.stamp, MS, COUNTERS)


@given(MS, COUNTERS)
def test_text_and_numbers_are_the_same(ms: int, counter: int) -> None:
    text = clock.stamp(ms, counter)
    assert clock.parse(text) == (ms, counter)
    assert clock.is_hlc(text)
    assert len(text) == 24


@given(HLCS, HLCS)
def test_text_order_is_time_order(a: str, b: str) -> None:
    assert (a < b) == (clock.parse(a) < clock.parse(b))


@given(HLCS, MS)
def test_a_tick_is_later_than_what_was_seen_and_never_behind_the_wall(latest: str, wall: int) -> None:
    ticked = clock.tick(latest, wall)
    assert ticked > latest
    assert ticked >= clock.stamp(wall, 0)
    assert clock.parse(ticked)[0] <= max(wall, clock.parse(latest)[0] + 1)


@given(st.lists(MS, min_size=1, max_size=30), HLCS)
def test_a_device_rises_whatever_its_wall_clock_does(walls: list[int], seen: str) -> None:
    latest, stamps = seen, [seen]
    for wall in walls:
        latest = clock.tick(latest, wall)
        stamps.append(latest)
    assert all(a < b for a, b in pairwise(stamps))


NOW = 1609291800000
NEAR = st.builds(clock.stamp, st.integers(NOW - 10**7, NOW + 10**6), COUNTERS)


@given(st.lists(st.tuples(HLCS | NEAR, NEAR), max_size=30))
def test_merge_clocks_rise_and_stay_near_the_wall_clock(ops: list[tuple[str, str]]) -> None:
    """`ops`: an op's own clock, and the latest one of its stream when it arrives."""
    previous = clock.EARLIEST
    latest_of_streams = clock.EARLIEST
    for hlc, stream in ops:
        given_clock = clock.merge_clock(hlc, previous, stream, NOW)
        merged = given_clock or hlc
        assert merged > previous
        if given_clock is None:
            assert clock.parse(hlc)[0] <= NOW + clock.AHEAD_MS
        else:
            assert merged > max(clock.stamp(NOW, 0), previous, stream)
        latest_of_streams = max(latest_of_streams, stream)
        limit = max(NOW + clock.AHEAD_MS, clock.parse(latest_of_streams)[0]) + 1
        assert clock.parse(merged)[0] <= limit, "no wrong clock carries the order into the future"
        previous = merged


@given(HLCS, NEAR, NEAR)
def test_the_rule_of_the_protocol_and_no_other(hlc: str, previous: str, stream: str) -> None:
    ahead = clock.parse(hlc)[0] > NOW + 5 * 60 * 1000
    merged = clock.merge_clock(hlc, previous, stream, NOW)
    assert (merged is not None) == (ahead or hlc <= previous)
    if merged is not None:
        assert merged == clock.after(max(clock.stamp(NOW, 0), previous, stream))
