"""Which village a text means: 大玉口镇民强村困难家庭慰问物资… → 民强村民委员会 of 大玉口镇."""

from __future__ import annotations

import re
from collections.abc import Mapping

_VILLAGE = re.compile(r"(村|社区)?(村民|居民|民)委员会$|村委会$")


def short_name(name: str) -> str:
    """What people say: 民强村民委员会 → 民强村, 大玉口社区居民委员会 → 大玉口社区."""
    if name.endswith("村民委员会"):
        return name.removesuffix("民委员会")
    return _VILLAGE.sub(lambda match: match[1] or "", name) or name


def find_villages(text: str, divisions: Mapping[str, str], within: str = "") -> list[str]:
    """The 12-digit codes under `within` whose name stands in the text; the longest names only.

    Where a village of that name is in several towns, one whose town stands in the text as well goes before.
    `divisions`: code → full name. An empty list: none of them is meant.
    """
    found = {
        code: len(short_name(name))
        for code, name in divisions.items()
        if len(code) == 12 and code.startswith(within) and short_name(name) in text
    }
    longest = max(found.values(), default=0)
    codes = sorted(code for code, length in found.items() if length == longest)
    with_town = [code for code in codes if divisions.get(code[:9], "\0") in text]
    return with_town or codes


def find_towns(text: str, divisions: Mapping[str, str]) -> list[str]:
    """The 9-digit codes whose name stands in the text."""
    return sorted(code for code, name in divisions.items() if len(code) == 9 and name in text)
