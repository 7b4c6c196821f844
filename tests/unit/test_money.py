"""Amounts in yuan and in capital figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from aidvisit.domain import money

DIGITS = {digit: number for number, digit in enumerate("零壹贰叁肆伍陆柒捌玖")}
PLACES = {"拾": 10, "佰": 100, "仟": 1000}


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        # The examples of the rules on payment (银发〔1997〕393 号, annex 1), as they have them first.
        (140950, "壹仟肆佰零玖元伍角整"),
        (600714, "陆仟零柒元壹角肆分"),
        (168032, "壹仟陆佰捌拾元零叁角贰分"),
        (10700053, "壹拾万柒仟元零伍角叁分"),
        (1640902, "壹万陆仟肆佰零玖元零贰分"),
        (32504, "叁佰贰拾伍元零肆分"),
        (0, "零元整"),
        (5, "伍分"),
        (10, "壹角整"),
        (30000, "叁佰元整"),
        (100700, "壹仟零柒元整"),
        (10_0001_0000, "壹仟万零壹佰元整"),
        (1_0000_1234_00, "壹亿零壹仟贰佰叁拾肆元整"),
    ],
)
def test_capital_figures_are_as_banks_write_them(fen: int, said: str) -> None:
    assert money.capitals(fen) == said


@given(some.integers(0, 10**14 - 1))
def test_capital_figures_say_the_amount(fen: int) -> None:
    said = money.capitals(fen)
    assert "零零" not in said
    assert _read(said) == fen


def _read(said: str) -> int:
    """Capital figures read by another way than they are written."""
    whole, _, rest = said.rpartition("元") if "元" in said else ("", "", said)
    total = group = digit = 0
    for sign in whole:
        if sign in DIGITS:
            digit = DIGITS[sign]
        elif sign in PLACES:
            group, digit = group + digit * PLACES[sign], 0
        elif sign == "万":
            total, group, digit = total + (group + digit) * 10_000, 0, 0
        else:
            assert sign == "亿"
            total, group, digit = (total + group + digit) * 10**8, 0, 0
    cents = 0
    for sign, worth in (("角", 10), ("分", 1)):
        if sign in rest:
            cents += DIGITS[rest[rest.index(sign) - 1]] * worth
    return (total + group + digit) * 100 + cents


@pytest.mark.parametrize("fen", [-1, 10**14])
def test_what_nobody_pays_has_no_figures(fen: int) -> None:
    with pytest.raises(ValueError, match="fen"):
        money.capitals(fen)


@given(some.integers(0, 10**14))
def test_an_amount_is_read_as_it_is_shown(fen: int) -> None:
    assert money.fen(money.yuan(fen)) == fen


@pytest.mark.parametrize(("text", "fen"), [("300", 30000), ("59.9", 5990), (" 1,200.00 ", 120000), ("0.05", 5)])
def test_amounts_as_people_type_them(text: str, fen: int) -> None:
    assert money.fen(text) == fen


@pytest.mark.parametrize("text", ["", "-1", "1.234", "三百", "1e3", "9" * 15])
def test_what_is_no_amount(text: str) -> None:
    assert money.fen(text) is None
