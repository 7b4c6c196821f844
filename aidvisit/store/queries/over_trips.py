"""Reconciliation over many trips: of a tour, a team, a period; by item, trip, team or household."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, true, tuple_, union_all

from aidvisit.domain import place
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import Of, Selection
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import Aliases, aliases, stands
from aidvisit.store.queries.catalog import ItemName, Quantity, is_goods, items, named, names_of, quantities
from aidvisit.store.queries.figures import balances, totals
from aidvisit.store.queries.reconcile import ItemRow, item_rows
from aidvisit.store.queries.selected import lines, of_trips
from aidvisit.store.queries.trip import TripHead, heads
from aidvisit.store.tables import Allocation, Delivery, DeliveryLine, Household, StockCount, Team, Trip
from sync.rows import among

PAGE = 30
HOMES = 50
TOURS = 200


@dataclass(frozen=True, slots=True)
class Total:
    """One item's columns; a service is on no truck."""

    item: str
    name: str
    unit: str
    is_goods: bool
    figures: Mapping[Of, int]


@dataclass(frozen=True, slots=True)
class TripTotals:
    """`unsettled`: what of it nobody has accounted for."""

    trip: TripHead
    totals: list[Total]
    unsettled: list[ItemRow]


@dataclass(frozen=True, slots=True)
class TeamTotals:
    """`team` is None for trips of a team that is not known here."""

    team: str | None
    name: str
    totals: list[Total]


@dataclass(frozen=True, slots=True)
class HomeTotals:
    """One household over these trips. `owed`: per trip, what it was allotted there and did not get."""

    id: str
    name: str
    place: list[str]
    group: str
    allocated: list[Quantity]
    delivered: list[Quantity]
    owed: list[Quantity]
    signed: str | None
    received_by: str
    received_as: str | None
    relation: str | None


@dataclass(frozen=True, slots=True)
class Tour:
    """`trip`: the id of one of its trips, by which addresses name it."""

    name: str
    trip: str
    trips: int


def by_item(conn: Connection, asked: Selection, scope: Scope = EVERYTHING, *, today: str) -> list[Total]:
    found = _columns(conn, asked, scope, today, ("item",), None)
    return _totals(items(conn), found)


def by_team(conn: Connection, asked: Selection, scope: Scope = EVERYTHING, *, today: str) -> list[TeamTotals]:
    """Teams by name, each with its items."""
    groups = _grouped(_columns(conn, asked, scope, today, ("team", "item"), None))
    names = {row.id: row.name for row in conn.execute(select(Team.id, Team.name))}
    known = items(conn)
    rows = [TeamTotals(team, names.get(team or "", ""), _totals(known, own)) for team, own in groups.items()]
    return sorted(rows, key=lambda row: (row.team is None, row.name))


def by_trip(
    conn: Connection,
    asked: Selection,
    scope: Scope = EVERYTHING,
    *,
    today: str,
    still_open: bool = False,
    after: str = "",
    limit: int = PAGE,
) -> tuple[list[TripTotals], bool]:
    """The latest first, beyond the trip `after`; whether there are more. `still_open`: over, and not closed yet."""
    conditions = list(of_trips(Trip.id.expression, asked, scope, ""))
    if still_open:
        conditions += [Trip.ends < today, Trip.status != "closed"]
    last = conn.execute(select(Trip.starts, Trip.id).where(Trip.id == after)).first() if after else None
    if last is not None:
        conditions.append(tuple_(Trip.starts, Trip.id) < tuple_(*last))
    found = heads(conn, *conditions, limit=limit + 1)
    shown = found[:limit]
    ids = [head.id for head in shown]
    groups = _grouped(_columns(conn, asked, scope, today, ("trip", "item"), ids))
    odd = _unsettled(conn, ids, groups)
    known = items(conn)
    rows = [TripTotals(head, _totals(known, groups.get(head.id, {})), odd.get(head.id, [])) for head in shown]
    return rows, len(found) > limit


def by_household(
    conn: Connection,
    asked: Selection,
    scope: Scope = EVERYTHING,
    *,
    today: str,
    owed: bool = False,
    after: str = "",
    limit: int = HOMES,
) -> tuple[list[HomeTotals], bool]:
    """Households that these trips were for or gave to, by village; `owed`: that did not get all of it."""
    alias = aliases(conn)
    conditions = [
        within.places(Household.division.expression, scope),
        stands(conn, alias),
        _concerned(conn, alias, lambda household: (_wanting if owed else _touched)(asked, scope, household)),
    ]
    order = (Household.division, Household.id)
    last = conn.execute(select(*order).where(Household.id == after)).first() if after else None
    if last is not None:
        conditions.append(tuple_(*order) > tuple_(*last))
    rows = conn.execute(select(Household.__table__).where(*conditions).order_by(*order).limit(limit + 1)).all()
    return _homes(conn, rows[:limit], alias, asked, scope, today), len(rows) > limit


def tours(conn: Connection, scope: Scope = EVERYTHING) -> list[Tour]:
    """The latest first."""
    query = (
        select(Trip.tour, func.max(Trip.id), func.count(), func.max(Trip.starts).label("latest"))
        .where(Trip.tour.is_not(None), within.trips(scope))
        .group_by(Trip.tour)
        .order_by(func.max(Trip.starts).desc(), Trip.tour)
        .limit(TOURS)
    )
    return [Tour(*row[:3]) for row in conn.execute(query)]


# --- figures --------------------------------------------------------------------------------------------------


def _columns(
    conn: Connection, asked: Selection, scope: Scope, today: str, by: Sequence[str], only: Collection[str] | None
) -> dict[Any, dict[Of, int]]:
    found = balances(conn, asked, scope, by=by, only=only)
    for key, quantity in totals(conn, "allocated", asked, scope, today=today, by=by, only=only).items():
        found.setdefault(key, {})["allocated"] = quantity
    return found


def _grouped(found: Mapping[Any, dict[Of, int]]) -> dict[Any, dict[str, dict[Of, int]]]:
    groups: dict[Any, dict[str, dict[Of, int]]] = {}
    for (group, item), figures in found.items():
        groups.setdefault(group, {})[item] = figures
    return groups


def _totals(known: Mapping[str, ItemName], found: Mapping[str, dict[Of, int]]) -> list[Total]:
    return [
        Total(name.code, name.name, name.unit, is_goods(known, name.code), found[name.code])
        for name in named(known, found)
        if any(found[name.code].values())
    ]


def _unsettled(
    conn: Connection, trips: Sequence[str], groups: Mapping[str, Mapping[str, Mapping[Of, int]]]
) -> dict[str, list[ItemRow]]:
    """Only trips with something on the truck by the books, or with a count, can be that."""
    query = select(StockCount.trip).where(among(conn, StockCount.place, [place.truck(trip) for trip in trips]))
    counted = {trip for trip in conn.execute(query).scalars() if trip is not None}
    loaded = {trip for trip in trips if any(row.get("on-truck") for row in groups.get(trip, {}).values())}
    odd = {trip: [row for row in item_rows(conn, trip) if not row.settled] for trip in sorted(loaded | counted)}
    return {trip: rows for trip, rows in odd.items() if rows}


# --- households -----------------------------------------------------------------------------------------------


def _concerned(conn: Connection, alias: Aliases, touched: Callable[[Any], ColumnElement[bool]]) -> ColumnElement[bool]:
    """Of a household that stands for others, also what concerned those."""
    merged = [other for others in alias.others.values() for other in others]
    if not merged:
        return touched(Household.id)
    again = select(Household.id).where(among(conn, Household.id, merged), touched(Household.id))
    targets = {alias.of(one) for one in conn.execute(again).scalars()}
    return or_(touched(Household.id), among(conn, Household.id, targets)) if targets else touched(Household.id)


def _touched(asked: Selection, scope: Scope, household: Any) -> ColumnElement[bool]:
    """It was allotted something on these trips, or got something there."""
    line, given = Allocation, DeliveryLine
    allotted = select(line.household).where(line.quantity > 0, *of_trips(line.trip.expression, asked, scope, ""))
    got = select(given.household).where(given.counts, given.trip.is_not(None))
    got = got.where(*of_trips(given.trip.expression, asked, scope, ""))
    if asked.item:
        allotted, got = allotted.where(line.item == asked.item), got.where(given.item == asked.item)
    return cast(ColumnElement[bool], household.in_(allotted.union_all(got)))


def _wanting(asked: Selection, scope: Scope, household: Any) -> ColumnElement[bool]:
    """Of something that it was allotted on one of these trips it did not get all there."""
    parts = []
    for line, sign, about in ((Allocation, 1, true()), (DeliveryLine, -1, DeliveryLine.counts)):
        part = select(line.trip, line.household, line.item, (line.quantity * sign).label("quantity"))
        part = part.where(about, line.trip.is_not(None), *of_trips(line.trip.expression, asked, scope, ""))
        parts.append(part.where(line.item == asked.item) if asked.item else part)
    both = union_all(*parts).subquery()
    wanting = select(both.c.household).group_by(both.c.trip, both.c.household, both.c.item)
    return cast(ColumnElement[bool], household.in_(wanting.having(func.sum(both.c.quantity) > 0)))


def _homes(
    conn: Connection, rows: Sequence[Row[Any]], alias: Aliases, asked: Selection, scope: Scope, today: str
) -> list[HomeTotals]:
    ids = alias.spread(row.id for row in rows)
    allotted = _of_homes(conn, "allocated", ids, alias, asked, scope, today)
    given = _of_homes(conn, "delivered", ids, alias, asked, scope, today)
    signed = _signed(conn, ids, alias, asked, scope)
    places, known = names_of(conn, {row.division for row in rows}), items(conn)
    return [
        HomeTotals(
            row.id, row.name, places[row.division], row.village_group or "",
            quantities(known, _by_item(allotted.get(row.id, {}))),
            quantities(known, _by_item(given.get(row.id, {}))),
            quantities(known, _by_item(_owed(allotted.get(row.id, {}), given.get(row.id, {})))),
            *signed.get(row.id, (None, "", None, None)),
        )
        for row in rows
    ]  # fmt: skip


Shares = Mapping[tuple[str, str], int]
"""Quantity by trip and item."""


def _of_homes(
    conn: Connection, of: Of, ids: Collection[str], alias: Aliases, asked: Selection, scope: Scope, today: str
) -> dict[str, dict[tuple[str, str], int]]:
    found = lines(conn, of, asked, scope, today, wide=False).subquery()
    query = (
        select(found.c.household, found.c.trip, found.c.item, func.sum(found.c.quantity))
        .where(among(conn, found.c.household, ids), found.c.trip.is_not(None))
        .group_by(found.c.household, found.c.trip, found.c.item)
    )
    homes: dict[str, dict[tuple[str, str], int]] = {}
    for household, trip, item, quantity in conn.execute(query):
        own = homes.setdefault(alias.of(household), {})
        own[trip, item] = own.get((trip, item), 0) + int(quantity)
    return homes


def _owed(allotted: Shares, given: Shares) -> Shares:
    return {key: quantity - given.get(key, 0) for key, quantity in allotted.items() if quantity > given.get(key, 0)}


def _by_item(shares: Shares) -> dict[str, int]:
    sums: dict[str, int] = {}
    for (_trip, item), quantity in shares.items():
        sums[item] = sums.get(item, 0) + quantity
    return sums


def _signed(
    conn: Connection, ids: Iterable[str], alias: Aliases, asked: Selection, scope: Scope
) -> dict[str, tuple[str | None, str, str | None, str | None]]:
    """How the last delivery of these trips was signed for, and by whom."""
    query = (
        select(
            Delivery.household, Delivery.proofs, Delivery.received_by, Delivery.received_as, Delivery.received_relation
        )
        .where(among(conn, Delivery.household, list(ids)), Delivery.counts)
        .where(*of_trips(Delivery.trip.expression, asked, scope, ""), Delivery.trip.is_not(None))
        .order_by(Delivery.date, Delivery.order_key)
    )
    return {
        alias.of(row.household): (
            row.proofs[0].get("as") if row.proofs else None, row.received_by, row.received_as, row.received_relation,
        )
        for row in conn.execute(query)
    }  # fmt: skip
