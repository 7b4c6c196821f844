"""Citizen identity numbers: what they say, whether they can be right, and how they are shown.

Source: GB 11643-1999 (18 characters, check character by ISO 7064 MOD 11-2); the older 15 digits have no check
digit and two digits of the year.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import mul
from typing import Literal

Sex = Literal["M", "F"]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_NEW = re.compile(r"[0-9]{17}[0-9X]")
_OLD = re.compile(r"[0-9]{15}")
_MEANT = 13
"""Digits from which on a text is meant to be a citizen's number: a passport or a travel permit has fewer."""
_OTHER = re.compile(r"[0-9A-Z][0-9A-Z()./-]{3,29}")


class Flaw(StrEnum):
    """Why a number cannot be right."""

    SHAPE = "shape"
    BIRTH_DATE = "birth-date"
    CHECK_DIGIT = "check-digit"


@dataclass(frozen=True, slots=True)
class IdNumber:
    """`number` as written, in upper case. `county`: 6 digits, where it was issued first. `born`: YYYY-MM-DD."""

    number: str
    county: str
    born: str
    sex: Sex


def check_digit(first_17: str) -> str:
    """The last character of an 18-character number."""
    total = sum(map(mul, _WEIGHTS, map(int, first_17)))
    return _CHECKS[total % 11]


def read(text: str) -> IdNumber | Flaw:
    """What a number says, or its first flaw. A lower-case x at the end is taken as X."""
    number = text.strip().upper()
    if _OLD.fullmatch(number):
        year, month_day, order = "19" + number[6:8], number[8:12], number[14]
    elif _NEW.fullmatch(number):
        year, month_day, order = number[6:10], number[10:14], number[16]
    else:
        return Flaw.SHAPE
    born = f"{year}-{month_day[:2]}-{month_day[2:]}"
    try:
        date.fromisoformat(born)
    except ValueError:
        return Flaw.BIRTH_DATE
    if len(number) == 18 and check_digit(number[:17]) != number[17]:
        return Flaw.CHECK_DIGIT
    return IdNumber(number, number[:6], born, "M" if int(order) % 2 else "F")


def is_other(text: str) -> bool:
    """Whether it can be the number of another document: a passport, a travel permit, a foreigner's residence card."""
    number = text.strip().upper()
    return bool(_OTHER.fullmatch(number)) and sum(map(str.isdigit, number)) < _MEANT


def modern(number: str) -> str:
    """A right 15-digit number as the 18 characters that replaced it; any other text as it is."""
    found = read(number)
    if isinstance(found, Flaw) or len(found.number) == 18:
        return number.strip().upper()
    longer = f"{found.number[:6]}19{found.number[6:]}"
    return longer + check_digit(longer)


def mask(number: str) -> str:
    """`4412**********1234`: the first and last 4 of a number, and nothing of a text too short to be one."""
    if len(number) < 15:
        return "*" * len(number)
    return f"{number[:4]}{'*' * (len(number) - 8)}{number[-4:]}"


def last4(number: str) -> str:
    """The part that is spoken aloud to tell two people apart."""
    return number[-4:] if len(number) >= 15 else ""
