"""Deliveries that look like duplicates: same item, same household, inside the repeat interval."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Row, cast, func, select, true

from aidvisit.domain.repeat import Given, repeats
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import Aliases, aliases
from aidvisit.store.queries.catalog import items
from aidvisit.store.queries.trip import recorded_at
from aidvisit.store.tables import Delivery, DeliveryLine, FieldDevice, Household, Item, Settlement, Team, Trip
from sync.rows import among


@dataclass(frozen=True, slots=True)
class DuplicateSide:
    """One of the two deliveries. `quantity`: of the item in question."""

    delivery: str
    household: str
    date: str
    quantity: int
    trip: str | None
    trip_title: str
    team_name: str
    received_by: str
    device_name: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Duplicate:
    """`first` is the earlier one. Both are true until somebody says otherwise."""

    household: str
    name: str
    item: str
    item_name: str
    first: DuplicateSide
    second: DuplicateSide
    days_apart: int
    repeat_days: int


def duplicates(
    conn: Connection,
    trip_id: str | None = None,
    scope: Scope = EVERYTHING,
    households: Collection[str] | None = None,
) -> list[Duplicate]:
    """Every two deliveries of an item to a household on dates less than the item's `repeat_days` apart.

    Aliases are resolved; void and replaced ones are left out, and pairs that the office settled. With a trip, only
    those that it has a part in; with a scope, those of its households; or those of these `households` alone. The
    latest first.
    Source: docs/protocol.md section 5, "Duplicates".
    """
    settled = [set(row) for row in conn.execute(select(Settlement.deliveries)).scalars()]
    names = items(conn)
    given = _suspects(conn, aliases(conn), households)
    pairs = [
        pair
        for pair in repeats(given.values(), {code: name.repeat_days for code, name in names.items()})
        if not any({pair.first.delivery, pair.second.delivery} <= verdict for verdict in settled)
    ]
    sides = _sides(conn, {one.delivery for pair in pairs for one in (pair.first, pair.second)})
    amounts = _amounts(conn, sides)
    people = _names(conn, {pair.first.household for pair in pairs}, scope)
    found = [
        Duplicate(
            pair.first.household,
            people.get(pair.first.household, pair.first.household[:8]),
            pair.first.item,
            names[pair.first.item].name,
            _side(sides[pair.first.delivery], amounts[pair.first.delivery, pair.first.item]),
            _side(sides[pair.second.delivery], amounts[pair.second.delivery, pair.second.item]),
            pair.days_apart,
            pair.repeat_days,
        )
        for pair in pairs
        if scope.everything or pair.first.household in people
    ]
    mine = [one for one in found if trip_id is None or trip_id in (one.first.trip, one.second.trip)]
    return sorted(mine, key=lambda one: (one.second.date, one.second.recorded_at, one.item), reverse=True)


def _suspects(conn: Connection, alias: Aliases, households: Collection[str] | None) -> dict[tuple[str, str], Given]:
    """What was given, by delivery and item, wherever two dates that follow each other are too near.

    The database leaves out the great many that are not; which of the rest are too near is the domain's to say.
    """
    wanted = true() if households is None else among(conn, DeliveryLine.household, alias.spread(households))
    every = (
        select(DeliveryLine.household, DeliveryLine.item, DeliveryLine.delivery, DeliveryLine.date, Item.repeat_days)
        .join(Item, Item.code == DeliveryLine.item)
        .where(DeliveryLine.counts, Item.repeat_days.is_not(None), wanted)
        .distinct()
    )
    given = every.cte("given")
    before = func.lag(given.c.date).over(
        partition_by=(given.c.household, given.c.item), order_by=(given.c.date, given.c.delivery)
    )
    steps = select(given, before.label("before")).subquery()
    near = (
        select(steps.c.household, steps.c.item)
        .where(steps.c.before.is_not(None), _days(conn, steps.c.before, steps.c.date) < steps.c.repeat_days)
        .distinct()
        .subquery()
    )
    query = select(given.c.delivery, given.c.household, given.c.item, given.c.date).join(
        near, (near.c.household == given.c.household) & (near.c.item == given.c.item)
    )
    rows = list(conn.execute(query))
    if alias.into:
        # The window does not see through a merge: of those all that was given is looked at.
        rows += conn.execute(every.where(among(conn, DeliveryLine.household, alias.spread(alias.into))))
    return {(row.delivery, row.item): Given(row.delivery, alias.of(row.household), row.item, row.date) for row in rows}


def _days(conn: Connection, first: ColumnElement[Any], second: ColumnElement[Any]) -> ColumnElement[Any]:
    if conn.dialect.name == "postgresql":
        return cast(second, Date) - cast(first, Date)
    return func.julianday(second) - func.julianday(first)


def _sides(conn: Connection, ids: Iterable[str]) -> dict[str, Row[Any]]:
    query = (
        select(
            Delivery.id,
            Delivery.household,
            Delivery.date,
            Delivery.trip,
            Delivery.received_by,
            Delivery.order_key,
            Trip.title,
            Team.name.label("team_name"),
            FieldDevice.name.label("device_name"),
        )
        .join(Trip, Trip.id == Delivery.trip, isouter=True)
        .join(Team, Team.id == Trip.team, isouter=True)
        .join(FieldDevice, FieldDevice.id == Delivery.device, isouter=True)
        .where(Delivery.id.in_(list(ids)))
    )
    return {row.id: row for row in conn.execute(query)}


def _amounts(conn: Connection, deliveries: Iterable[str]) -> dict[tuple[str, str], int]:
    query = (
        select(DeliveryLine.delivery, DeliveryLine.item, func.sum(DeliveryLine.quantity).label("quantity"))
        .where(DeliveryLine.delivery.in_(list(deliveries)))
        .group_by(DeliveryLine.delivery, DeliveryLine.item)
    )
    return {(row.delivery, row.item): int(row.quantity) for row in conn.execute(query)}


def _names(conn: Connection, ids: Iterable[str], scope: Scope) -> dict[str, str]:
    inside = within.places(Household.division.expression, scope)
    query = select(Household.id, Household.name).where(Household.id.in_(list(ids)), inside)
    return {row.id: row.name for row in conn.execute(query)}


def _side(row: Row[Any], quantity: int) -> DuplicateSide:
    return DuplicateSide(
        row.id,
        row.household,
        row.date,
        quantity,
        row.trip,
        row.title or "",
        row.team_name or "",
        row.received_by,
        row.device_name or "",
        recorded_at(row.order_key),
    )
