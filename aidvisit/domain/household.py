"""Aliases: a household that was merged into another (docs/protocol.md section 5, "Aliases")."""

from __future__ import annotations

from collections.abc import Mapping


def resolve(household: str, into: Mapping[str, str]) -> str:
    """The household that stands for this one: the end of its chain, or the least UUID of the circle it runs into."""
    path: list[str] = []
    while household in into and household not in path:
        path.append(household)
        household = into[household]
    return min(path[path.index(household) :]) if household in path else household
