"""Where goods stand: `warehouse:<code>` … `household:<id>`. Goods are never made or lost, only moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

from sync.op import is_uuid

PlaceKind = Literal["warehouse", "fund", "donor", "held", "truck", "gain", "loss", "household"]

NAMED_BY_CODE = frozenset({"warehouse", "fund", "donor", "held"})
CODE_LENGTH = 100
LONGEST = CODE_LENGTH + len("warehouse:")


@dataclass(frozen=True, slots=True)
class Place:
    """`key` is the code of a defined place, or the id of a trip or household."""

    kind: PlaceKind
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


def parse(text: str) -> Place | None:
    """Read a place reference; None when it is none."""
    kind, _, key = text.partition(":")
    if kind in NAMED_BY_CODE:
        fits = 0 < len(key) <= CODE_LENGTH and key == key.strip()
    else:
        fits = kind in get_args(PlaceKind) and is_uuid(key)
    return Place(cast(PlaceKind, kind), key) if fits else None


def truck(trip: str) -> str:
    return f"truck:{trip}"


def gain(trip: str) -> str:
    """Where goods come from that nobody can explain (盘盈)."""
    return f"gain:{trip}"


def loss(trip: str) -> str:
    """Where goods go that are lost or broken (报损, 盘亏)."""
    return f"loss:{trip}"


def household(identity: str) -> str:
    return f"household:{identity}"
