"""Identity numbers, ages, and what of them is shown."""

from __future__ import annotations

import pytest

from aidvisit.domain import id_number, text
from aidvisit.domain.id_number import Flaw, IdNumber
from aidvisit.domain.person import age, mask_phone


@pytest.mark.parametrize(
    ("number", "born", "sex"),
    [
        ("11010519491231002X", "1949-12-31", "F"),  # the example in the standard itself
        ("11010519491231002x", "1949-12-31", "F"),
        ("440524188001010014", "1880-01-01", "M"),  # likewise
        ("110105491231002", "1949-12-31", "F"),
    ],
)
def test_what_a_number_says(number: str, born: str, sex: str) -> None:
    found = id_number.read(f" {number} ")
    assert isinstance(found, IdNumber)
    assert (found.number, found.born, found.sex) == (number.upper(), born, sex)


@pytest.mark.parametrize(
    ("number", "flaw"),
    [
        ("", Flaw.SHAPE),
        ("1101051949123100", Flaw.SHAPE),
        ("1101051949123100XX", Flaw.SHAPE),
        ("１１010519491231002X", Flaw.SHAPE),
        ("110105194902300021", Flaw.BIRTH_DATE),
        ("110105000012310021", Flaw.BIRTH_DATE),
        ("110105490230002", Flaw.BIRTH_DATE),
        ("110105194912310021", Flaw.CHECK_DIGIT),
    ],
)
def test_why_a_number_cannot_be_right(number: str, flaw: Flaw) -> None:
    assert id_number.read(number) is flaw


def test_an_old_number_and_the_one_that_replaced_it() -> None:
    assert id_number.modern("110105491231002") == "11010519491231002X"
    assert id_number.modern("11010519491231002x") == "11010519491231002X"
    assert id_number.modern("unknown") == "UNKNOWN"


@pytest.mark.parametrize(
    ("number", "shown", "last4"),
    [
        ("441225194912311234", "4412**********1234", "1234"),
        ("441225491231123", "4412*******1123", "1123"),
        ("12345678", "********", ""),
        ("", "", ""),
    ],
)
def test_masked_number(number: str, shown: str, last4: str) -> None:
    assert id_number.mask(number) == shown
    assert id_number.last4(number) == last4


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13812345678", "138****5678"),
        ("0758-1234567", "075*****4567"),
        ("1234567", "*****67"),
        ("110", "***"),
        ("", ""),
    ],
)
def test_masked_phone(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        ("1940-12-31", "2020-12-30", 79),
        ("1940-12-30", "2020-12-30", 80),
        ("2012-02-29", "2013-02-28", 0),
        ("2012-02-29", "2013-03-01", 1),
    ],
)
def test_age(born: str, on: str, years: int) -> None:
    assert age(born, on) == years


def test_tidy_text() -> None:
    assert text.tidy(" e\u0301\u3000\n") == "é"
    assert text.tidied({" k ": [" a ", {"b": " c"}, 1, None, True]}) == {" k ": ["a", {"b": "c"}, 1, None, True]}
