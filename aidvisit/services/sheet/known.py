"""What is on record already, as an import compares a list with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class KnownMember:
    """`categories` as the facts have them; `guardian`: name and phone, as far as known."""

    id: str
    name: str
    relation: str = ""
    id_number: str = ""
    born: str = ""
    sex: str = ""
    phone: str = ""
    guardian: Mapping[str, str] = field(default_factory=dict)
    categories: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class KnownHousehold:
    """`into`: of a merged one, the household that it stands for. `closed`: the reason.
    `disputed`: path → the values that conflicting edits gave it."""

    id: str
    name: str
    id_number: str
    division: str
    group: str
    size: int | None
    phone: str
    address: str
    note: str
    categories: frozenset[str]
    members: tuple[KnownMember, ...] = ()
    into: str = ""
    closed: str = ""
    disputed: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownItem:
    code: str
    name: str
    unit: str
    spec: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record already. `categories`: every word for one (name or synonym, without spaces) → code;
    `divisions`: code → name; `aliases`: (town, natural village) → village; `of_households`: codes of categories
    that a household has, and not one person of it; `said`: row (`rows.fingerprint`) → the household that somebody said
    it is."""

    households: Sequence[KnownHousehold]
    categories: Mapping[str, str]
    items: Sequence[KnownItem]
    divisions: Mapping[str, str]
    aliases: Mapping[tuple[str, str], str] = field(default_factory=dict)
    of_households: frozenset[str] = frozenset()
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Category:
    code: str
    grade: str = ""

    def body(self) -> dict[str, str]:
        return {"code": self.code} | ({"grade": self.grade} if self.grade else {})
