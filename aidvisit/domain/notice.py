"""Names as a notice in a village shows them (公示): a minor's by the surname alone."""

from __future__ import annotations

from datetime import date

from aidvisit.domain import han, person

OF_AGE = 18
"""Years. Source: 中华人民共和国未成年人保护法, article 2."""


def is_minor(born: str | None, number: str | None, on: str) -> bool:
    """Whether somebody is under 18 on a day, by the birth date, else by digits 7 to 14 of the ID number (GB 11643)."""
    if born is None and number is not None and len(number) == 18:
        born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    if born is None:
        return False
    try:
        date.fromisoformat(born)
    except ValueError:
        return False
    return person.age(born, on) < OF_AGE


def minor(name: str) -> str:
    """`陈某` for 陈小雨, `欧阳某` for 欧阳小雨."""
    return f"{han.surname(name)}某"
