"""What a report can be broken down by, and the rule of small counts for what is given to donors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from aidvisit.domain.selection import Selection

Axis = Literal["day", "month", "item", "class", "county", "town", "village", "team", "trip", "category", "donor"]
AXES: Final[tuple[Axis, ...]] = get_args(Axis)
DIGITS: Final[dict[str, int]] = {"county": 6, "town": 9, "village": 12}

FEWEST = 3
"""Households that a row of a donor's statement must stand for: fewer could be told by who knows the village."""


def narrowed(selection: Selection, axis: Axis, key: str) -> Selection | None:
    """The selection of one row, whose entries its figures are; None where nothing names them ("": not known)."""
    if not key:
        return None
    if axis == "day":
        return selection.but(from_=key, until=key)
    if axis == "month":
        first, last = f"{key}-01", f"{key}-{_last_day(key)}"
        return selection.but(from_=max(first, selection.from_), until=min(last, selection.until or last))
    if axis in DIGITS:
        return selection.but(division=max(key, selection.division, key=len))
    return selection.but(**{"class_" if axis == "class" else axis: key})


def _last_day(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    if number == 2:
        return "29" if year % 4 == 0 and (year % 100 or year % 400 == 0) else "28"
    return "30" if number in (4, 6, 9, 11) else "31"


@dataclass(frozen=True, slots=True)
class Share:
    """So much of an item in one village. `village` is "" for villages together. `households` None: fewer than
    `FEWEST`, all there were."""

    village: str
    households: int | None
    quantity: int


def told(by_village: Mapping[str, tuple[int, int]]) -> list[Share]:
    """What may be said of one item, by code of village: (households, quantity).

    A village with fewer than `FEWEST` households is not named, and what is left over for those stands for as many: else
    it could be found by subtraction from the sum. So the next smallest village joins them.
    """
    order: Sequence[str] = sorted(by_village, key=lambda code: (by_village[code][0], code))
    together: list[str] = []
    for code in order:
        few = by_village[code][0] < FEWEST or not code
        if few or (together and sum(by_village[one][0] for one in together) < FEWEST):
            together.append(code)
    shown = [Share(code, *by_village[code]) for code in sorted(by_village) if code not in together]
    if together:
        households = sum(by_village[one][0] for one in together)
        quantity = sum(by_village[one][1] for one in together)
        shown.append(Share("", households if households >= FEWEST else None, quantity))
    return shown
