"""Rules of a trip: who is visited next, and how far it came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Status = Literal["planned", "locked", "approved", "released", "closed"]

_STEPS: dict[str, Status] = {
    "trip.locked": "locked",
    "trip.approved": "approved",
    "trip.released": "released",
}


def visiting_order(stops: Iterable[tuple[str, str | None]]) -> list[str]:
    """Households as they are visited, each once.

    `stops`: (household, village group) in the order of the allotment. Groups come in the order in which they
    first appear, and within a group its households as they were listed.
    """
    groups: dict[str | None, dict[str, None]] = {}
    seen: set[str] = set()
    for household, group in stops:
        if household not in seen:
            seen.add(household)
            groups.setdefault(group, {})[household] = None
    return [household for households in groups.values() for household in households]


def status(kinds: Iterable[str]) -> Status:
    """How far a trip came, from the kinds of its facts in order.

    Closing and reopening undo each other, the later one counts; the steps before it are never undone.
    """
    closed = False
    reached: set[Status] = set()
    for kind in kinds:
        if kind in ("trip.closed", "trip.reopened"):
            closed = kind == "trip.closed"
        elif kind in _STEPS:
            reached.add(_STEPS[kind])
    if closed:
        return "closed"
    return next((step for step in ("released", "approved", "locked") if step in reached), "planned")
