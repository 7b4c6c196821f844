"""Trips, and the day of one trip: how far it is, who comes next, what is on the truck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, case, select

from aidvisit.domain import place
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.catalog import (
    ItemName,
    Quantity,
    categories,
    division_names,
    is_goods,
    items,
    named,
    quantities,
)
from aidvisit.store.queries.once import once
from aidvisit.store.queries.progress import State, Stop, stops
from aidvisit.store.queries.stock import on_place
from aidvisit.store.tables import HouseholdCategory, Team, Trip
from sync import clock

Status = Literal["planned", "locked", "approved", "released", "closed"]
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class TripHead:
    """What a list shows of a trip. `divisions`: codes."""

    id: str
    title: str
    starts: str
    ends: str
    team: str | None
    team_name: str
    divisions: list[str]
    status: Status
    note: str | None
    tour: str | None = None
    distance_km: int | None = None


@dataclass(frozen=True, slots=True)
class GroupProgress:
    group: str
    total: int
    done: int
    away: int
    todo: int
    owed: list[Quantity]


@dataclass(frozen=True, slots=True)
class TruckLine:
    """`on_truck` by the books, `needed` by all who are still owed, `after` what then remains."""

    item: str
    name: str
    unit: str
    spec: str | None
    on_truck: int
    needed: int
    after: int


@dataclass(frozen=True, slots=True)
class NextHousehold:
    """Who comes next; it is number `position` `of` its group."""

    id: str
    name: str
    group: str
    address: str | None
    note: str | None
    tags: list[str]
    position: int
    of: int
    allotted: list[Quantity]


@dataclass(frozen=True, slots=True)
class AwayHousehold:
    """Visited, but nobody met. `at`: HH:MM when it was recorded on the day itself, else the date."""

    id: str
    name: str
    group: str
    outcome: str
    at: str
    note: str | None
    owed: list[Quantity]


@dataclass(frozen=True, slots=True)
class ListedHousehold:
    id: str
    name: str
    group: str
    position: int
    state: State
    allotted: list[Quantity]
    delivered: list[Quantity]
    owed: list[Quantity]


@dataclass(frozen=True, slots=True)
class Today:
    """`place`: names of county, town and village of the trip's first division."""

    trip: TripHead
    place: list[str]
    total: int
    done: int
    groups: list[GroupProgress]
    next: NextHousehold | None
    truck: list[TruckLine]
    away: list[AwayHousehold]
    households: list[ListedHousehold]


_HEADS: Select[Any] = select(*Trip.__table__.columns, Team.name.label("team_name")).join(
    Team, Team.id == Trip.team, isouter=True
)
_ONE = _HEADS.where(Trip.id == bindparam("id"))
_today: Any = bindparam("today")
_CURRENT = (
    select(Trip.id)
    .order_by(
        case(((Trip.starts <= _today) & (Trip.ends >= _today), 0), else_=1),
        case((Trip.status == "closed", 1), else_=0),
        Trip.starts.desc(),
        Trip.id,
    )
    .limit(1)
)


def trips(conn: Connection, scope: Scope = EVERYTHING) -> list[TripHead]:
    """All trips, the latest first."""
    query = _HEADS.where(within.trips(scope))
    return [_head(row) for row in conn.execute(query.order_by(Trip.starts.desc(), Trip.title, Trip.id))]


def heads(conn: Connection, *conditions: ColumnElement[bool], limit: int) -> list[TripHead]:
    """Those of which this is true, the latest first."""
    query = _HEADS.where(*conditions).order_by(Trip.starts.desc(), Trip.id.desc()).limit(limit)
    return [_head(row) for row in conn.execute(query)]


def trip(conn: Connection, identity: str, scope: Scope = EVERYTHING) -> TripHead | None:
    if scope.everything:
        return once(conn, ("trip", identity), lambda: _one(conn, identity))
    row = conn.execute(_HEADS.where(Trip.id == identity, within.trips(scope))).first()
    return None if row is None else _head(row)


def _one(conn: Connection, identity: str) -> TripHead | None:
    row = conn.execute(_ONE, {"id": identity}).first()
    return None if row is None else _head(row)


def current(conn: Connection, today: str) -> TripHead | None:
    """The trip of this day (YYYY-MM-DD), one that is not closed first; where there is none, the latest trip."""
    found = conn.execute(_CURRENT, {"today": today}).scalar()
    return None if found is None else trip(conn, found)


def _head(row: Row[Any]) -> TripHead:
    return TripHead(
        row.id,
        row.title,
        row.starts,
        row.ends,
        row.team,
        row.team_name or "",
        row.divisions,
        row.status,
        row.note,
        row.tour,
        row.distance_km,
    )


def today(conn: Connection, trip_id: str, skip: frozenset[str] = frozenset(), zone: ZoneInfo = ZONE) -> Today:
    """One trip's day. Next is the first household that was not visited yet and is not in `skip`.

    Raises: LookupError when there is no such trip.
    """
    head = trip(conn, trip_id)
    if head is None:
        raise LookupError(trip_id)
    names = items(conn)
    found = stops(conn, trip_id)
    return Today(
        head,
        division_names(conn, head.divisions[0]) if head.divisions else [],
        len(found),
        sum(stop.state == "done" for stop in found),
        _groups(found, names),
        _next(conn, found, skip, names),
        _truck(conn, trip_id, found, names),
        [_away(stop, names, zone) for stop in found if stop.state == "away"],
        [_listed(stop, position, names) for position, stop in enumerate(found, 1)],
    )


def owed_by(found: Iterable[Stop]) -> Counter[str]:
    """What these households are owed together, by item code."""
    total: Counter[str] = Counter()
    for stop in found:
        total.update(stop.owed)
    return total


def _groups(found: list[Stop], names: Mapping[str, ItemName]) -> list[GroupProgress]:
    members: dict[str, list[Stop]] = {}
    for stop in found:
        members.setdefault(stop.group, []).append(stop)
    result = []
    for group, own in members.items():
        states = Counter(stop.state for stop in own)
        owed = quantities(names, owed_by(own))
        result.append(GroupProgress(group, len(own), states["done"], states["away"], states["todo"], owed))
    return result


def _next(
    conn: Connection, found: list[Stop], skip: frozenset[str], names: Mapping[str, ItemName]
) -> NextHousehold | None:
    stop = next((stop for stop in found if stop.state == "todo" and stop.household not in skip), None)
    if stop is None:
        return None
    own = [other.household for other in found if other.group == stop.group]
    query = select(HouseholdCategory.code).where(HouseholdCategory.household == stop.household)
    held = set(conn.execute(query).scalars())
    known = categories(conn)
    tags = [name for code, name in known.items() if code in held] + sorted(held - known.keys())
    return NextHousehold(
        stop.household,
        stop.name,
        stop.group,
        stop.address,
        stop.note,
        tags,
        own.index(stop.household) + 1,
        len(own),
        quantities(names, stop.allotted),
    )


def _truck(conn: Connection, trip_id: str, found: list[Stop], names: Mapping[str, ItemName]) -> list[TruckLine]:
    held = on_place(conn, place.truck(trip_id))
    needed = owed_by(found)
    return [
        TruckLine(
            name.code,
            name.name,
            name.unit,
            name.spec,
            held.get(name.code, 0),
            needed[name.code],
            held.get(name.code, 0) - needed[name.code],
        )
        for name in named(names, held.keys() | needed.keys())
        if is_goods(names, name.code)
    ]


def _away(stop: Stop, names: Mapping[str, ItemName], zone: ZoneInfo) -> AwayHousehold:
    visit = stop.visit
    assert visit is not None
    recorded = recorded_at(visit.order_key).astimezone(zone)
    at = f"{recorded:%H:%M}" if recorded.date().isoformat() == visit.date else visit.date
    owed = quantities(names, stop.owed)
    return AwayHousehold(stop.household, stop.name, stop.group, visit.outcome, at, visit.note, owed)


def _listed(stop: Stop, position: int, names: Mapping[str, ItemName]) -> ListedHousehold:
    return ListedHousehold(
        stop.household,
        stop.name,
        stop.group,
        position,
        stop.state,
        quantities(names, stop.allotted),
        quantities(names, stop.delivered),
        quantities(names, stop.owed),
    )


def recorded_at(order_key: str) -> datetime:
    """When the op of this order key was recorded, by the clock that its place in the order follows."""
    return clock.from_ms(clock.parse(order_key.partition("/")[0])[0]).astimezone(UTC)
