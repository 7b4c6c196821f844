"""Administrative divisions: what a code says by itself, and the names of the whole country down to the county.

Source: the statistics bureau's codes of 2023, which keep to GB/T 2260 down to the county (docs/dependencies.md);
docs/adr/0011-counties-ship.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

LEVELS = {2: "province", 4: "city", 6: "county", 9: "town", 12: "village"}
"""Digits of a code → what it is the code of."""
DIGITS = tuple(LEVELS)
COUNTY = 6
TOWN = 9


def is_code(text: str) -> bool:
    """Whether a text can be a division's code at all."""
    return len(text) in LEVELS and text.isascii() and text.isdecimal()


def parent(code: str) -> str | None:
    """The code of the division that this one lies in; None of a province. A code says it by itself."""
    place = DIGITS.index(len(code))
    return code[: DIGITS[place - 1]] if place else None


def line(code: str) -> list[str]:
    """A code and those of all that it lies in, the province first."""
    return [code[:digits] for digits in DIGITS if digits <= len(code)]


def below(code: str) -> int | None:
    """How many digits the divisions directly below this one have; None of a village. "" stands for the country."""
    return next((digits for digits in DIGITS if digits > len(code)), None)


@cache
def built_in() -> Mapping[str, str]:
    """Names of all provinces, cities and counties by code, in the order of their codes: both ends know them."""
    text = files("aidvisit").joinpath("data", "counties.csv").read_text(encoding="utf-8")
    return MappingProxyType(dict(row.split(",") for row in text.splitlines()[1:]))


def village(name: str) -> str:
    """`民强村` for 民强村民委员会: the division's official name is its committee's."""
    return name.replace("村民委员会", "村").replace("社区居民委员会", "社区")
