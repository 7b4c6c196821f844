"""What is odd about a person, in words: what blocks, and what is only asked."""

from __future__ import annotations

from typing import Any

import pytest

from aidvisit.domain import id_number
from aidvisit.domain.person import Finding, checks, completed, is_phone

TODAY = "2024-06-30"
WOMAN = "11010519491231002X"  # the example in GB 11643: a woman, born on 1949-12-31
NOWHERE = "99999919491231002" + id_number.check_digit("99999919491231002")  # no such region
MAN_OF_1880 = "440524188001010014"


def found(**person: Any) -> list[tuple[str, bool]]:
    return [(one.field, one.blocking) for one in checks(person, TODAY)]


@pytest.mark.parametrize(
    "person",
    [
        {},
        {"id_number": None, "born": None, "sex": "", "phone": "", "guardian": None},
        {"id_number": WOMAN},
        {"id_number": "110105491231002"},
        {"id_number": WOMAN, "born": "1949-12-31", "sex": "F", "phone": "13800000000"},
        {"id_number": NOWHERE},
        {"born": TODAY},
        {"guardian": {"name": "外婆", "phone": "0758-8812345"}},
    ],
)
def test_nothing_is_odd(person: dict[str, Any]) -> None:
    assert found(**person) == []


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("1101051949123100", "16 个字符"),
        ("1101051949123100200", "19 个字符"),
        ("110105194912310O2X", "18 个字符"),  # the letter O
        ("110105194902300021", "不存在"),
        ("110105194912310021", "校验码"),
        ("110105490230002", "不存在"),
        ("不清楚", "3 个字符"),
        ("110105203512310020", "校验码"),
    ],
)
def test_a_number_that_cannot_be_right_blocks_and_says_why_and_what_to_do(number: str, says: str) -> None:
    (finding,) = checks({"id_number": number}, TODAY)
    assert (finding.field, finding.blocking) == ("id_number", True)
    assert says in finding.zh
    assert "备注" in finding.zh
    assert "note" in finding.en


def test_a_birth_date_still_to_come_blocks_wherever_it_stands() -> None:
    first = "11010520351231002"
    number = first + id_number.check_digit(first)
    assert found(id_number=number) == [("id_number", True)]
    assert found(born="2024-07-01") == [("born", True)]
    assert found(born="1949-02-30") == [("born", True)]


@pytest.mark.parametrize("number", ["E12345678", "H1234567800", "12345678", "g1234567"])
def test_another_document_is_asked_about_and_may_stay(number: str) -> None:
    assert found(id_number=number) == [("id_number", False)]


@pytest.mark.parametrize(
    ("person", "fields"),
    [
        ({"id_number": WOMAN, "sex": "M"}, ["sex"]),
        ({"id_number": WOMAN, "born": "1949-12-13"}, ["born"]),
        ({"id_number": WOMAN, "born": "1949-12-13", "sex": "M"}, ["sex", "born"]),
        ({"id_number": "110105491231002", "sex": "M"}, ["sex"]),
        ({"id_number": MAN_OF_1880}, ["id_number"]),
        ({"born": "1880-01-01"}, ["born"]),
        ({"phone": "1380000000"}, ["phone"]),
        ({"phone": "没有"}, ["phone"]),
        ({"phone": "13800000000、2812345x"}, ["phone"]),
        ({"guardian": {"name": "外婆", "phone": "138"}}, ["guardian.phone"]),
    ],
)
def test_what_may_be_so_is_a_question(person: dict[str, Any], fields: list[str]) -> None:
    assert found(**person) == [(field, False) for field in fields]


@pytest.mark.parametrize(
    "phone",
    ["13800000000", "138 0000 0000", "+8613800000000", "0758-8812345", "(020)87654321", "8812345", "+85291234567"],
)
def test_a_telephone_number(phone: str) -> None:
    assert is_phone(phone)
    assert found(phone=phone) == []


def test_what_a_right_number_says_fills_what_is_empty_and_nothing_else() -> None:
    assert completed({"id_number": WOMAN, "sex": "M"}) == {"id_number": WOMAN, "sex": "M", "born": "1949-12-31"}
    assert completed({"id_number": "E12345678"}) == {"id_number": "E12345678"}
    assert completed({}) == {}


def test_words_come_in_both_languages() -> None:
    assert Finding("born", "请核对", "Check it", blocking=False).words == "请核对 / Check it"
