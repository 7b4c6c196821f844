"""A trip's list as it is printed, signed and typed in: the plan's order with running numbers, sheet by sheet."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries.progress import Stop, stops

SHEET_ROWS = 17
"""Households on one sheet of paper: A4 across leaves each of them 7 mm to sign in."""


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One household on the list. `number`: counted through the whole list; `sheet`: the paper that it stands on."""

    number: int
    stop: Stop

    @property
    def sheet(self) -> int:
        return (self.number - 1) // SHEET_ROWS + 1


def roster(conn: Connection, trip: str, scope: Scope = EVERYTHING) -> list[RosterRow]:
    """Whoever is allotted something, in visiting order; then those who got something without, so that a walk-in moves
    no number of a list that is printed already.
    """
    found = sorted(stops(conn, trip, scope), key=lambda stop: not stop.allotted)
    return [RosterRow(number, stop) for number, stop in enumerate(found, 1)]
