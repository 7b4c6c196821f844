"""Which village a text means: 大玉口镇民强村困难家庭慰问物资… → 民强村民委员会 of 大玉口镇."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping

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


def find_towns(text: str, divisions: Mapping[str, str], digits: int = 9) -> list[str]:
    """The codes of so many digits whose name stands in the text."""
    return sorted(code for code, name in divisions.items() if len(code) == digits and name in text)


class Places:
    """The villages under `base`, found by what rows call them; `aliases`: (town, natural village) → village."""

    def __init__(self, divisions: Mapping[str, str], base: str, aliases: Mapping[tuple[str, str], str]) -> None:
        self.base, self.aliases, self.divisions = base, aliases, divisions
        self._under = {code: name for code, name in divisions.items() if code.startswith(base[:9])}
        self._exact: dict[str, list[str]] = {}
        for code, name in self._under.items():
            if len(code) == 12:
                for word in {name, short_name(name), short_name(name).removesuffix("村").removesuffix("社区")}:
                    self._exact.setdefault(word, []).append(code)
        self._found: dict[tuple[str, str], list[str]] = {}

    def villages(self, text: str, town: str = "") -> list[str]:
        """The codes that a row's village may mean, one when it is clear."""
        key = (text, town)
        if key not in self._found:
            self._found[key] = self._search(text, town)
        return self._found[key]

    def is_alias(self, text: str) -> bool:
        """Whether it is a natural village, and no division."""
        return any(name == text for _, name in self.aliases)

    def _search(self, text: str, town: str) -> list[str]:
        towns = find_towns(town, self._under) if town else []
        alias = {
            code
            for (of, name), code in self.aliases.items()
            if name == text and of.startswith(self.base[:9]) and (not towns or of in towns)
        }
        if alias:
            return sorted(alias)
        found = self._exact.get(text) or find_villages(text, self._under)
        return [code for code in found if not towns or code[:9] in towns]


def base_of(texts: Collection[str], divisions: Mapping[str, str]) -> list[str]:
    """The towns to which most of the villages belong that a list names; several when it cannot be told."""
    exact: dict[str, set[str]] = {}
    for code, name in divisions.items():
        if len(code) == 12:
            exact.setdefault(short_name(name), set()).add(code[:9])
    votes = Counter(town for text in set(texts) for town in exact.get(text, ()))
    most = max(votes.values(), default=0)
    return sorted(town for town, count in votes.items() if count == most)
