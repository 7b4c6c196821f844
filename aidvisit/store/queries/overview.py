"""The office's first page: what was given, how far the trips are, who was not heard of, what waits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import held
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.account import DeviceRow, device_rows
from aidvisit.store.queries.alias import aliases, stands
from aidvisit.store.queries.duplicate import Duplicate, duplicates
from aidvisit.store.queries.trip import TripHead, trips
from aidvisit.store.tables import Allocation, Delivery, Household
from sync.rows import among


@dataclass(frozen=True, slots=True)
class TripProgress:
    """`total`: households with an allotment; `done`: those of them that something was delivered to."""

    trip: TripHead
    total: int
    done: int


@dataclass(frozen=True, slots=True)
class Overview:
    """`households`: open ones; `quarantined`: ops that wait."""

    households: int
    trips: list[TripProgress]
    devices: list[DeviceRow]
    duplicates: list[Duplicate]
    quarantined: int


def overview(conn: Connection, scope: Scope = EVERYTHING) -> Overview:
    """All of a scope: its households, its trips, laptops and what waits of them. Figures: services/report.py."""
    return Overview(
        open_households(conn, scope),
        progress(conn, scope),
        device_rows(conn, scope),
        duplicates(conn, scope=scope),
        held.count(conn, scope),
    )


def open_households(conn: Connection, scope: Scope = EVERYTHING) -> int:
    of_scope = within.places(Household.division.expression, scope)
    open_ones = select(func.count()).where(Household.closed_reason.is_(None), stands(conn, aliases(conn)), of_scope)
    return conn.execute(open_ones).scalar_one()


def progress(conn: Connection, scope: Scope = EVERYTHING) -> list[TripProgress]:
    """All trips with how far they are: two statements for all trips."""
    done = counted(conn)
    return [TripProgress(head, *done.get(head.id, (0, 0))) for head in trips(conn, scope)]


def counted(conn: Connection, only: Collection[str] | None = None) -> dict[str, tuple[int, int]]:
    """By trip (`only`: of these) `total` and `done` of its progress, by the ids of the allotment."""
    lines: list[Any] = [Allocation.quantity > 0]
    given: list[Any] = [Delivery.counts]
    if only is not None:
        lines, given = [*lines, among(conn, Allocation.trip, only)], [*given, among(conn, Delivery.trip, only)]
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
