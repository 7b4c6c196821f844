"""Chinese characters as people search for them: written in either script, or spelled in pinyin.

Sources of the two tables: docs/dependencies.md. They are read when somebody first asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import islice, product
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).resolve().parents[1] / "data"
_MOST: Final = 24
"""Spellings of one name."""

_SURNAMES: Final = {
    "卜": "bu", "种": "chong", "褚": "chu", "盖": "ge", "句": "gou", "黑": "he", "纪": "ji", "隗": "kui", "乐": "yue",
    "缪": "miao", "牟": "mou", "那": "na", "宁": "ning", "区": "ou", "逄": "pang", "朴": "piao", "繁": "po",
    "覃": "qin", "仇": "qiu", "曲": "qu", "任": "ren", "撒": "sa", "单": "shan", "召": "shao", "折": "she",
    "谌": "chen", "冼": "xian", "洗": "xian", "解": "xie", "燕": "yan", "员": "yun", "载": "zai", "曾": "zeng",
    "查": "zha", "翟": "zhai", "祭": "zhai", "长": "zhang", "重": "chong", "万": "wan", "哈": "ha", "车": "che",
}  # fmt: skip
_DOUBLE_SURNAMES: Final = {
    "尉迟": ("yu", "chi"), "万俟": ("mo", "qi"), "单于": ("chan", "yu"), "长孙": ("zhang", "sun"),
    "令狐": ("ling", "hu"), "澹台": ("tan", "tai"), "宇文": ("yu", "wen"), "欧阳": ("ou", "yang"),
    "呼延": ("hu", "yan"), "鲜于": ("xian", "yu"), "乐正": ("yue", "zheng"),
}  # fmt: skip
"""Read otherwise than in other words, or where a character alone would be."""
_COMPOUND_SURNAMES: Final = {
    *_DOUBLE_SURNAMES,
    "上官", "司马", "司徒", "司空", "诸葛", "夏侯", "皇甫", "慕容", "东方", "公孙", "轩辕", "端木", "百里", "南宫",
    "西门", "东郭", "闻人", "赫连", "公羊", "濮阳", "淳于", "太叔", "申屠", "仲孙", "钟离", "闾丘", "子车", "颛孙",
    "拓跋", "夹谷", "宰父", "谷梁", "段干", "公冶", "宗政", "巫马", "公西", "漆雕", "壤驷", "公良", "亓官", "梁丘",
    "左丘", "东门", "南门", "羊舌", "微生", "独孤", "纳兰", "完颜", "耶律", "第五", "爱新觉罗",
}  # fmt: skip
"""Those of more than one character. Source: 百家姓, and surnames of other peoples that are met today."""

Spelling = tuple[str, ...]
"""A syllable a character, in plain letters: (`shan`, `xiao`, `ming`)."""


def simplified(text: str) -> str:
    """The same text in simplified characters, one for one: traditional ones, and their forms in other places.

    What two characters became (乾 and 幹: 干) is one after it: right for finding, wrong for showing.
    """
    return text.translate(_simple())


def readings(name: str) -> tuple[Spelling, ...]:
    """Every spelling of a personal name, the likeliest first; () when it has no Chinese character.

    Surnames are read as surnames, and the ordinary way too: 单 is shan, then dan. ü is spelled v, and u as well.
    What is no Chinese character is left out.
    """
    found = _syllables(name)
    if not found:
        return ()
    number = 1
    for each in found:
        number *= len(each)
    if number <= _MOST:
        spellings = sorted(product(*(range(len(each)) for each in found)), key=sum)
        return tuple(tuple(each[i] for each, i in zip(found, at, strict=True)) for at in spellings)
    return tuple(islice(_one_other(found), _MOST))


@cache
def syllables() -> tuple[frozenset[str], frozenset[str]]:
    """All syllables that a character is read as, and all their beginnings."""
    whole = frozenset(spelled for each in _readings().values() for one in each for spelled in _without_umlaut(one))
    return whole, frozenset(syllable[:length] for syllable in whole for length in range(1, len(syllable) + 1))


def _one_other(found: Sequence[Sequence[str]]) -> list[Spelling]:
    """The usual spelling, and those that differ from it in one place."""
    usual = tuple(each[0] for each in found)
    return [usual] + [(*usual[:i], other, *usual[i + 1 :]) for i, each in enumerate(found) for other in each[1:]]


def _syllables(name: str) -> list[list[str]]:
    """By character, its readings, the likeliest first."""
    known = _readings()
    plain = simplified(name)
    kept = [(own, plain) for own, plain in zip(name, plain, strict=True) if own in known or plain in known]
    found = [list(known.get(own) or known[plain]) for own, plain in kept]
    text = "".join(plain for _, plain in kept)
    for i, syllable in enumerate(_surname(text)):
        found[i] = list(dict.fromkeys([syllable, *found[i]]))
    return [[spelled for syllable in each for spelled in _without_umlaut(syllable)] for each in found]


def surname(name: str) -> str:
    """What a name begins with that is its surname: 欧阳 of 欧阳小雨, as it was written; the first character else."""
    plain = simplified(name)
    for length in (4, 2):
        if len(name) > length and plain[:length] in _COMPOUND_SURNAMES:
            return name[:length]
    return name[:1]


def _surname(name: str) -> Spelling:
    """How the characters are read that a name begins with, where it matters that they are a surname."""
    if len(name) > 2 and name[:2] in _DOUBLE_SURNAMES:
        return _DOUBLE_SURNAMES[name[:2]]
    return (_SURNAMES[name[0]],) if name[:1] in _SURNAMES else ()


def _without_umlaut(syllable: str) -> tuple[str, ...]:
    return (syllable, syllable.replace("v", "u")) if "v" in syllable else (syllable,)


@cache
def _simple() -> dict[int, str]:
    return {ord(line[0]): line[1] for line in _lines("han_simplified.txt")}


@cache
def _readings() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in _lines("han_readings.txt"):
        *spelled, characters = line.split(" ")
        found.update(dict.fromkeys(characters, tuple(spelled)))
    return found


def _lines(name: str) -> list[str]:
    """Without the first, which names the source."""
    return (_DATA / name).read_text(encoding="utf-8").split("\n")[1:-1]
