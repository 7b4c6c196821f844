"""Hardship categories that follow from a person's age: `elder_80` counts everybody of 80 and more (高龄老人).

The age stands in the code, so a county that counts from 70 adds `elder_70`, and both ends agree without being told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

from aidvisit.domain import person
from aidvisit.domain.person import Finding

_BY_AGE = re.compile(r"elder_([1-9][0-9]{1,2})")


def from_age(code: str) -> int | None:
    """The age in years from which a category counts; None of one that somebody has to find."""
    found = _BY_AGE.fullmatch(code)
    return int(found[1]) if found else None


def of_age(years: int) -> str:
    """The code of the category of those who are so old."""
    return f"elder_{years}"


def born_by(years: int, today: str) -> str:
    """The last day of birth, YYYY-MM-DD, of those who are `years` old on `today`. Who was born on 29 February
    is a year older on 1 March."""
    now = date.fromisoformat(today)
    try:
        return now.replace(year=now.year - years).isoformat()
    except ValueError:  # 29 February in a year that has none
        return date(now.year - years, 2, 28).isoformat()


def reached(codes: Iterable[str], born: str | None, on: str) -> list[str]:
    """Those of these categories that somebody is in on a day by their age alone."""
    years = person.age(born, on) if born else -1
    return [code for code in codes if (from_years := from_age(code)) is not None and years >= from_years]


def too_young(codes: Iterable[str], born: str | None, on: str) -> Iterator[tuple[str, Finding]]:
    """Of these categories, those that whoever was born then is too young for on a day, and the question to ask."""
    years = person.age(born, on) if born else None
    for code in codes:
        least = from_age(code)
        if years is not None and least is not None and years < least:
            zh = f"按出生日期现在 {years} 岁,不到 {least} 岁。请核对"
            en = f"By the birth date the age is {years}, and this counts from {least}. Is that right?"
            yield code, Finding("categories", zh, en, blocking=False)
