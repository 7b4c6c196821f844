"""Names as people search for them: simplified, spelled in pinyin, and by initials."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidvisit.domain import han


@pytest.mark.parametrize(
    ("written", "plain"),
    [("陳國劉", "陈国刘"), ("吳昇峯", "吴升峰"), ("裡裏", "里里"), ("着喆", "着喆"), ("张 A1。", "张 A1。"), ("", "")],
)
def test_traditional_and_variant_characters_become_simplified(written: str, plain: str) -> None:
    assert han.simplified(written) == plain


def test_simplifying_goes_from_one_character_to_one_and_is_done_at_once() -> None:
    every = "".join(map(chr, range(0x110000)))
    once = han.simplified(every)
    assert len(once) == len(every)
    assert [once[i] for i, there in enumerate(han.simplified(once)) if there != once[i]] == []
    assert sum(here != there for here, there in zip(every, once, strict=True)) > 3_000


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("单雄信", "shan xiong xin"),
        ("仇英", "qiu ying"),
        ("区小明", "ou xiao ming"),
        ("曾国藩", "zeng guo fan"),
        ("解珍", "xie zhen"),
        ("查良镛", "zha liang yong"),
        ("尉迟恭", "yu chi gong"),
        ("欧阳修", "ou yang xiu"),
        ("歐陽修", "ou yang xiu"),
        ("万俟卨", "mo qi xie"),
        ("单于", "shan yu"),
        ("吕布", "lv bu"),
        ("王乾", "wang qian"),
        ("陈䶮", "chen yan"),
    ],
)
def test_the_likeliest_spelling_leads(name: str, spelled: str) -> None:
    assert " ".join(han.readings(name)[0]) == spelled


@pytest.mark.parametrize(("name", "also"), [("单雄信", "dan xiong xin"), ("吕布", "lu bu"), ("任华乐", "ren hua yue")])
def test_other_spellings_follow(name: str, also: str) -> None:
    assert also in {" ".join(spelling) for spelling in han.readings(name)}


def test_a_surname_is_read_so_only_where_it_stands_first() -> None:
    assert han.readings("王单")[0] == ("wang", "dan")


@pytest.mark.parametrize("name", ["", "Smith", "王", "单" * 40, "新兴镇中心小学", "A张·b三"])
def test_spellings_are_few_and_a_syllable_a_character(name: str) -> None:
    found = han.readings(name)
    assert len(found) == len(set(found)) <= 24
    assert {len(spelling) for spelling in found} <= {sum("一" <= c <= "鿿" for c in name)}
    assert all(syllable.isascii() and syllable.islower() for spelling in found for syllable in spelling)


@pytest.mark.parametrize(("name", "letters"), [("陈明山", ("cms",)), ("仇英", ("qy", "cy")), ("Smith", ())])
def test_initials(name: str, letters: tuple[str, ...]) -> None:
    spelled = ("".join(syllable[0] for syllable in spelling) for spelling in han.readings(name))
    assert tuple(dict.fromkeys(spelled)) == letters


@given(st.text(alphabet=st.sampled_from("单仇区曾解查尉迟欧阳吕長樂陳行重朴"), min_size=1, max_size=6))
def test_a_name_reads_the_same_in_both_scripts(name: str) -> None:
    assert han.readings(name) == han.readings(han.simplified(name))
