"""Laptops of which a trip that is over is still waited for, and who to call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter

from sqlalchemy import Connection, select

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.account import DeviceRow, device_rows
from aidvisit.store.queries.trip import ZONE
from aidvisit.store.tables import Release, Trip, User
from sync.rows import among


@dataclass(frozen=True, slots=True)
class Silent:
    """A laptop that carried a trip which is over: not heard of since, or it said that something waits.

    `phones`: (name, phone) of the leaders of its team. `heard`: it was heard of after the trip ended.
    """

    device: DeviceRow
    trip: str
    title: str
    ended: str
    heard: bool
    phones: list[tuple[str, str]]


def silent(conn: Connection, today: str, scope: Scope = EVERYTHING) -> list[Silent]:
    """Of open trips that ended before `today` (YYYY-MM-DD), the longest over first; each laptop once a trip."""
    over = (Trip.ends < today, Trip.status != "closed", within.trips(scope))
    released = select(Release.device, Trip.id, Trip.title, Trip.ends).join(Trip, Trip.id == Release.trip).where(*over)
    planned = select(Trip.planned_by, Trip.id, Trip.title, Trip.ends).where(*over, Trip.planned_by.is_not(None))
    carried = sorted({tuple(row) for row in conn.execute(released.union(planned))}, key=itemgetter(3, 1, 0))
    if not carried:
        return []
    rows = {row.id: row for row in device_rows(conn, scope) if not row.revoked}
    phones = _phones(conn, {row.team for row in rows.values() if row.team})
    found = []
    for carrier, trip, title, ends in carried:
        device = rows.get(carrier)
        if device is None:
            continue
        heard = device.last_seen is not None and _moment(device.last_seen) >= _end(ends)
        if not heard or device.waiting:
            found.append(Silent(device, trip, title, ends, heard, phones.get(device.team or "", [])))
    return found


def _end(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), ZONE).astimezone(UTC)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _phones(conn: Connection, teams: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    query = select(User.team, User.name, User.phone).where(
        among(conn, User.team, list(teams)), User.role == "leader", User.active, User.phone.is_not(None)
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in conn.execute(query.order_by(User.name, User.id)):
        found.setdefault(row.team, []).append((row.name, row.phone))
    return found
