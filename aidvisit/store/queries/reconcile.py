"""One trip's reconciliation: where the goods went, who got what, and deliveries that look like duplicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, distinct, func, select

from aidvisit.domain import place
from aidvisit.domain.balance import Balance, unexplained
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import Selection
from aidvisit.store.queries import held
from aidvisit.store.queries.account import DeviceRow, device_rows
from aidvisit.store.queries.alias import Aliases, aliases
from aidvisit.store.queries.catalog import ItemName, Quantity, is_goods, items, named, quantities
from aidvisit.store.queries.closing import LateFact, Step, late, steps
from aidvisit.store.queries.duplicate import Duplicate, duplicates
from aidvisit.store.queries.figures import totals
from aidvisit.store.queries.lots import LotRow, by_lot
from aidvisit.store.queries.progress import State, Stop, stops
from aidvisit.store.queries.trip import TripHead, trip
from aidvisit.store.queries.truck import Count, balances, last_counts
from aidvisit.store.tables import Delivery, FieldConflict, Release, Trip
from sync.rows import among
from sync.tables import op as op_table


@dataclass(frozen=True, slots=True)
class ItemRow:
    """`loaded + gained = delivered + returned + lost + held + on_truck`, always: goods are only moved.

    `counted`: at the last count of the truck. `difference`: what nobody can account for, more than 0 when it is
    missing (少), less when there is too much (多): `on_truck` by the books less what the count says must still be
    there (`truck.last_counts`). While nobody has counted, it is 0: what is on the truck is simply still there.
    `explained_for`: how much of it the reasons that were given at that count are for.
    """

    item: str
    name: str
    unit: str
    allocated: int
    loaded: int
    gained: int
    delivered: int
    returned: int
    lost: int
    held: int
    on_truck: int
    counted: int | None
    difference: int
    explained: str | None
    explained_for: int = 0
    is_goods: bool = True

    @property
    def missing(self) -> int:
        """What nobody has given a reason for: of the difference, what the reasons of the last count do not cover."""
        return unexplained(self.difference, self.explained_for)

    @property
    def still_there(self) -> int:
        """What must be on the truck now: it goes back, into custody or to a household before the trip is closed."""
        return self.on_truck - self.difference

    @property
    def settled(self) -> bool:
        """Nothing is left on the truck that nobody accounts for; a service is on none."""
        return not self.is_goods or (self.missing == 0 and self.still_there == 0)


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """`signed`: the proof of the last delivery that counts (signature, photo, thumbprint, paper, none)."""

    id: str
    name: str
    group: str
    allocated: list[Quantity]
    delivered: list[Quantity]
    owed: list[Quantity]
    signed: str | None
    received_by: str | None
    received_as: str | None
    relation: str | None
    state: State
    outcome: str | None


@dataclass(frozen=True, slots=True)
class ReportingDevice:
    """A laptop that carries the trip: the last op held of it, and when it was last heard of."""

    id: str
    name: str
    through: int
    last_seen: str | None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    trip: TripHead
    items: list[ItemRow]
    households: list[HouseholdRow]
    devices: list[ReportingDevice]
    duplicates: list[Duplicate]
    conflicts: int = 0
    held: int = 0
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    lots: list[LotRow] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    late: list[LateFact] = field(default_factory=list)

    @property
    def unsettled(self) -> list[ItemRow]:
        """What must be explained or brought back before the trip is closed."""
        return [row for row in self.items if not row.settled]


def reconcile(conn: Connection, trip_id: str, scope: Scope = EVERYTHING) -> Reconciliation:
    """Some fifty statements, whatever the number of households.

    `conflicts`: households of the trip with edits that disagree; `held`: records about it that wait for review;
    `elsewhere`: by item, what households got on the trip, but not from its truck.
    Raises: LookupError when there is no such trip, or none in this scope.
    """
    head = trip(conn, trip_id, scope)
    if head is None:
        raise LookupError(trip_id)
    names = items(conn)
    found, asked = stops(conn, trip_id, scope), Selection(trip=trip_id)
    homes = aliases(conn).spread(stop.household for stop in found)
    return Reconciliation(
        head,
        _items(conn, trip_id, found, names),
        _households(conn, trip_id, found, names),
        _devices(conn, trip_id, scope),
        duplicates(conn, trip_id, scope, homes),
        _conflicts(conn, homes),
        _held(conn, trip_id),
        _elsewhere(conn, asked, scope),
        by_lot(conn, asked, scope),
        steps(conn, trip_id),
        late(conn, trip_id, scope),
    )


def _conflicts(conn: Connection, households: Sequence[str]) -> int:
    query = select(func.count(distinct(FieldConflict.subject))).where(among(conn, FieldConflict.subject, households))
    return conn.execute(query).scalar_one()


def _held(conn: Connection, trip_id: str) -> int:
    return conn.execute(select(func.count()).select_from(op_table).where(held.about_trip(trip_id))).scalar_one()


def _elsewhere(conn: Connection, asked: Selection, scope: Scope) -> dict[str, int]:
    """Given from custody or a warehouse. Both are counted as their entries are."""
    all_given = totals(conn, "delivered", asked, scope, today="")
    own = totals(conn, "delivered", asked.but(place=place.truck(asked.trip)), scope, today="")
    left = {item: quantity - own.get(item, 0) for item, quantity in all_given.items()}
    return {item: quantity for item, quantity in left.items() if quantity}


def item_rows(conn: Connection, trip_id: str) -> list[ItemRow]:
    """Where the goods of one trip went, by item."""
    return _items(conn, trip_id, stops(conn, trip_id), items(conn))


def _items(conn: Connection, trip_id: str, found: list[Stop], names: Mapping[str, ItemName]) -> list[ItemRow]:
    allocated: Counter[str] = Counter()
    for stop in found:
        allocated.update(stop.allotted)
    moved = balances(conn, trip_id)
    counts = last_counts(conn, place.truck(trip_id))
    rows = []
    for name in named(names, allocated.keys() | moved.keys() | counts.keys()):
        line, count = moved.get(name.code, Balance()), counts.get(name.code)
        rows.append(_item(name, allocated[name.code], line, count, is_goods(names, name.code)))
    return rows


def _item(name: ItemName, allocated: int, line: Balance, count: Count | None, goods: bool) -> ItemRow:
    return ItemRow(
        name.code,
        name.name,
        name.unit,
        allocated,
        line.loaded,
        line.gained,
        line.delivered,
        line.returned,
        line.lost,
        line.held,
        line.on_truck,
        None if count is None else count.counted,
        0 if count is None else line.difference(count.still_there),
        None if count is None else count.explained,
        0 if count is None else count.explained_for,
        goods,
    )


def _households(conn: Connection, trip_id: str, found: list[Stop], names: Mapping[str, ItemName]) -> list[HouseholdRow]:
    signed = _signed(conn, trip_id, aliases(conn))
    return [_household(stop, signed.get(stop.household), names) for stop in found]


def _signed(conn: Connection, trip_id: str, alias: Aliases) -> dict[str, Row[Any]]:
    query = (
        select(
            Delivery.household,
            Delivery.proofs,
            Delivery.received_by,
            Delivery.received_as,
            Delivery.received_relation,
        )
        .where(Delivery.trip == trip_id, Delivery.counts)
        .order_by(Delivery.order_key)
    )
    return {alias.of(row.household): row for row in conn.execute(query)}


def _household(stop: Stop, signed: Row[Any] | None, names: Mapping[str, ItemName]) -> HouseholdRow:
    proofs = [proof.get("as") for proof in signed.proofs] if signed else []
    return HouseholdRow(
        stop.household,
        stop.name,
        stop.group,
        quantities(names, stop.allotted),
        quantities(names, stop.delivered),
        quantities(names, stop.owed),
        proofs[0] if proofs else None,
        signed.received_by if signed else None,
        signed.received_as if signed else None,
        signed.received_relation if signed else None,
        stop.state,
        stop.visit.outcome if stop.visit else None,
    )


def _devices(conn: Connection, trip_id: str, scope: Scope) -> list[ReportingDevice]:
    carrying = {
        *conn.execute(select(Release.device).where(Release.trip == trip_id)).scalars(),
        *conn.execute(select(Trip.planned_by).where(Trip.id == trip_id)).scalars(),
    }
    rows: list[DeviceRow] = [row for row in device_rows(conn, scope) if row.id in carrying]
    return [ReportingDevice(row.id, row.name, row.through, row.last_seen) for row in rows]
