"""Which deliveries count, and what they move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aidvisit.domain import place
from aidvisit.domain.balance import Movement
from sync.merge import Order


@dataclass(frozen=True, slots=True)
class Recorded:
    """A delivery as far as it decides what counts. `voided`: somebody voided it, before or after."""

    id: str
    order: Order
    replaces: str | None = None
    voided: bool = False


def replaced(deliveries: Iterable[Recorded]) -> set[str]:
    """Those that another names as replaced: for good, also when that one was voided. None replaces itself."""
    return {one.replaces for one in deliveries if one.replaces is not None and one.replaces != one.id}


def counting(deliveries: Iterable[Recorded]) -> dict[str, bool]:
    """Of all deliveries to one household, by id: whether it counts.

    Deliveries joined by `replaces` are one, of which one counts: not voided, not replaced, greatest in order.
    Two corrections of the same delivery are joined by it, whether it is held here or not.
    Source: docs/protocol.md section 5, "Void and replace".
    """
    known = {one.id: one for one in deliveries}
    gone = replaced(known.values())
    component = _components(known)
    best: dict[str, Recorded] = {}
    for one in known.values():
        if one.voided or one.id in gone:
            continue
        rival = best.get(component[one.id])
        if rival is None or one.order > rival.order:
            best[component[one.id]] = one
    counts = {one.id for one in best.values()}
    return {identity: identity in counts for identity in known}


def _components(known: Mapping[str, Recorded]) -> dict[str, str]:
    """By id, one name for all that `replaces` joins (union-find)."""
    parent: dict[str, str] = {}

    def root(identity: str) -> str:
        while (above := parent.setdefault(identity, identity)) != identity:
            identity = above
        return identity

    for one in known.values():
        parent[root(one.id)] = root(one.replaces or one.id)
    return {identity: root(identity) for identity in known}


def source(body: Mapping[str, Any]) -> str | None:
    """The place that a delivery's goods come from: its `from`, else its trip's truck."""
    if body.get("from"):
        return str(body["from"])
    return place.truck(body["trip"]) if body.get("trip") else None


def movements(body: Mapping[str, Any]) -> list[Movement]:
    """What a `delivery.recorded` that counts moves to its household; nothing when no place is known."""
    origin, target = source(body), place.household(body["household"])
    if origin is None:
        return []
    return [Movement(origin, target, line["item"], line["quantity"]) for line in body["lines"]]
