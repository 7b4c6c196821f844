"""What stands around the entries of a timeline: names of what they refer to, and how the household was then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from aidvisit.domain import mask
from aidvisit.domain.flatten import MEMBERS
from aidvisit.domain.history import CATEGORIES, Change, Course
from aidvisit.store.apply.rows import about, order_key, records
from aidvisit.store.queries.author import Authors, authors
from aidvisit.store.queries.catalog import ItemName, Quantity, categories, items, named, names_of, quantities
from aidvisit.store.queries.held import Decision, decided
from aidvisit.store.queries.trip import recorded_at
from aidvisit.store.tables import Allocation, DeliveryLine, Team, Trip
from sync import blobs, clock, log
from sync.log import Entry
from sync.merge import Order
from sync.rows import one_of

_TRIPS = (
    select(Trip.id, Trip.title, Team.name.label("team_name"))
    .join(Team, Team.id == Trip.team, isouter=True)
    .where(one_of(Trip.id, "ids"))
)
_LINES = (
    select(DeliveryLine.delivery, DeliveryLine.item, DeliveryLine.quantity)
    .where(one_of(DeliveryLine.delivery, "ids"))
    .order_by(DeliveryLine.delivery, DeliveryLine.line)
)
_ALLOTTED = select(
    Allocation.trip, Allocation.household, Allocation.item, Allocation.quantity, Allocation.order_key
).where(one_of(Allocation.trip, "ids"), one_of(Allocation.household, "households"))


class Wanted(NamedTuple):
    """A household's ids, rows of its deliveries and visits, and all that is held about each of these."""

    households: Sequence[str]
    rows: Sequence[Row[Any]]
    told: Mapping[str, Sequence[Entry]]


@dataclass(frozen=True, slots=True)
class Around:
    """Read once for a page of entries. `allotted`: by (trip, household) what the allotment says now and said first."""

    told: Mapping[str, Sequence[Entry]]
    courses: Mapping[str, Course]
    members: Mapping[str, str]
    authors: Authors
    trips: Mapping[str, Row[Any]]
    items: Mapping[str, ItemName]
    categories: Mapping[str, str]
    lines: Mapping[str, list[Quantity]]
    allotted: Mapping[tuple[str, str], list[Row[Any]]]
    allotments: Mapping[str, Sequence[Entry]]
    blobs: frozenset[str]
    decisions: Mapping[tuple[str, int], Decision]
    own: str | None
    acknowledged: int
    revealed: bool
    places: Mapping[str, str] = field(default_factory=dict)

    def words(self, text: str | None) -> str | None:
        """Somebody's sentence as it may be shown."""
        return text if self.revealed else mask.text(text)

    def people(self, identities: Iterable[str]) -> list[str]:
        return [name for name in map(self.authors.user, identities) if name]

    def team(self, trip: str | None, actor: str, device: str) -> str:
        """The trip's team, else that of who recorded it."""
        row = self.trips.get(trip or "")
        return (row.team_name or "") if row else self.authors.team(actor, device)

    def member(self, member: str | None) -> str | None:
        """A name, also of somebody who belongs to the household no more."""
        return None if member is None else self.members.get(member, "")

    def shared(
        self, household: str, device: str, seq: int, key: str, actor: str, held: Sequence[Entry]
    ) -> dict[str, Any]:
        """What is said of every fact: who, when, from which device, and what became of it on its way."""
        entry = next((one for one in held if (one.op.device, one.op.seq) == (device, seq)), None)
        return {
            "household": household,
            "recorded_at": recorded_at(key),
            "restamped": _moment(entry.op.hlc) if entry and entry.clock != entry.op.hlc else None,
            "arrived": _arrived(entry) if entry and entry.op.device != self.own else None,
            "by": self.authors.by(actor, device),
            "device_name": self.authors.device(device),
            "sent": seq <= self.acknowledged if device == self.own else None,
            "quarantined": bool(entry and entry.problem is not None and not entry.dismissed),
            "decision": self.decisions.get((device, seq)),
        }

    # --- then and now -------------------------------------------------------------------------------------

    def since(self, household: str, order: Order) -> list[Change]:
        course = self.courses.get(household)
        return [self._worded(change) for change in course.since(order)] if course else []

    def changes(self, entry: Entry) -> list[Change]:
        course = self.courses.get(entry.op.subject)
        (record,) = records([entry])
        return [self._worded(change) for change in course.changes(record)] if course else []

    def allotted_since(self, row: Row[Any]) -> Change | None:
        """What a delivery's trip had for the household when it was recorded, where that is not what it has now."""
        lines = self.allotted.get((row.trip, row.household), [])
        now = {line.item: line.quantity for line in lines}
        then = {line.item: line.quantity for line in lines if line.order_key < row.order_key}
        then |= self._allotted_before(row, {line.item for line in lines} - then.keys())
        if {**now} == {**dict.fromkeys(now, 0), **then}:
            return None
        return Change("allotted", quantities(self.items, then), quantities(self.items, now))

    def _allotted_before(self, row: Row[Any], wanted: Iterable[str]) -> dict[str, int]:
        """Of items whose quantity was set again later: what the log has before the delivery."""
        wanted, found = set(wanted), dict[str, int]()
        for entry in self.allotments.get(row.trip, ()) if wanted else ():
            if order_key(entry) < row.order_key:
                lines = (line for line in entry.op.body["lines"] if line["household"] == row.household)
                found |= {line["item"]: line["quantity"] for line in lines if line["item"] in wanted}
        return found

    def _worded(self, change: Change) -> Change:
        """Codes by their names, and numbers masked, as they may be shown."""
        path = change.path
        return replace(
            change,
            before=self._value(path, change.before),
            after=self._value(path, change.after),
            rivals=tuple(self._value(path, value) for value in change.rivals),
        )

    def _value(self, path: str, value: Any) -> Any:
        last = path.rpartition(".")[2]
        if last == "division" and value is not None:
            return self.places.get(value, value)
        if last == CATEGORIES and isinstance(value, list):
            return [self._category(one) for one in value]
        if path == CATEGORIES and isinstance(value, dict):
            return {"name": self._category(value)} | {key: value.get(key) for key in ("grade", "since", "until")}
        if path == MEMBERS and isinstance(value, dict):
            return {name: self._value(f"{MEMBERS}.{name}", inner) for name, inner in value.items()}
        if isinstance(value, dict):
            return {name: self._value(f"{path}.{name}", inner) for name, inner in value.items()}
        return value if self.revealed else mask.field(path, value)

    def _category(self, one: Any) -> str:
        code = one["code"] if isinstance(one, dict) else one
        return self.categories.get(code, code)


def around(conn: Connection, wanted: Wanted, *, revealed: bool) -> Around:
    """Names and states for these rows and all that is held about the household itself."""
    courses = {one: Course(records(about(wanted.told[one], {"household.registered"}))) for one in wanted.households}
    trips = sorted({row.trip for row in wanted.rows if row.trip})
    deliveries = [row for row in wanted.rows if "handed_by" in row._mapping]
    allotted = _allotted(conn, trips, wanted.households) if deliveries else {}
    known, own = items(conn), None if log.is_centre(conn) else log.recall(conn, "device")
    held = [one for entries in wanted.told.values() for one in entries]
    proofs = {proof["sha256"] for row in wanted.rows for proof in row.proofs if "sha256" in proof}
    return Around(
        wanted.told,
        courses,
        _members(entry for one in wanted.households for entry in wanted.told[one]),
        authors(conn, _people(wanted.rows, held), {one.op.device for one in held}),
        _by_id(conn, _TRIPS, trips),
        known,
        categories(conn),
        _lines(conn, [row.id for row in deliveries], known),
        allotted,
        _allotments(conn, deliveries, allotted),
        frozenset(blobs.held(conn, proofs)) if proofs else frozenset(),
        decided(conn, wanted.told.values()),
        own,
        int(log.recall(conn, "acked", 0)),
        revealed,
        _places(conn, wanted),
    )


def _members(entries: Iterable[Entry]) -> dict[str, str]:
    """By id, the name of everybody who was ever of the household."""
    found = dict[str, str]()
    for body in (entry.op.body for entry in entries if entry.op.kind.startswith("household.")):
        people = [*body.get(MEMBERS, ()), *body.get("add", {}).get(MEMBERS, ())]
        found |= {person["id"]: person.get("name", "") for person in people}
        renamed = ((path.split("."), name) for path, name in body.get("set", {}).items())
        found |= {steps[1]: name or "" for steps, name in renamed if steps[::2] == [MEMBERS, "name"]}
    return found


def _people(rows: Iterable[Row[Any]], held: Iterable[Entry]) -> set[str]:
    """Who recorded, handed over, or went."""
    found = {entry.op.actor for entry in held}
    for row in rows:
        found |= {row.actor, *(row._mapping.get("handed_by") or row._mapping.get("visited_by") or ())}
    return found


def _by_id(conn: Connection, query: Any, ids: Iterable[str]) -> dict[str, Row[Any]]:
    wanted = sorted(ids)
    return {row.id: row for row in conn.execute(query, {"ids": wanted})} if wanted else {}


def _lines(conn: Connection, deliveries: list[str], known: Mapping[str, ItemName]) -> dict[str, list[Quantity]]:
    found: dict[str, list[Quantity]] = {}
    for row in conn.execute(_LINES, {"ids": deliveries}) if deliveries else ():
        (name,) = named(known, [row.item])
        found.setdefault(row.delivery, []).append(Quantity(name.code, name.name, name.unit, name.spec, row.quantity))
    return found


def _allotted(conn: Connection, trips: list[str], households: Sequence[str]) -> dict[tuple[str, str], list[Row[Any]]]:
    found: dict[tuple[str, str], list[Row[Any]]] = {}
    for row in conn.execute(_ALLOTTED, {"ids": trips, "households": list(households)}) if trips else ():
        found.setdefault((row.trip, row.household), []).append(row)
    return found


def _allotments(
    conn: Connection, deliveries: Iterable[Row[Any]], allotted: Mapping[tuple[str, str], list[Row[Any]]]
) -> Mapping[str, Sequence[Entry]]:
    """All that was said of the allotments of trips that were changed after a delivery: seldom any."""
    later = {
        row.trip
        for row in deliveries
        for line in allotted.get((row.trip, row.household), ())
        if line.order_key >= row.order_key
    }
    return log.histories(conn, later, {"allocation.set"}) if later else {}


def _places(conn: Connection, wanted: Wanted) -> dict[str, str]:
    """Names of every division that the household was ever in, where there is more than one."""
    codes = set[str]()
    for entry in (entry for one in wanted.households for entry in wanted.told[one]):
        body = entry.op.body
        codes |= {code for code in (body.get("division"), body.get("set", {}).get("division")) if code}
    if len(codes) < 2:
        return {}
    return {code: "".join(names[-2:]) for code, names in names_of(conn, codes).items()}


def _moment(hlc: str) -> datetime:
    return clock.from_ms(clock.parse(hlc)[0]).astimezone(UTC)


def _arrived(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.received_at).astimezone(UTC)
