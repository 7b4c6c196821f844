"""What waits in the office's inbox: kinds, how each is settled, and when deliveries raise a question.

Questions, never verdicts: what looks odd is asked about by a person, and has mostly a good answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

ANSWERED: Final = "answered"
BOTH_RIGHT: Final = "both-right"
VOID_FIRST: Final = "void-first"
VOID_SECOND: Final = "void-second"
KEEP_FIRST: Final = "keep-first"
KEEP_SECOND: Final = "keep-second"
RELEASE: Final = "release"
DISMISS: Final = "dismiss"
GONE: Final = "gone"
"""Nobody settled it here: what it asked about is no more, or was put right on a page of its own."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`verdicts`: what a person may say of one; `many`: of several at once. None: another page settles it."""

    name: str
    verdicts: tuple[str, ...] = ()
    many: tuple[str, ...] = ()
    of_deliveries: bool = False


_QUESTIONS = ("outside", "signature", "photo", "proxy", "speed", "village")

KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("duplicate", (BOTH_RIGHT, VOID_FIRST, VOID_SECOND), (BOTH_RIGHT,), of_deliveries=True),
        Kind("conflict", (KEEP_FIRST, KEEP_SECOND)),
        Kind("held", (RELEASE, DISMISS), (RELEASE, DISMISS)),
        Kind("stock"),
        *(Kind(name, (ANSWERED,), (ANSWERED,), of_deliveries=True) for name in _QUESTIONS),
    )
}
"""A new kind has a row here, a finder in store/queries/question.py and words in templates/inbox/_words.html."""

PROXY_HOUSEHOLDS: Final = 3
"""From so many households on for which one and the same person signed on a trip it is asked."""
VILLAGE_HOUSEHOLDS: Final = 10
VILLAGE_WITHIN: Final = timedelta(minutes=4)
FASTEST_KM_H: Final = 120
NEAR_M: Final = 1000
"""Two positions that lie nearer to each other than this, less how exact they are, say nothing of speed."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where and when a delivery was recorded: degrees × 1e7, and metres within which that is right."""

    at: datetime
    lat: int
    lon: int
    accuracy_m: int = 0


def metres(one: Stand, other: Stand) -> float:
    """Between two positions on a sphere (haversine)."""
    lat, other_lat = math.radians(one.lat / 1e7), math.radians(other.lat / 1e7)
    north, east = other_lat - lat, math.radians((other.lon - one.lon) / 1e7)
    half = math.sin(north / 2) ** 2 + math.cos(lat) * math.cos(other_lat) * math.sin(east / 2) ** 2
    return 2 * 6_371_000 * math.asin(min(1.0, math.sqrt(half)))


def too_fast(one: Stand, other: Stand) -> bool:
    """Whether no car gets from one to the other in that time, as exact as the positions are."""
    way = metres(one, other) - one.accuracy_m - other.accuracy_m
    if way <= NEAR_M:
        return False
    hours = abs((other.at - one.at).total_seconds()) / 3600
    return way / 1000 > FASTEST_KM_H * hours


def at_once(times: Sequence[datetime]) -> tuple[int, int] | None:
    """The most that were recorded within `VILLAGE_WITHIN`, as a slice of `times` in order; None when they are few."""
    best: tuple[int, int] | None = None
    start = 0
    for end in range(len(times)):
        while times[end] - times[start] > VILLAGE_WITHIN:
            start += 1
        count = end + 1 - start
        if count >= VILLAGE_HOUSEHOLDS and (best is None or count > best[1] - best[0]):
            best = start, end + 1
    return best
