"""Lists for programs, a page at a time: each goes on after the key of the last row, and none counts or skips rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, literal, or_, select, true, tuple_

from aidvisit.domain.rights import Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import of_one
from aidvisit.store.queries.search import searched
from aidvisit.store.tables import (
    Allocation,
    Delivery,
    DeliveryLine,
    Household,
    HouseholdCategory,
    StockLine,
    StockMove,
    Trip,
    Visit,
)
from sync.rows import among

SMALL = 50
"""One part in so many of all households is small."""
Record = Row[Any]
Rows = Sequence[Record]
After = Sequence[str] | None
"""The key of the last row of the page before: of as many parts as the list's order has."""


def households(
    conn: Connection, scope: Scope, *, division: str = "", category: str = "", after: After = None, limit: int
) -> Rows:
    """Also closed and merged ones, by village and id: `after` (division, id)."""
    one = Household
    query = select(one.__table__).where(within.places(one.division.expression, scope))
    if division:
        query = query.where(within.under(one.division.expression, [division]))
    if category:
        held = select(HouseholdCategory.household).where(HouseholdCategory.code == category)
        query = query.where(one.id.in_(held))
    if after:
        query = query.where(one.division >= after[0], tuple_(one.division, one.id) > tuple_(*map(literal, after)))
    return conn.execute(query.order_by(one.division, one.id).limit(limit)).all()


def inside(conn: Connection, households: Iterable[str], scope: Scope) -> set[str]:
    """Those of these households that there are in the scope."""
    query = select(Household.id).where(
        among(conn, Household.id, list(households)), within.places(Household.division.expression, scope)
    )
    return set(conn.execute(query).scalars())


def categories(conn: Connection, households: Iterable[str]) -> dict[str, list[str]]:
    """Codes of the hardship categories by household."""
    held = HouseholdCategory
    query = select(held.household, held.code).where(among(conn, held.household, list(households)))
    found: dict[str, list[str]] = {}
    for row in conn.execute(query.order_by(held.household, held.code)):
        found.setdefault(row.household, []).append(row.code)
    return found


def trips(conn: Connection, scope: Scope, *, status: str = "", team: str = "", after: After = None, limit: int) -> Rows:
    """The latest first: `after` (starts, id)."""
    query = select(Trip.__table__).where(within.trips(scope))
    if status:
        query = query.where(Trip.status == status)
    if team:
        query = query.where(Trip.team == team)
    if after:
        query = query.where(Trip.starts <= after[0], tuple_(Trip.starts, Trip.id) < tuple_(*map(literal, after)))
    return conn.execute(query.order_by(Trip.starts.desc(), Trip.id.desc()).limit(limit)).all()


def allotments(conn: Connection, trip: str, scope: Scope, *, after: After = None, limit: int) -> Rows:
    """What households are to get on a trip, as it was recorded: `after` (household, item)."""
    one = Allocation
    query = select(one.household, one.item, one.quantity).where(
        one.trip == trip, one.quantity > 0, within.households(one.household.expression, scope)
    )
    if after:
        query = query.where(tuple_(one.household, one.item) > tuple_(*map(literal, after)))
    return conn.execute(query.order_by(one.household, one.item).limit(limit)).all()


def deliveries(conn: Connection, scope: Scope, *, limit: int, after: After = None, **wanted: str) -> Rows:
    """The latest day first: `after` (date, id). `wanted`: trip, household, division, from_, until, each perhaps ""."""
    return _happened(conn, Delivery, scope, limit, after, wanted)


def visits(conn: Connection, scope: Scope, *, limit: int, after: After = None, **wanted: str) -> Rows:
    """As `deliveries`."""
    return _happened(conn, Visit, scope, limit, after, wanted)


def delivery(conn: Connection, identity: str, scope: Scope) -> Record | None:
    """One delivery to a household of the scope."""
    return _one(conn, Delivery, identity, scope)


def visit(conn: Connection, identity: str, scope: Scope) -> Record | None:
    return _one(conn, Visit, identity, scope)


def _one(conn: Connection, table: Any, identity: str, scope: Scope) -> Record | None:
    query = select(table.__table__).where(table.id == identity, within.households(table.household.expression, scope))
    return conn.execute(query).first()


def _happened(conn: Connection, table: Any, scope: Scope, limit: int, after: After, wanted: dict[str, str]) -> Rows:
    reach = scope.narrowed([wanted["division"]] if wanted.get("division") else [], frozenset())
    query: Select[Any] = select(table.__table__).where(_within(conn, table, reach))
    if wanted.get("trip"):
        query = query.where(table.trip == wanted["trip"])
    if wanted.get("household"):
        query = query.where(table.household.in_(of_one(conn, wanted["household"]).all(wanted["household"])))
    if wanted.get("from_"):
        query = query.where(table.date >= wanted["from_"])
    if wanted.get("until"):
        query = query.where(table.date <= wanted["until"])
    if after:
        query = query.where(table.date <= after[0], tuple_(table.date, table.id) < tuple_(*map(literal, after)))
    return conn.execute(query.order_by(table.date.desc(), table.id.desc()).limit(limit)).all()


def _within(conn: Connection, table: Any, scope: Scope) -> ColumnElement[bool]:
    """By its household. Of a small part of all, the stream (its town) leads to the rows and they are sorted; else the
    days are gone through in their order, and the stream only tells quickly what does not fit."""
    if scope.everything:
        return true()
    small = searched(conn, scope) * SMALL < searched(conn)
    stream = table.stream if small else table.stream.concat("")
    towns = within.under(stream, {code[:9] for code in scope.divisions})
    home = exists().where(Household.id == table.household, within.places(Household.division.expression, scope))
    return and_(towns, home)


def delivery_lines(conn: Connection, deliveries: Iterable[str]) -> dict[str, list[Record]]:
    """Lines by delivery, in their order."""
    line = DeliveryLine
    query = select(line.delivery.label("of"), line.item, line.quantity, line.lot).where(
        among(conn, line.delivery, list(deliveries))
    )
    return _by(conn, query.order_by(line.delivery, line.line))


def moves(conn: Connection, scope: Scope, *, trip: str = "", place: str = "", after: After = None, limit: int) -> Rows:
    """Papers of stock, what was recorded last first: `after` (id). Of trips in the scope, and of no trip."""
    one = StockMove
    query = select(one.__table__)
    if not scope.everything:
        query = query.where(or_(one.trip.is_(None), one.trip.in_(select(Trip.id).where(within.trips(scope)))))
    if trip:
        query = query.where(one.trip == trip)
    if place:
        query = query.where(or_(one.from_place == place, one.to_place == place))
    if after:
        query = query.where(one.id < after[0])
    return conn.execute(query.order_by(one.id.desc()).limit(limit)).all()


def move_lines(conn: Connection, moves: Iterable[str]) -> dict[str, list[Record]]:
    """Lines by movement, in their order."""
    line = StockLine
    columns = (line.source.label("of"), line.item, line.quantity, line.lot, line.expires, line.value_fen)
    query = select(*columns).where(among(conn, line.source, list(moves)))
    return _by(conn, query.order_by(line.source, line.line))


def _by(conn: Connection, query: Select[Any]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for row in conn.execute(query):
        found.setdefault(row.of, []).append(row)
    return found
