"""Double entry for one truck: every unit that was on it has gone somewhere or is on it still."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aidvisit.domain import place


@dataclass(frozen=True, slots=True)
class Movement:
    """`quantity` units of an item from one place to another (`warehouse:main`, `truck:<trip>` …)."""

    source: str
    target: str
    item: str
    quantity: int


@dataclass(slots=True)
class Balance:
    """One item on one trip, in units of the item. What comes back the way it went counts down again."""

    loaded: int = 0
    gained: int = 0
    delivered: int = 0
    returned: int = 0
    lost: int = 0
    held: int = 0

    @property
    def on_truck(self) -> int:
        """What must still be there: less than 0 when more left the truck than was ever on it."""
        return self.loaded + self.gained - self.delivered - self.returned - self.lost - self.held

    def difference(self, counted: int = 0) -> int:
        """What nobody can account for, when `counted` units were found: more than 0 is missing, less is too many."""
        return self.on_truck - counted


def unexplained(difference: int, explained: int) -> int:
    """Of a difference, what reasons given for so much of it leave open. Those for the other direction cover nothing."""
    if difference * explained <= 0:
        return difference
    return max(difference - explained, 0) if difference > 0 else min(difference - explained, 0)


def balance(trip: str, movements: Iterable[Movement]) -> dict[str, Balance]:
    """Sum what went on and off a trip's truck, by item.

    Goods from another truck are loaded and goods to another truck are returned. Movements between places that
    are not this truck do not count here.
    """
    truck = place.truck(trip)
    found: dict[str, Balance] = {}
    for movement in movements:
        if movement.target == truck and movement.source != truck:
            _on(found.setdefault(movement.item, Balance()), movement.source, movement.quantity)
        elif movement.source == truck and movement.target != truck:
            _off(found.setdefault(movement.item, Balance()), movement.target, movement.quantity)
    return found


def _on(line: Balance, source: str, quantity: int) -> None:
    match _kind(source):
        case "gain":
            line.gained += quantity
        case "household":
            line.delivered -= quantity
        case "loss":
            line.lost -= quantity
        case _:
            line.loaded += quantity


def _off(line: Balance, target: str, quantity: int) -> None:
    match _kind(target):
        case "household":
            line.delivered += quantity
        case "loss":
            line.lost += quantity
        case "held":
            line.held += quantity
        case "gain":
            line.gained -= quantity
        case _:
            line.returned += quantity


def _kind(text: str) -> str | None:
    found = place.parse(text)
    return found.kind if found else None
