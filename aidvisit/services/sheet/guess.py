"""What a column holds, by what stands in it: for columns whose heading nobody knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

SAMPLE_ROWS = 200
_MOST = 0.7
_ID_NUMBER = re.compile(r"\d{15}|\d{17}[\dXx]")
_PHONE = re.compile(r"1[3-9]\d{9}")
_GROUP = re.compile(r"[^\d]{0,6}(?:[一二三四五六七八九十\d]{1,3}[组队]|[\u4e00-\u9fff]{1,4}(?:组|队))")
_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")
SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘"
    "杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文欧莫植聂蒙温"
    "覃韦麦岑甘区植伍凌容冼关霍劳招司上诸尉"
)


@dataclass(frozen=True, slots=True)
class Hints:
    """What may stand in a list: names of `items`, words for `categories`, and short names of `villages`."""

    items: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    villages: frozenset[str] = field(default_factory=frozenset)


def guess(values: Sequence[str], hints: Hints) -> str | None:
    """The meaning that most of a column's texts (without spaces, none empty) have, or None."""
    tests: tuple[tuple[str, Callable[[str], object]], ...] = (
        ("id_number", is_id_number),
        ("phone", is_phone),
        ("categories", lambda text: all(word in hints.categories for word in words_of(text))),
        ("village", hints.villages.__contains__),
        ("group", _GROUP.fullmatch),
    )
    for meaning, fits in tests:
        if _most(map(fits, values), len(values)):
            return meaning
    different = len(set(values)) >= 0.8 * len(values)
    named = (text[0] in SURNAMES and _NAME.fullmatch(text) for text in values)
    return "name" if different and _most(named, len(values)) else None


def is_id_number(text: str) -> bool:
    return _ID_NUMBER.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    return _PHONE.fullmatch(text.replace("-", "")) is not None


def words_of(text: str) -> list[str]:
    """The words of a cell that names several: 残疾、低保户."""
    return [word for word in re.split(r"[、,;/+]", text) if word]


def _most(found: Iterable[object], count: int) -> bool:
    return count >= 3 and sum(map(bool, found)) >= _MOST * count
