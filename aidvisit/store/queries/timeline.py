"""Everything that happened to one household, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from aidvisit.domain import mask
from aidvisit.store.apply.rows import order_key
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.catalog import ItemName, Quantity, items, named
from aidvisit.store.queries.held import Decision, decided
from aidvisit.store.queries.trip import ZONE, recorded_at
from aidvisit.store.tables import Delivery, DeliveryLine, FieldDevice, Team, Trip, User, Visit
from sync import blobs, log, tables
from sync.log import Entry

TimelineKind = Literal["delivery", "visit", "registered", "updated", "closed", "reopened", "merged", "unmerged"]
OF_HOUSEHOLD: dict[str, TimelineKind] = {
    "household.registered": "registered",
    "household.updated": "updated",
    "household.closed": "closed",
    "household.reopened": "reopened",
    "household.merged": "merged",
    "household.unmerged": "unmerged",
}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One fact. `id`: its subject. `recorded_at`: aware, UTC; `date`: of what happened.

    `sent`: whether the centre has acknowledged it, of this device's own facts, else None. `changes`: paths that an
    edit set. `held`: SHA-256 of photos and signatures that are here.
    `note`: of a visit or delivery; of a closing, an edit or a merge its reason. `by`: who recorded it.
    `quarantined`: the centre holds it for review; `decision`: what became of it there, where it once was held.
    """

    id: str
    kind: TimelineKind
    date: str
    recorded_at: datetime
    by: str
    device_name: str
    sent: bool | None
    quarantined: bool
    team: str = ""
    trip: str | None = None
    trip_title: str = ""
    lines: list[Quantity] = field(default_factory=list)
    from_place: str | None = None
    received_by: str | None = None
    received_as: str | None = None
    relation: str | None = None
    proofs: list[dict[str, Any]] = field(default_factory=list)
    held: frozenset[str] = frozenset()
    handed_by: list[str] = field(default_factory=list)
    witness: str | None = None
    note: str | None = None
    outcome: str | None = None
    purposes: list[str] = field(default_factory=list)
    void_reason: str | None = None
    replaced: bool = False
    counts: bool = True
    overrides: list[dict[str, Any]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class _Names:
    """What ids stand for, read once for the whole page."""

    users: Mapping[str, Row[Any]]
    trips: Mapping[str, Row[Any]]
    devices: Mapping[str, str]
    items: Mapping[str, ItemName]
    own: str | None
    acknowledged: int
    quarantined: frozenset[tuple[str, int]]
    blobs: frozenset[str]
    decisions: Mapping[tuple[str, int], Decision]

    def user(self, identity: str) -> str:
        return self.users[identity].name if identity in self.users else ""

    def team(self, trip: str | None, actor: str) -> str:
        """The trip's team, else the actor's."""
        row = self.trips.get(trip or "") or self.users.get(actor)
        return (row.team_name or "") if row else ""

    def shared(self, device: str, seq: int, key: str, actor: str) -> dict[str, Any]:
        return {
            "recorded_at": recorded_at(key),
            "by": self.user(actor),
            "device_name": self.devices.get(device, ""),
            "sent": seq <= self.acknowledged if device == self.own else None,
            "quarantined": (device, seq) in self.quarantined,
            "decision": self.decisions.get((device, seq)),
        }


def timeline(conn: Connection, household: str, zone: ZoneInfo = ZONE) -> list[TimelineEntry]:
    """Deliveries, visits and edits of a household and of all that were merged into it; void ones are shown, marked.

    Newest first, by the date of what happened. Some ten statements, however long it is.
    """
    alias = aliases(conn)
    ids = alias.all(household)
    deliveries = conn.execute(select(Delivery.__table__).where(Delivery.household.in_(ids))).all()
    visits = conn.execute(select(Visit.__table__).where(Visit.household.in_(ids))).all()
    edits = [entry for identity in ids for entry in log.entries_of(conn, identity) if entry.op.kind in OF_HOUSEHOLD]
    names = _names(conn, [*deliveries, *visits], edits)
    lines = _lines(conn, [row.id for row in deliveries])
    found = [
        *((row.order_key, _delivery(row, lines.get(row.id, []), names)) for row in deliveries),
        *((row.order_key, _visit(row, names)) for row in visits),
        *((order_key(entry), _edit(entry, names, zone)) for entry in edits),
    ]
    found.sort(key=lambda pair: (pair[1].date, pair[0]), reverse=True)
    return [entry for _, entry in found]


def proves(conn: Connection, household: str, sha256: str) -> bool:
    """Whether a delivery to a household, or a visit, also of those merged into it, names this proof."""
    ids = aliases(conn).all(household)
    named = [select(model.proofs).where(model.household.in_(ids)) for model in (Delivery, Visit)]
    return any(proof.get("sha256") == sha256 for query in named for row in conn.scalars(query) for proof in row)


def _lines(conn: Connection, deliveries: list[str]) -> dict[str, list[Row[Any]]]:
    query = select(DeliveryLine.delivery, DeliveryLine.item, DeliveryLine.quantity)
    found: dict[str, list[Row[Any]]] = {}
    for row in conn.execute(query.where(DeliveryLine.delivery.in_(deliveries)).order_by(DeliveryLine.line)):
        found.setdefault(row.delivery, []).append(row)
    return found


def _names(conn: Connection, rows: list[Row[Any]], edits: list[Entry]) -> _Names:
    actors = {row.actor for row in rows} | {entry.op.actor for entry in edits}
    actors |= {user for row in rows for user in (row._mapping.get("handed_by") or row._mapping.get("visited_by") or ())}
    proofs = [proof for row in rows for proof in row.proofs]
    subjects = {row.id for row in rows} | {entry.op.subject for entry in edits}
    users = select(User.id, User.name, Team.name.label("team_name")).join(Team, Team.id == User.team, isouter=True)
    trips = select(Trip.id, Trip.title, Team.name.label("team_name")).join(Team, Team.id == Trip.team, isouter=True)
    held = select(tables.op.c.device, tables.op.c.seq).where(
        tables.op.c.subject.in_(subjects), tables.op.c.problem.is_not(None), tables.op.c.dismissed.is_(False)
    )
    return _Names(
        _by_id(conn.execute(users.where(User.id.in_(actors)))),
        _by_id(conn.execute(trips.where(Trip.id.in_({row.trip for row in rows if row.trip})))),
        {row.id: row.name for row in conn.execute(select(FieldDevice.id, FieldDevice.name))},
        items(conn),
        None if log.is_centre(conn) else log.recall(conn, "device"),
        int(log.recall(conn, "acked", 0)),
        frozenset((row.device, row.seq) for row in conn.execute(held)),
        frozenset(blobs.held(conn, {proof["sha256"] for proof in proofs if "sha256" in proof})),
        decided(conn, subjects),
    )


def _by_id(rows: Iterable[Row[Any]]) -> dict[str, Row[Any]]:
    return {row.id: row for row in rows}


def _delivery(row: Row[Any], lines: list[Row[Any]], names: _Names) -> TimelineEntry:
    known = {name.code: name for name in named(names.items, {line.item for line in lines})}
    return TimelineEntry(
        row.id,
        "delivery",
        row.date,
        **names.shared(row.device, row.seq, row.order_key, row.actor),
        team=names.team(row.trip, row.actor),
        trip=row.trip,
        trip_title=names.trips[row.trip].title if row.trip in names.trips else "",
        lines=[_quantity(known[line.item], line.quantity) for line in lines],
        from_place=row.from_place,
        received_by=row.received_by,
        received_as=row.received_as,
        relation=row.received_relation,
        proofs=row.proofs,
        held=names.blobs,
        handed_by=[names.user(user) for user in row.handed_by if names.user(user)],
        witness=row.witness["name"] if row.witness else None,
        note=mask.text(row.note),
        void_reason=mask.text(row.void_reason),
        replaced=row.replaced,
        counts=row.counts,
        overrides=[one | {"reason": mask.text(one["reason"])} for one in row.overrides],
    )


def _quantity(name: ItemName, quantity: int) -> Quantity:
    return Quantity(name.code, name.name, name.unit, name.spec, quantity)


def _visit(row: Row[Any], names: _Names) -> TimelineEntry:
    return TimelineEntry(
        row.id,
        "visit",
        row.date,
        **names.shared(row.device, row.seq, row.order_key, row.actor),
        team=names.team(row.trip, row.actor),
        trip=row.trip,
        trip_title=names.trips[row.trip].title if row.trip in names.trips else "",
        handed_by=[names.user(user) for user in row.visited_by if names.user(user)],
        proofs=row.proofs,
        held=names.blobs,
        note=mask.text(row.note),
        outcome=row.outcome,
        purposes=row.purposes,
        void_reason=mask.text(row.void_reason),
        counts=row.void_reason is None,
    )


def _edit(entry: Entry, names: _Names, zone: ZoneInfo) -> TimelineEntry:
    op, key = entry.op, order_key(entry)
    return TimelineEntry(
        op.subject,
        OF_HOUSEHOLD[op.kind],
        op.body.get("date") or recorded_at(key).astimezone(zone).date().isoformat(),
        **names.shared(op.device, op.seq, key, op.actor),
        team=names.team(None, op.actor),
        note=mask.text(op.body.get("reason")),
        changes=_changed(op.body) if op.kind == "household.updated" else [],
    )


def _changed(body: Mapping[str, Any]) -> list[str]:
    """Paths that were set, then the sets that something was added to or removed from."""
    sets = {name for change in ("add", "remove") for name in body.get(change) or ()}
    return [*sorted(body.get("set") or ()), *sorted(sets)]
