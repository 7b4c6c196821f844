"""What is odd about a delivery before it is saved: a hint with a reason to give, never a refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, func, select

from aidvisit.domain import place
from aidvisit.domain.repeat import days_apart, too_soon
from aidvisit.store.queries.alias import Aliases, of_one
from aidvisit.store.queries.catalog import ItemName, items, unknown_item
from aidvisit.store.queries.stock import on_place
from aidvisit.store.queries.trip import ZONE, TripHead, trip
from aidvisit.store.tables import Allocation, Delivery, DeliveryLine, Household, StockLine, Team, Trip
from sync import clock

Rule = Literal["repeat-interval", "outside-allocation", "over-allocation", "over-stock", "household-closed", "date"]
Lines = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DeliveryWarning:
    """`rule` as a delivery's `overrides` name it; `item`: its code; `words_members`: what its sentence tells.

    repeat-interval: item_name, unit, quantity, date, days, repeat_days, until, team · outside-allocation: item_name ·
    over-allocation: item_name, unit, quantity, allotted, left · over-stock: item_name, unit, quantity, on_truck ·
    household-closed: reason, closed_on, into · date: date, with today, or with the trip's starts and ends.
    """

    rule: Rule
    item: str | None
    words_members: dict[str, Any]


def warnings(
    conn: Connection,
    household_id: str,
    lines: Lines,
    on: str,
    trip_id: str | None,
    today: str | None = None,
    replaces: str | None = None,
) -> list[DeliveryWarning]:
    """What a person must give a reason for. `lines`: item code → quantity; `on`, `today`: YYYY-MM-DD.

    `replaces`: the delivery that this one corrects, which then counts no more.
    """
    alias = of_one(conn, household_id)
    names = items(conn)
    known = {item: names.get(item, unknown_item(item)) for item in lines}
    head = trip(conn, trip_id) if trip_id else None
    return [
        *_closed(conn, household_id, alias),
        *_date(on, today or clock.wall().astimezone(ZONE).date().isoformat(), head),
        *_repeats(conn, alias, household_id, known, on, replaces or ""),
        *(_of_trip(conn, alias, household_id, lines, known, trip_id, replaces or "") if trip_id and lines else ()),
    ]


def visit_warnings(conn: Connection, household_id: str, on: str, today: str | None = None) -> list[DeliveryWarning]:
    """What to look at twice before a visit is saved: the household is closed or merged, or the day is to come."""
    day = today or clock.wall().astimezone(ZONE).date().isoformat()
    return [*_closed(conn, household_id, of_one(conn, household_id)), *_date(on, day, None)]


_CLOSED = select(Household.closed_reason, Household.closed_on).where(Household.id == bindparam("id"))


def _closed(conn: Connection, household: str, alias: Aliases) -> Iterator[DeliveryWarning]:
    row = conn.execute(_CLOSED, {"id": household}).first()
    into = None if alias.of(household) == household else alias.of(household)
    if row is not None and (row.closed_reason or into):
        members = {"reason": row.closed_reason, "closed_on": row.closed_on, "into": into}
        yield DeliveryWarning("household-closed", None, members)


def _date(on: str, today: str, head: TripHead | None) -> Iterator[DeliveryWarning]:
    if on > today:
        yield DeliveryWarning("date", None, {"date": on, "today": today})
    elif head is not None and not head.starts <= on <= head.ends:
        yield DeliveryWarning("date", None, {"date": on, "starts": head.starts, "ends": head.ends})


_ids: Any = bindparam("ids", expanding=True)
_codes: Any = bindparam("codes", expanding=True)
_LINES = (
    select(
        DeliveryLine.item,
        DeliveryLine.date,
        func.sum(DeliveryLine.quantity).label("quantity"),
        Team.name.label("team_name"),
    )
    .join(Delivery, Delivery.id == DeliveryLine.delivery)
    .join(Trip, Trip.id == Delivery.trip, isouter=True)
    .join(Team, Team.id == Trip.team, isouter=True)
    .where(DeliveryLine.household.in_(_ids), DeliveryLine.item.in_(_codes), DeliveryLine.counts)
    .where(DeliveryLine.delivery != bindparam("without"))
    .group_by(DeliveryLine.delivery, DeliveryLine.item, DeliveryLine.date, Team.name)
)
_BROUGHT = select(Household.brought).where(Household.id.in_(_ids))


@dataclass(frozen=True, slots=True)
class _Given:
    item: str
    date: str
    quantity: int
    team: str


def _repeats(
    conn: Connection, alias: Aliases, household: str, known: Mapping[str, ItemName], on: str, without: str
) -> Iterator[DeliveryWarning]:
    """For each item the delivery that is nearest in time, when that is too near."""
    given = _given(conn, alias, household, list(known), without)
    for code, name in known.items():
        near = [one for one in given if one.item == code and too_soon(one.date, on, name.repeat_days)]
        if near and name.repeat_days is not None:
            nearest = min(near, key=lambda one: days_apart(one.date, on))
            until = date.fromisoformat(nearest.date) + timedelta(days=name.repeat_days)
            yield DeliveryWarning(
                "repeat-interval",
                code,
                {
                    "item_name": name.name,
                    "unit": name.unit,
                    "quantity": nearest.quantity,
                    "date": nearest.date,
                    "days": days_apart(nearest.date, on),
                    "repeat_days": name.repeat_days,
                    "until": until.isoformat(),
                    "team": nearest.team,
                },
            )


def _given(conn: Connection, alias: Aliases, household: str, codes: list[str], without: str) -> list[_Given]:
    """What it got of these items, also under other ids, and what it brought from the town that it came from."""
    ids = alias.all(household)
    rows = conn.execute(_LINES, {"ids": ids, "codes": codes, "without": without}) if codes else ()
    given = [_Given(row.item, row.date, int(row.quantity), row.team_name or "") for row in rows]
    brought = conn.execute(_BROUGHT, {"ids": ids}).scalars() if codes else ()
    return given + [_Given(one["item"], one["date"], one["quantity"], "") for each in brought for one in each]


def _of_trip(
    conn: Connection,
    alias: Aliases,
    household: str,
    lines: Lines,
    known: Mapping[str, ItemName],
    trip_id: str,
    without: str,
) -> Iterator[DeliveryWarning]:
    ids = alias.all(household)
    allotted = _sums(
        conn,
        select(Allocation.item, func.sum(Allocation.quantity).label("quantity"))
        .where(Allocation.trip == trip_id, Allocation.household.in_(ids))
        .group_by(Allocation.item),
    )
    got = _sums(
        conn,
        select(DeliveryLine.item, func.sum(DeliveryLine.quantity).label("quantity"))
        .where(DeliveryLine.trip == trip_id, DeliveryLine.household.in_(ids), DeliveryLine.counts)
        .where(DeliveryLine.delivery != without)
        .group_by(DeliveryLine.item),
    )
    on_truck = _on_truck(conn, trip_id, without)
    for item, quantity in lines.items():
        shared = {"item_name": known[item].name, "unit": known[item].unit, "quantity": quantity}
        left = allotted[item] - got[item]
        if not allotted[item]:
            yield DeliveryWarning("outside-allocation", item, {"item_name": known[item].name})
        elif quantity > left:
            yield DeliveryWarning("over-allocation", item, {**shared, "allotted": allotted[item], "left": left})
        if on_truck is not None and known[item].item_class != "service" and quantity > on_truck.get(item, 0):
            yield DeliveryWarning("over-stock", item, {**shared, "on_truck": on_truck.get(item, 0)})


def over_truck(conn: Connection, trip_id: str, lines: Lines) -> list[DeliveryWarning]:
    """Of what is to go off a trip's truck, the items that it has less of."""
    on_truck, names = _on_truck(conn, trip_id, ""), items(conn)
    known = {item: names.get(item, unknown_item(item)) for item in lines}
    return [
        DeliveryWarning(
            "over-stock", item, {"item_name": known[item].name, "unit": known[item].unit, "quantity": quantity,
                                 "on_truck": on_truck.get(item, 0)},
        )
        for item, quantity in lines.items()
        if on_truck is not None and quantity > on_truck.get(item, 0)
    ]  # fmt: skip


def _sums(conn: Connection, query: Any) -> Counter[str]:
    return Counter({row.item: int(row.quantity) for row in conn.execute(query)})


def _on_truck(conn: Connection, trip_id: str, without: str) -> dict[str, int] | None:
    """None where nobody has written down what was loaded: then the books cannot say that it is too much."""
    truck = place.truck(trip_id)
    loaded = select(StockLine.source).where(StockLine.to_place == truck).limit(1)
    if conn.execute(loaded).first() is None:
        return None
    back = select(StockLine.item, func.sum(StockLine.quantity).label("quantity")).where(
        StockLine.source == without, StockLine.from_place == truck
    )
    return dict(Counter(on_place(conn, truck)) + _sums(conn, back.group_by(StockLine.item)))
