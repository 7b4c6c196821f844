"""Rules about people: how old, and how a telephone number is shown."""

from __future__ import annotations

from datetime import date


def age(born: str, on: str) -> int:
    """Whole years on a day, both YYYY-MM-DD; who was born on 29 February is a year older on 1 March.

    Raises: ValueError when one is no date.
    """
    birth, day = date.fromisoformat(born), date.fromisoformat(on)
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def mask_phone(phone: str) -> str:
    """`138****5678`: the first 3 and last 4 of a number; of a shorter one, the last 2 only."""
    length = len(phone)
    if length >= 11:
        return f"{phone[:3]}{'*' * (length - 7)}{phone[-4:]}"
    shown = phone[-2:] if length >= 7 else ""
    return "*" * (length - len(shown)) + shown
