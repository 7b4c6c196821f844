"""Overlaps of allotments: a household's item belongs to one trip on its days (docs/facts.md, `allocation.set`)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from aidvisit.store.queries.alias import Aliases
from aidvisit.store.tables import Allocation, Trip


@dataclass(frozen=True, slots=True)
class Overlap:
    """Another trip on some of the same days has the same item for the same household."""

    household: str
    item: str
    trip: str
    title: str
    starts: str
    ends: str
    quantity: int


def overlaps(conn: Connection, trip: str, alias: Aliases) -> list[Overlap]:
    """Every lease that this trip's allotment meets in a trip that is not closed; by household, title and item.

    All trips that are held here count, whoever plans them: what lies outside is told by title, days and quantity only.
    """
    own, other = aliased(Trip), aliased(Trip)
    beside = (
        select(other.id, other.title, other.starts, other.ends)
        .join(own, (own.id == trip) & (other.id != own.id))
        .where(other.starts <= own.ends, other.ends >= own.starts, other.status != "closed")
    )
    trips = {row.id: row for row in conn.execute(beside)}
    if not trips:
        return []
    lines = select(
        Allocation.trip, Allocation.household, Allocation.item, func.sum(Allocation.quantity).label("quantity")
    ).where(Allocation.quantity > 0)
    grouped = lines.group_by(Allocation.trip, Allocation.household, Allocation.item)
    mine = {(alias.of(row.household), row.item) for row in conn.execute(grouped.where(Allocation.trip == trip))}
    found = []
    for row in conn.execute(grouped.where(Allocation.trip.in_(sorted(trips)))):
        household, there = alias.of(row.household), trips[row.trip]
        if (household, row.item) in mine:
            quantity = int(row.quantity)
            found.append(Overlap(household, row.item, there.id, there.title, there.starts, there.ends, quantity))
    return sorted(found, key=lambda one: (one.household, one.title, one.item))
