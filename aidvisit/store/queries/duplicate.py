"""Deliveries that look like duplicates: same item, same household, inside the repeat interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Row, case, cast, func, select

from aidvisit.store.queries.alias import Aliases, aliases
from aidvisit.store.queries.catalog import items, unknown_item
from aidvisit.store.queries.trip import recorded_at
from aidvisit.store.tables import Delivery, DeliveryLine, FieldDevice, Household, Item, Settlement, Team, Trip


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


def duplicates(conn: Connection, trip_id: str | None = None) -> list[Duplicate]:
    """Each delivery with the one before it of the same item, less than the item's `repeat_days` earlier.

    Aliases are resolved; void and replaced ones are left out, and pairs that the office settled. With a trip, only
    those that it has a part in. The latest first. Source: docs/protocol.md section 5, "Duplicates".
    """
    alias = aliases(conn)
    settled = [set(row) for row in conn.execute(select(Settlement.deliveries)).scalars()]
    pairs = [
        pair
        for pair in _pairs(conn, alias, trip_id)
        if not any({pair.delivery, pair.previous} <= verdict for verdict in settled)
    ]
    sides = _sides(conn, {delivery for pair in pairs for delivery in (pair.delivery, pair.previous)})
    names = items(conn)
    people = _names(conn, {pair.household for pair in pairs})
    return [
        Duplicate(
            pair.household,
            people.get(pair.household, pair.household[:8]),
            pair.item,
            names.get(pair.item, unknown_item(pair.item)).name,
            _side(sides[pair.previous], pair.before_quantity),
            _side(sides[pair.delivery], pair.quantity),
            (date.fromisoformat(pair.date) - date.fromisoformat(pair.before)).days,
            pair.repeat_days,
        )
        for pair in pairs
    ]


def _pairs(conn: Connection, alias: Aliases, trip_id: str | None) -> list[Row[Any]]:
    household: ColumnElement[str] = DeliveryLine.household.expression
    if alias.into:
        household = case(dict(alias.into), value=household, else_=household)
    given = (
        select(
            household.label("household"),
            DeliveryLine.item,
            DeliveryLine.delivery,
            DeliveryLine.date,
            DeliveryLine.trip,
            Delivery.order_key,
            Item.repeat_days,
            func.sum(DeliveryLine.quantity).label("quantity"),
        )
        .join(Delivery, Delivery.id == DeliveryLine.delivery)
        .join(Item, Item.code == DeliveryLine.item)
        .where(DeliveryLine.counts, Item.repeat_days.is_not(None))
        .group_by(
            DeliveryLine.household,
            DeliveryLine.item,
            DeliveryLine.delivery,
            DeliveryLine.date,
            DeliveryLine.trip,
            Delivery.order_key,
            Item.repeat_days,
        )
        .subquery()
    )

    def before(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.lag(column).over(
            partition_by=(given.c.household, given.c.item), order_by=(given.c.date, given.c.order_key)
        )

    pair = select(
        given,
        before(given.c.delivery).label("previous"),
        before(given.c.date).label("before"),
        before(given.c.trip).label("before_trip"),
        before(given.c.quantity).label("before_quantity"),
    ).subquery()
    query = (
        select(pair)
        .where(pair.c.previous.is_not(None), _days(conn, pair.c.before, pair.c.date) < pair.c.repeat_days)
        .order_by(pair.c.date.desc(), pair.c.order_key.desc(), pair.c.item)
    )
    if trip_id is not None:
        query = query.where((pair.c.trip == trip_id) | (pair.c.before_trip == trip_id))
    return list(conn.execute(query))


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


def _names(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    query = select(Household.id, Household.name).where(Household.id.in_(list(ids)))
    return {row.id: row.name for row in conn.execute(query)}


def _side(row: Row[Any], quantity: int) -> DuplicateSide:
    return DuplicateSide(
        row.id,
        row.household,
        row.date,
        int(quantity),
        row.trip,
        row.title or "",
        row.team_name or "",
        row.received_by,
        row.device_name or "",
        recorded_at(row.order_key),
    )
