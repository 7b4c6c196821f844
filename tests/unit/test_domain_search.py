"""What a household is found by, and what a query may mean: whatever is typed of a household finds it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidvisit.domain import han, search

HOME = {
    "name": "单雄信",
    "head_name": "单雄信",
    "head_phone": "138 5823 4567",
    "head_id_number": "11010519491231002X",
    "division": "441225109003",
    "village_group": "上屯3组",
}
MEMBERS: list[dict[str, Any]] = [
    {"name": "呂布", "phone": "0758-6661234", "categories": [{"code": "elder"}]},
    {"name": "Anna Smith", "id_number": "E12345678", "guardian": {"name": "欧阳小乐", "phone": "13900001111"}},
]
VILLAGES = {"民强村": "441225109003", "远处村": "441226001001"}


def places(part: str) -> list[str]:
    return [code for name, code in VILLAGES.items() if part in name]


def found(query: str, home: dict[str, Any] = HOME, members: list[dict[str, Any]] = MEMBERS, level: int = -1) -> bool:
    tokens = search.tokens(home, ["dibao"], members)
    texts = search.texts(home, members)
    return all(
        search.holds(term.levels[level], tokens) and (not term.check or search.meets(term, home["division"], texts))
        for term in search.terms(query, places)
    )


@pytest.mark.parametrize(
    "query",
    [
        "单", "單", "雄信", "单雄信", "呂", "吕布", "阳小", "歐陽小樂", "Smith", "ANNA", "smi",
        "s", "sh", "shan", "shanx", "shanxiong", "shanxiongxin", "sxx", "sx", "shanxx", "shxx", "sxiongx", "dan", "dxx",
        "lvb", "lvbu", "lubu", "lyubu", "lb", "oyxl", "ouyangxl", "ouyangxiaol", "oyxy", "单xx", "单雄x", "ＳＸＸ",
        "138", "1385", "13858234567", "138 5823", "4567", "234567", "6661234", "1234", "13900001111",
        "11010519491231002X", "11010519491231002x", "002x", "002X", "E12345678", "5678",
        "3组", "上屯", "上屯3组", "民强", "民强村", "单 民强", "sxx 3组 4567", "单·雄信",
    ],
)  # fmt: skip
def test_is_found_by(query: str) -> None:
    assert found(query)


@pytest.mark.parametrize(
    "query",
    [
        "单信", "信雄", "王", "xx单", "shang", "danx3", "sxz", "bu", "138582345678", "13858234568", "9999", "46", "002",
        "11010519491231003X", "民强 王", "远处", "上屯4组", "E12345679", "单雄信雄", "上屯3组单",
    ],
)  # fmt: skip
def test_is_not_found_by(query: str) -> None:
    assert not found(query)


@pytest.mark.parametrize("query", ["", " ", "%", "_ '", "()·*", "\0"])
def test_signs_are_no_words(query: str) -> None:
    assert search.terms(query, places) == []


@pytest.mark.parametrize(
    ("query", "level"),
    [
        ("单雄信", 0), ("sxx", 0), ("shanxiongxin", 0), ("danxx", 0), ("单雄", 1), ("shanx", 1), ("sxiongx", 1),
        ("雄", 2), ("吕布", 2), ("lvbu", 2), ("lbu", 2),
    ],
)  # fmt: skip
def test_the_best_is_told_from_the_rest(query: str, level: int) -> None:
    assert [found(query, level=at) for at in range(4)] == [at >= level for at in range(4)]


def test_a_mix_that_reads_as_pinyin_of_others_comes_after_them() -> None:
    home = {**HOME, "name": "李欧", "head_name": "李欧"}
    assert [found("lou", home, [], level) for level in range(4)] == [False, False, False, True]


@pytest.mark.parametrize(
    ("query", "name", "fits"),
    [
        ("雄", "单雄信", True),
        ("sxx", "单雄信", True),
        ("shanx", "單雄信", True),
        ("x", "单雄信", False),
        ("1", "单", False),
    ],
)
def test_whose_name_it_is(query: str, name: str, fits: bool) -> None:
    (term,) = search.terms(query, places)
    assert search.fits(term, name) is fits


def test_a_word_that_is_no_division_s_does_not_depend_on_one() -> None:
    assert [term.places for term in search.terms("民强 强 远处村", places)] == [
        ("441225109003",),
        (),
        ("441226001001",),
    ]


def test_categories_of_members_and_every_division_above_are_tokens() -> None:
    tokens = search.tokens(HOME, ["dibao"], MEMBERS)
    assert {search.category("dibao"), search.category("elder")} <= tokens
    assert {search.division(code) for code in ("44", "4412", "441225", "441225109", "441225109003")} <= tokens
    assert search.division("4412251090") == search.division("441225109")


NAMES = st.text(alphabet=st.sampled_from("王李单仇区曾吕欧阳明山乐長行陳國小华"), min_size=1, max_size=5)


@given(NAMES, st.data())
def test_any_part_of_a_name_in_either_script_finds_it(name: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(name) - 1))
    part = name[start : data.draw(st.integers(start + 1, len(name)))]
    for query in (part, han.simplified(part)):
        assert found(query, {**HOME, "name": name, "head_name": name}, [])


@given(NAMES, st.data())
def test_any_mix_of_syllables_and_initials_finds_it_while_it_is_typed(name: str, data: st.DataObject) -> None:
    spelling = data.draw(st.sampled_from(han.readings(name)))
    mixed = "".join(data.draw(st.sampled_from([syllable, syllable[0]])) for syllable in spelling)
    typed = mixed[: data.draw(st.integers(1, len(mixed)))]
    assert found(typed, {**HOME, "name": name, "head_name": name}, []), (spelling, typed)


@given(st.text(max_size=60))
def test_whatever_is_typed_has_a_meaning_and_tokens_are_letters_and_digits(query: str) -> None:
    for term in search.terms(query, places):
        for expression in term.levels:
            search.holds(expression, set())
        assert term.text.isalnum()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("e王", True),
        (search.every("e王", "e明"), False),
        (search.every("a王", "a明", "d44"), False),
        (search.every("a王", "a王明"), True),
        (search.every("a王明", "awm"), True),
        (search.every("w王", "w明"), True),
        (search.every(search.some("e王", "d44"), "e明"), True),
    ],
)
def test_one_name_begins_in_one_way(expression: search.Expression, expected: bool) -> None:
    assert search.possible(expression) is expected
