"""The same item to the same household again before its repeat interval is over (疑似重复发放)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Given:
    """One item of one delivery that counts. `household`: aliases resolved. `delivery` may also name what a household
    brought from another town."""

    delivery: str
    household: str
    item: str
    date: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """Two deliveries of an item too close to each other; `first` is not the later one."""

    first: Given
    second: Given
    days_apart: int
    repeat_days: int


def days_apart(one: str, other: str) -> int:
    """Days between two dates (YYYY-MM-DD), never negative."""
    return abs((date.fromisoformat(one) - date.fromisoformat(other)).days)


def too_soon(one: str, other: str, repeat_days: int | None) -> bool:
    """Whether two dates are less than `repeat_days` apart; no interval, no repeat."""
    return repeat_days is not None and days_apart(one, other) < repeat_days


def repeats(given: Iterable[Given], repeat_days: Mapping[str, int | None]) -> list[Repeat]:
    """Every pair that is a possible duplicate, by household, item and date.

    Source: docs/protocol.md section 5, "Duplicates". Both deliveries are true and kept; a person judges.
    """
    together: dict[tuple[str, str], dict[str, Given]] = {}
    for one in given:
        if repeat_days.get(one.item) is not None:
            together.setdefault((one.household, one.item), {})[one.delivery] = one
    found = []
    for (_, item), deliveries in sorted(together.items()):
        interval = repeat_days[item]
        ordered = sorted(deliveries.values(), key=lambda one: (one.date, one.delivery))
        for first, second in combinations(ordered, 2):
            if interval is not None and too_soon(first.date, second.date, interval):
                found.append(Repeat(first, second, days_apart(first.date, second.date), interval))
    return found
