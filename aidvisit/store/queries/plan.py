"""A trip that is planned: whom it is for, what for, whether the warehouse has it, and how far its approval is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from aidvisit.domain.allotment import Entitled
from aidvisit.domain.place import truck
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases, stands
from aidvisit.store.queries.belonging import held
from aidvisit.store.queries.catalog import items, named
from aidvisit.store.queries.lease import Overlap, overlaps
from aidvisit.store.queries.progress import Stop, stops
from aidvisit.store.queries.trip import TripHead, trip
from aidvisit.store.tables import Allocation, Household, Release, StockLine, User
from sync import log
from sync.log import Entry
from sync.rows import among

STEPS = ("trip.planned", "trip.locked", "trip.approved", "trip.released", "trip.closed", "trip.reopened")


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """`in_stock`: in all warehouses and funds by the books. `taken`: what this trip has got out of them already."""

    item: str
    name: str
    unit: str
    spec: str | None
    allotted: int
    households: int
    in_stock: int
    taken: int

    @property
    def missing(self) -> int:
        """What neither the trip has nor any warehouse or fund."""
        return max(0, self.allotted - self.taken - self.in_stock)


@dataclass(frozen=True, slots=True)
class PlannedHousehold:
    """`allotted`: quantity by item code. `closed`: why it gets nothing any more."""

    id: str
    name: str
    group: str
    size: int | None
    categories: Sequence[str]
    allotted: Mapping[str, int]
    overlaps: Sequence[Overlap]
    closed: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody did with the plan as a whole. `at`: the clock of its place in the order."""

    kind: str
    at: str
    actor: str
    name: str
    note: str | None


@dataclass(frozen=True, slots=True)
class Approval:
    """`stands`: approved, and nothing of the allotment changed since. `changed`: how many lines did.

    `locked_by`, `approved_by`: the last who did, by id.
    """

    locked_by: str | None
    approved_by: str | None
    changed: int

    @property
    def stands(self) -> bool:
        return self.approved_by is not None and not self.changed


@dataclass(frozen=True, slots=True)
class Plan:
    trip: TripHead
    items: list[PlannedItem]
    households: list[PlannedHousehold]
    steps: list[Step]
    approval: Approval
    releases: Mapping[str, Sequence[str]]
    """By device the village groups that it serves, none: all."""

    @property
    def groups(self) -> dict[str, int]:
        """How many households with an allotment each village group has, in visiting order."""
        return dict(Counter(one.group for one in self.households))

    @property
    def overlapping(self) -> list[PlannedHousehold]:
        return [one for one in self.households if one.overlaps]


def plan(conn: Connection, trip_id: str, today: str, scope: Scope = EVERYTHING) -> Plan | None:
    """`today`: the day of ages. None when there is no such trip, or none in this scope."""
    head = trip(conn, trip_id, scope)
    if head is None:
        return None
    found = [stop for stop in stops(conn, trip_id, scope) if stop.allotted]
    entries = log.entries_of(conn, trip_id, (*STEPS, "allocation.set"))
    return Plan(
        head, _items(conn, trip_id, found), _households(conn, trip_id, found, today), _steps(conn, entries),
        approval(entries), _releases(conn, trip_id),
    )  # fmt: skip


def approval(entries: Iterable[Entry]) -> Approval:
    """Of a trip's facts in their order: an approval counts until the allotment changes."""
    locked = approved = None
    changed = 0
    for entry in entries:
        op = entry.op
        if op.kind == "trip.locked":
            locked = op.actor
        elif op.kind == "trip.approved":
            approved, changed = op.actor, 0
        elif op.kind == "allocation.set":
            changed += len(op.body["lines"])
    return Approval(locked, approved, changed if approved else 0)


def _items(conn: Connection, trip_id: str, found: Iterable[Stop]) -> list[PlannedItem]:
    allotted: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for stop in found:
        allotted.update(stop.allotted)
        times.update(stop.allotted.keys())
    stored = _moved(conn, lambda place: place.startswith("warehouse:") | place.startswith("fund:"))
    taken = _moved(conn, lambda place: place == truck(trip_id))
    return [
        PlannedItem(
            name.code, name.name, name.unit, name.spec, allotted[name.code], times[name.code], stored[name.code],
            taken[name.code],
        )
        for name in named(items(conn), allotted)
    ]  # fmt: skip


def _moved(conn: Connection, there: Callable[[Any], Any]) -> Counter[str]:
    """By item, what was moved to such places, less what was moved away."""
    held: Counter[str] = Counter()
    for column, sign in ((StockLine.to_place, 1), (StockLine.from_place, -1)):
        query = select(StockLine.item, func.sum(StockLine.quantity).label("quantity")).where(there(column))
        for row in conn.execute(query.group_by(StockLine.item)):
            held[row.item] += sign * int(row.quantity)
    return held


def _households(conn: Connection, trip_id: str, found: Sequence[Stop], today: str) -> list[PlannedHousehold]:
    met: dict[str, list[Overlap]] = {}
    for one in overlaps(conn, trip_id, aliases(conn)):
        met.setdefault(one.household, []).append(one)
    rows = conn.execute(_PEOPLE.where(among(conn, Household.id, [stop.household for stop in found]))).all()
    known, categories = {row.id: row for row in rows}, held(conn, rows, today)
    return [
        PlannedHousehold(
            stop.household, stop.name, stop.group, row.size if row else None,
            sorted(categories.get(stop.household, ())),
            stop.allotted, met.get(stop.household, ()), row.closed_reason if row else None,
        )
        for stop in found
        for row in [known.get(stop.household)]
    ]  # fmt: skip


_PEOPLE = select(
    Household.id, Household.kind, Household.size, Household.head_born, Household.head_id_number, Household.closed_reason
)


def _steps(conn: Connection, entries: Iterable[Entry]) -> list[Step]:
    taken = [entry for entry in entries if entry.op.kind in STEPS]
    actors = {entry.op.actor for entry in taken}
    names = {row.id: row.name for row in conn.execute(select(User.id, User.name).where(User.id.in_(actors)))}
    return [
        Step(op.kind, entry.clock, op.actor, names.get(op.actor, ""), op.body.get("note") or op.body.get("reason"))
        for entry in taken
        for op in [entry.op]
    ]


def lines(conn: Connection, trip_id: str) -> dict[tuple[str, str], int]:
    """The allotment as it was recorded, by (household, item): households that were merged have lines of their own."""
    query = select(Allocation.household, Allocation.item, Allocation.quantity).where(Allocation.trip == trip_id)
    return {(row.household, row.item): row.quantity for row in conn.execute(query) if row.quantity}


def _releases(conn: Connection, trip_id: str) -> dict[str, list[str]]:
    query = select(Release.device, Release.groups).where(Release.trip == trip_id)
    return {row.device: row.groups for row in conn.execute(query)}


def entitled(conn: Connection, divisions: Iterable[str], today: str, scope: Scope = EVERYTHING) -> list[Entitled]:
    """The open households of some divisions as rules look at them on a day, by village and group."""
    query = _PEOPLE.where(
        within.under(Household.division.expression, divisions),
        within.places(Household.division.expression, scope),
        Household.closed_reason.is_(None),
        stands(conn, aliases(conn)),
    ).order_by(Household.division, Household.village_group, Household.name, Household.id)
    rows = conn.execute(query).all()
    categories = held(conn, rows, today)
    return [Entitled(row.id, frozenset(categories[row.id]), row.size) for row in rows]
