"""Visits: one of them, and when households were last visited."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from aidvisit.store.queries.alias import aliases, of_one
from aidvisit.store.tables import Visit
from sync.rows import among


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A visit as far as taking it back needs it. `void_reason`: why it was taken back already."""

    id: str
    stream: str
    date: str
    outcome: str
    void_reason: str | None


@dataclass(frozen=True, slots=True)
class LastVisit:
    """The last visit that was not voided, by its date."""

    date: str
    outcome: str


def visit(conn: Connection, household: str, identity: str) -> VisitRow | None:
    """A visit to a household, or to one merged into it."""
    ids = of_one(conn, household).all(household)
    query = select(Visit.id, Visit.stream, Visit.date, Visit.outcome, Visit.void_reason)
    row = conn.execute(query.where(Visit.id == identity, Visit.household.in_(ids))).first()
    return VisitRow(*row) if row else None


def last_visits(conn: Connection, households: Collection[str]) -> dict[str, LastVisit]:
    """By household, those merged into it counted; who was never visited is not in it. Two statements."""
    alias = aliases(conn)
    order = func.row_number().over(partition_by=Visit.household, order_by=(Visit.date.desc(), Visit.order_key.desc()))
    every = select(Visit.household, Visit.date, Visit.outcome, order.label("place")).where(
        among(conn, Visit.household, alias.spread(households)), Visit.void_reason.is_(None)
    )
    ranked = every.subquery()
    rows = conn.execute(select(ranked).where(ranked.c.place == 1).order_by(ranked.c.date))
    return {alias.of(row.household): LastVisit(row.date, row.outcome) for row in rows}
