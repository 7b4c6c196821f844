"""Everything that happened to one household, newest first, in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, bindparam, or_, select

from aidvisit.domain.history import Change
from aidvisit.store.apply.rows import order_key, order_of
from aidvisit.store.database import Base
from aidvisit.store.queries.alias import of_one
from aidvisit.store.queries.around import Around, Wanted, around
from aidvisit.store.queries.timeline_entry import Timeline, TimelineEntry, Voided
from aidvisit.store.queries.trip import ZONE, recorded_at
from aidvisit.store.tables import Delivery, Visit
from sync import log
from sync.log import Entry

PAGE: Final = 30
WHOLE: Final = 1000
"""Entries of what is printed at once."""


class Place(NamedTuple):
    """Where an entry stands: by the date of what happened, then in the order of everything."""

    date: str
    key: str


class Found(NamedTuple):
    """An entry before its words: `row` of a kind that has a table, `told` of a fact about the household itself."""

    place: Place
    kind: Kind
    row: Row[Any] | None
    told: Entry | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entry. `group`: the filter that shows it, and the template that has its words.

    Of facts about something that names the household: their `table`, which has id, household, date and order_key
    beside what `make` reads. Of facts about the household itself: the kind of op, `told`.
    """

    name: str
    group: str
    make: Callable[[Found, Around], TimelineEntry]
    table: type[Base] | None = None
    told: str = ""


def timeline(
    conn: Connection,
    household: str,
    *,
    chosen: str = "",
    after: str = "",
    most: int = PAGE,
    zone: ZoneInfo = ZONE,
    revealed: bool = False,
) -> Timeline:
    """What happened to a household and to all that were merged into it; what is void is shown, marked.

    `chosen`: of this group alone; `after`: what stands after the page that told this. Some fifteen statements,
    however long the history is. Numbers in it are masked unless `revealed`.
    """
    ids = of_one(conn, household).all(household)
    kinds = [kind for kind in KINDS if chosen in ("", kind.group)]
    last = _place(after)
    rows = [
        Found(Place(row.date, row.order_key), kind, row, None)
        for kind in kinds
        if kind.table is not None
        for row in _rows(conn, kind.table, ids, last, most + 1)
    ]
    told = log.histories(conn, [*ids, *(one.row.id for one in rows if one.row is not None)])
    edits = [one for identity in ids for one in _edits(told[identity], kinds, zone) if last is None or one.place < last]
    found = sorted([*rows, *edits], key=lambda one: one.place, reverse=True)
    shown = found[:most]
    known = around(conn, Wanted(ids, [one.row for one in shown if one.row is not None], told), revealed=revealed)
    more = "/".join(shown[-1].place) if len(found) > most else ""
    return Timeline([one.kind.make(one, known) for one in shown], more, known.members)


def groups() -> list[str]:
    """What may be chosen, in the order in which it is offered."""
    return list(dict.fromkeys(kind.group for kind in KINDS))


def proves(conn: Connection, household: str, sha256: str) -> bool:
    """Whether a delivery to a household, or a visit, also of those merged into it, names this proof."""
    ids = of_one(conn, household).all(household)
    tables = [kind.table.__table__ for kind in KINDS if kind.table is not None]
    named = [select(table.c.proofs).where(table.c.household.in_(ids)) for table in tables]
    return any(proof.get("sha256") == sha256 for query in named for row in conn.scalars(query) for proof in row)


def _place(text: str) -> Place | None:
    date, slash, key = text.partition("/")
    return Place(date, key) if slash else None


def _rows(conn: Connection, table: type[Base], ids: list[str], after: Place | None, most: int) -> Sequence[Row[Any]]:
    values: dict[str, Any] = {"ids": ids, "most": most}
    if after is not None:
        values |= {"date": after.date, "key": after.key}
    return conn.execute(_QUERIES[table, after is not None], values).all()


def _edits(held: Sequence[Entry], kinds: Sequence[Kind], zone: ZoneInfo) -> Iterator[Found]:
    by_op = {kind.told: kind for kind in kinds if kind.told}
    for entry in held:
        if entry.op.kind in by_op:
            key = order_key(entry)
            day = entry.op.body.get("date") or recorded_at(key).astimezone(zone).date().isoformat()
            yield Found(Place(day, key), by_op[entry.op.kind], None, entry)


# --- what each kind says --------------------------------------------------------------------------------------


def _of_row(one: Found, known: Around) -> dict[str, Any]:
    """What a visit and a delivery have in common."""
    row = one.row
    assert row is not None
    held = known.told[row.id]
    trip = known.trips.get(row.trip or "")
    return {
        "group": one.kind.group,
        **known.shared(row.household, row.device, row.seq, row.order_key, row.actor, held),
        "team": known.team(row.trip, row.actor, row.device),
        "trip": row.trip,
        "trip_title": trip.title if trip else "",
        "member": known.member(row.member),
        "proofs": row.proofs,
        "held": known.blobs,
        "note": known.words(row.note),
        "void_reason": known.words(row.void_reason),
        "voided": _voided(held, known) if row.void_reason is not None else None,
    }


def _delivery(one: Found, known: Around) -> TimelineEntry:
    row = one.row
    assert row is not None
    differences = known.since(row.household, order_of(row.order_key))
    allotted = known.allotted_since(row)
    return TimelineEntry(
        row.id,
        one.kind.name,
        row.date,
        **_of_row(one, known),
        lines=known.lines.get(row.id, []),
        from_place=row.from_place,
        received_by=row.received_by,
        received_as=row.received_as,
        relation=row.received_relation,
        handed_by=known.people(row.handed_by),
        witness=row.witness["name"] if row.witness else None,
        replaces=row.replaces,
        replaced=row.replaced,
        counts=row.counts,
        overrides=[one | {"reason": known.words(one["reason"])} for one in row.overrides],
        since=[*differences, *([allotted] if allotted else [])],
    )


def _visit(one: Found, known: Around) -> TimelineEntry:
    row = one.row
    assert row is not None
    return TimelineEntry(
        row.id,
        one.kind.name,
        row.date,
        **_of_row(one, known),
        handed_by=known.people(row.visited_by),
        outcome=row.outcome,
        purposes=row.purposes,
        met_with=row.met_with,
        minutes=row.minutes,
        needs=[known.words(need) or "" for need in row.needs],
        counts=row.void_reason is None,
        since=known.since(row.household, order_of(row.order_key)),
    )


def _edit(one: Found, known: Around) -> TimelineEntry:
    entry = one.told
    assert entry is not None
    op = entry.op
    return TimelineEntry(
        op.subject,
        one.kind.name,
        one.place.date,
        group=one.kind.group,
        **known.shared(op.subject, op.device, op.seq, one.place.key, op.actor, known.told[op.subject]),
        team=known.team(None, op.actor, op.device),
        note=known.words(op.body.get("reason")),
        into=op.body.get("into"),
        changed=_changed(entry, known),
    )


def _changed(entry: Entry, known: Around) -> list[Change]:
    return known.changes(entry) if entry.op.kind == "household.updated" else []


def _voided(held: Sequence[Entry], known: Around) -> Voided | None:
    """Who voided it: the first that did."""
    void = next((entry for entry in held if entry.op.kind.endswith(".voided")), None)
    if void is None:
        return None
    op = void.op
    return Voided(recorded_at(order_key(void)), known.authors.by(op.actor, op.device), known.authors.device(op.device))


# --- the kinds: a new one is a row here, and for a new group a template of its name ---------------------------

KINDS: Final = (
    Kind("delivery", "delivery", _delivery, Delivery),
    Kind("visit", "visit", _visit, Visit),
    *(
        Kind(name, "edit", _edit, told=f"household.{name}")
        for name in ("registered", "updated", "closed", "reopened", "merged", "unmerged")
    ),
    Kind("erased", "edit", _edit, told="personal-data.erased"),
)


def _query(table: type[Base], after: bool) -> Any:
    columns = table.__table__.c
    query = select(table.__table__).where(columns.household.in_(bindparam("ids", expanding=True)))
    if after:
        date: Any = bindparam("date")
        key: Any = bindparam("key")
        query = query.where(columns.date <= date, or_(columns.date < date, columns.order_key < key))
    return query.order_by(columns.date.desc(), columns.order_key.desc()).limit(bindparam("most"))


# Said once: to put a statement together costs several times what running it does.
_QUERIES = {(kind.table, after): _query(kind.table, after) for kind in KINDS if kind.table for after in (False, True)}
