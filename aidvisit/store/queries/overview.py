"""The office's first page: what was given, how far the trips are, who was not heard of, what waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, tuple_

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store import inbox
from aidvisit.store.queries import held
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.account import DeviceRow, device_rows
from aidvisit.store.queries.alias import aliases, stands
from aidvisit.store.queries.trip import TripHead, heads
from aidvisit.store.tables import Allocation, Delivery, Household, Trip
from sync.rows import among

LATEST, PAGE = 6, 50


@dataclass(frozen=True, slots=True)
class TripProgress:
    """`total`: households with an allotment; `done`: those of them that something was delivered to."""

    trip: TripHead
    total: int
    done: int


@dataclass(frozen=True, slots=True)
class Overview:
    """`households`: open ones; `trips`: the latest; `waiting`: how much the inbox has, by kind; `quarantined`: ops that
    wait.
    """

    households: int
    trips: list[TripProgress]
    devices: list[DeviceRow]
    waiting: Mapping[str, int]
    quarantined: int


def overview(conn: Connection, scope: Scope = EVERYTHING) -> Overview:
    """Of a scope: its households, its latest trips, laptops and what waits of them. Figures: services/report.py."""
    return Overview(
        open_households(conn, scope),
        progress(conn, scope, limit=LATEST)[0],
        device_rows(conn, scope),
        inbox.counts(conn, scope),
        held.count(conn, scope),
    )


def open_households(conn: Connection, scope: Scope = EVERYTHING) -> int:
    of_scope = within.places(Household.division.expression, scope)
    open_ones = select(func.count()).where(Household.closed_reason.is_(None), stands(conn, aliases(conn)), of_scope)
    return conn.execute(open_ones).scalar_one()


def progress(
    conn: Connection, scope: Scope = EVERYTHING, *, after: str = "", limit: int = PAGE
) -> tuple[list[TripProgress], bool]:
    """Trips with how far they are, the latest first, beyond the trip `after`; whether there are more."""
    conditions: list[Any] = [within.trips(scope)]
    last = conn.execute(select(Trip.starts, Trip.id).where(Trip.id == after)).first() if after else None
    if last is not None:
        conditions.append(tuple_(Trip.starts, Trip.id) < tuple_(*last))
    found = heads(conn, *conditions, limit=limit + 1)
    done = counted(conn, [head.id for head in found[:limit]])
    return [TripProgress(head, *done.get(head.id, (0, 0))) for head in found[:limit]], len(found) > limit


def counted(conn: Connection, only: Collection[str]) -> dict[str, tuple[int, int]]:
    """By trip `total` and `done` of its progress, by the ids of the allotment."""
    lines = [Allocation.quantity > 0, among(conn, Allocation.trip, only)]
    given = [Delivery.counts, among(conn, Delivery.trip, only)]
    allotted = select(Allocation.trip, Allocation.household).where(*lines).distinct().subquery()
    got = select(Delivery.trip, Delivery.household).where(*given).distinct().subquery()
    query = (
        select(
            allotted.c.trip,
            func.count().label("total"),
            func.count(got.c.household).label("done"),
        )
        .join(got, (got.c.trip == allotted.c.trip) & (got.c.household == allotted.c.household), isouter=True)
        .group_by(allotted.c.trip)
    )
    return {row.trip: (row.total, row.done) for row in conn.execute(query)}
