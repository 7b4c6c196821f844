"""What a page of the inbox shows of each item: both sides, in full, as they are now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.inbox import Item
from aidvisit.store.queries import conflict, held, trip
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.catalog import Quantity, items, quantities
from aidvisit.store.queries.conflict import Conflict
from aidvisit.store.queries.held import Held
from aidvisit.store.queries.reconcile import ItemRow, item_rows
from aidvisit.store.queries.trip import TripHead, recorded_at
from aidvisit.store.tables import Allocation, Delivery, DeliveryLine, FieldDevice, Household, Team, Trip, User
from sync.rows import among

SIDES = 12
"""So many deliveries of one item are shown; the first ones."""


@dataclass(frozen=True, slots=True)
class Side:
    """A delivery. `name`: "" of a household outside. `reasons`: why somebody went on past a warning.

    `planned`: what the trip's list has for the household. `pictures`: (how it proves, SHA-256).
    """

    id: str
    household: str
    name: str
    group: str
    date: str
    recorded: datetime
    lines: list[Quantity]
    planned: list[Quantity]
    received_by: str
    received_as: str
    relation: str | None
    trip: str | None
    trip_title: str
    team_name: str
    device_name: str
    reasons: list[str]
    counts: bool
    pictures: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Shown:
    """An item with what it is about: deliveries, a conflict, a held record, or a trip and what of it is open.

    `n`: of how many deliveries. `item_name`: of a duplicate.
    """

    item: Item
    assigned_name: str
    settled_name: str
    sides: list[Side] = field(default_factory=list)
    n: int = 0
    item_name: str = ""
    conflict: Conflict | None = None
    held: Held | None = None
    trip: TripHead | None = None
    rows: list[ItemRow] = field(default_factory=list)


def shown(conn: Connection, found: Sequence[Item], scope: Scope = EVERYTHING) -> list[Shown]:
    """Some twenty statements for the deliveries of a page; those of conflicts and trips for each."""
    wanted = {one for item in found for one in item.deliveries[:SIDES]}
    sides = _sides(conn, wanted, scope)
    people = {one for item in found for one in (item.assigned_to, item.settled_by) if one}
    query = select(User.id, User.name).where(among(conn, User.id, people))
    names = {row.id: row.name for row in conn.execute(query)}
    goods = items(conn)
    places = [(str(item.about["device"]), int(item.about["seq"])) for item in found if item.kind == "held"]
    waiting = {(one.device, one.seq): one for one in held.some(conn, scope, places)}
    return [
        Shown(
            item,
            names.get(item.assigned_to or "", ""),
            names.get(item.settled_by or "", ""),
            [sides[one] for one in item.deliveries[:SIDES] if one in sides],
            len(item.deliveries),
            goods[item.about["item"]].name if item.about.get("item") in goods else "",
            _conflict(conn, item, scope),
            waiting.get((item.about.get("device", ""), item.about.get("seq", 0))),
            *_trip(conn, item, scope),
        )
        for item in found
    ]


def _conflict(conn: Connection, item: Item, scope: Scope) -> Conflict | None:
    if item.kind != "conflict":
        return None
    found = conflict.of_household(conn, str(item.about["household"]), scope)
    return next((one for one in found if one.path == item.about["path"]), None)


def _trip(conn: Connection, item: Item, scope: Scope) -> tuple[TripHead | None, list[ItemRow]]:
    if item.kind != "stock":
        return None, []
    head = trip.trip(conn, str(item.about["trip"]), scope)
    return head, [row for row in item_rows(conn, head.id) if not row.settled] if head else []


def _sides(conn: Connection, ids: Collection[str], scope: Scope) -> dict[str, Side]:
    rows = conn.execute(_deliveries().where(among(conn, Delivery.id, ids))).all()
    alias, goods = aliases(conn), items(conn)
    homes = {alias.of(row.household) for row in rows}
    households = select(Household.id, Household.name, Household.village_group)
    inside = within.places(Household.division.expression, scope)
    known = {row.id: row for row in conn.execute(households.where(among(conn, Household.id, homes), inside))}
    lines: dict[str, dict[str, int]] = {}
    given = select(DeliveryLine.delivery, DeliveryLine.item, DeliveryLine.quantity)
    for line in conn.execute(given.where(among(conn, DeliveryLine.delivery, ids))):
        sums = lines.setdefault(line.delivery, {})
        sums[line.item] = sums.get(line.item, 0) + line.quantity
    planned = _planned(conn, alias.spread(homes), {row.trip for row in rows if row.trip})
    found = {}
    for row in rows:
        home = alias.of(row.household)
        of_list: dict[str, int] = {}
        for one in alias.all(home):
            for code, quantity in planned.get((row.trip, one), {}).items():
                of_list[code] = of_list.get(code, 0) + quantity
        found[row.id] = Side(
            row.id, home, known[home].name if home in known else "",
            (known[home].village_group or "") if home in known else "", row.date, recorded_at(row.order_key),
            quantities(goods, lines.get(row.id, {})), quantities(goods, of_list), row.received_by, row.received_as,
            row.received_relation, row.trip, row.title or "", row.team_name or "", row.device_name or "",
            list(dict.fromkeys(str(one["reason"]) for one in row.overrides if one.get("reason"))), row.counts,
            [(one["as"], one["sha256"]) for one in row.proofs if one.get("sha256")] if home in known else [],
        )  # fmt: skip
    return found


def _deliveries() -> Select[Any]:
    return (
        select(
            Delivery.id, Delivery.household, Delivery.date, Delivery.order_key, Delivery.received_by,
            Delivery.received_as, Delivery.received_relation, Delivery.trip, Delivery.overrides, Delivery.counts,
            Delivery.proofs, Trip.title, Team.name.label("team_name"), FieldDevice.name.label("device_name"),
        )
        .join(Trip, Trip.id == Delivery.trip, isouter=True)
        .join(Team, Team.id == Trip.team, isouter=True)
        .join(FieldDevice, FieldDevice.id == Delivery.device, isouter=True)
    )  # fmt: skip


def _planned(
    conn: Connection, homes: Iterable[str], trips: Collection[str]
) -> Mapping[tuple[str | None, str], dict[str, int]]:
    query = select(Allocation.trip, Allocation.household, Allocation.item, Allocation.quantity).where(
        among(conn, Allocation.household, list(homes)), among(conn, Allocation.trip, trips), Allocation.quantity > 0
    )
    found: dict[tuple[str | None, str], dict[str, int]] = {}
    for row in conn.execute(query):
        found.setdefault((row.trip, row.household), {})[row.item] = row.quantity
    return found
