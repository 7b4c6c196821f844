"""A small house for the replicated log, so that `sync` is tested alone: things, gifts to them, boxes, notes, grants.

`thing.registered` {fields, tags?} and `thing.updated` {set?, base?, add?, remove?} merge by field and element;
`load.recorded` {item, quantity} and `gift.recorded` {thing, item, quantity} are facts; `box.planned` opens a stream
of its own; `note.recorded` goes anywhere; the centre alone authors `device.enrolled`, `grant.set`
{streams, prefixes?} and `thing.erased`, after which nobody has a thing's fields and for whom its gifts were (`to`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import erasing, log, merge, rows, tables
from sync.log import Draft, Entry, Grants, Judge, Place
from sync.op import Body, Op
from sync.problem import Problem

metadata = sa.MetaData()
subjects = sa.Table(
    "toy_subject", metadata,
    sa.Column("subject", sa.String, primary_key=True),
    sa.Column("stream", sa.String, nullable=False),
    sa.Column("opener", sa.String),
    sa.Column("state", sa.Text, nullable=False),
)  # fmt: skip
applied = sa.Table(
    "toy_applied", metadata,
    sa.Column("device", sa.String, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("stream", sa.String, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
)  # fmt: skip

_NAMED = subjects.c.subject
FORGET_APPLIED = sa.delete(applied).where(rows.one_of(applied.c.subject, "names"))
FORGET = sa.delete(subjects).where(rows.one_of(_NAMED, "names"))
HOMES = sa.select(_NAMED, subjects.c.stream).where(rows.one_of(_NAMED, "names"))
STATE = sa.select(subjects.c.state).where(subjects.c.subject == sa.bindparam("name"))
OPENED = sa.select(subjects.c.stream).where(subjects.c.opener == sa.bindparam("name"))
STREAMS = sa.select(subjects.c.stream).distinct()
COUNT = sa.text(
    "INSERT INTO toy_applied (device, seq, subject, stream, times) VALUES (:device, :seq, :subject, :stream, 1) "
    "ON CONFLICT (device, seq) DO UPDATE SET times = toy_applied.times + 1"
)

COMPILED: dict[Any, Any] = {}

START = datetime(2020, 12, 30, 1, 30, tzinfo=UTC)
TOWN, OTHER_TOWN, FAR_TOWN = "441225112", "441225113", "520321101"
CREATING = {"thing.registered", "load.recorded", "gift.recorded", "box.planned", "note.recorded"}
CENTRE_ONLY = {"device.enrolled", "grant.set", "thing.erased"}
ERASED = "thing.erased"
_OP = tables.op.c
_HEARD = sa.and_(_OP.kind == ERASED, _OP.body.is_not(None))
_STANDING = sa.and_(_HEARD, _OP.problem.is_(None))
ERASURES = sa.select(tables.op).where(_HEARD).order_by(_OP.clock, _OP.device, _OP.seq)
WHOSE_WERE_ERASED = sa.select(_OP.subject).where(_STANDING, rows.one_of(_OP.subject, "names"))
GIFTS = sa.select(_OP.subject).where(_OP.kind == "gift.recorded", _OP.body.contains(sa.bindparam("name")))


class Toy:
    """The Application. `kinds`: what this version of the software knows, up to version `newest` of their bodies;
    `banned`: actors without a right.
    """

    def __init__(self, *kinds: str) -> None:
        self.kinds = {*CREATING, *CENTRE_ONLY, "thing.updated", *kinds}
        self.banned: set[str] = set()
        self.newest = 1

    def knows(self, op: Op) -> bool:
        return op.kind in self.kinds and op.v <= self.newest

    def check(self, op: Op, by_centre: bool) -> Problem | None:
        if not self.knows(op):
            return Problem("unknown-kind", kind=op.kind, v=op.v)
        if not _fits(op):
            return Problem("invalid-body", "the body does not fit")
        if op.actor in self.banned or (op.kind in CENTRE_ONLY and not by_centre):
            return Problem("not-allowed", kind=op.kind, actor_or_device=op.actor)
        return None

    def judge(self, conn: Connection, ops: Sequence[Op], by_centre: bool) -> Judge:
        return ToyJudge(conn, ops)

    def turns(self, op: Op) -> bool:
        return op.kind == "box.planned"

    def apply(self, conn: Connection, entries: Sequence[Entry], checked: bool) -> list[Entry]:
        unread = [entry for entry in entries if not self.knows(entry.op)]
        log.wait_for_upgrade(conn, unread)
        if read := [entry for entry in entries if self.knows(entry.op)]:
            conn.execute(COUNT, [_mark(entry) for entry in read])
            refold(conn, {entry.op.subject for entry in read})
        return unread

    def replay(self, conn: Connection, subjects: Collection[str]) -> None:
        if subjects:
            conn.execute(FORGET_APPLIED, {"names": sorted(subjects)})
            told = [e for held in log.histories(conn, sorted(subjects)).values() for e in held if self.knows(e.op)]
            rows.insert(conn, applied, [_mark(entry) for entry in told])
            refold(conn, subjects)

    def forget(self, conn: Connection, stream: str) -> None:
        conn.execute(sa.delete(applied).where(applied.c.stream == stream))
        conn.execute(sa.delete(subjects).where(subjects.c.stream == stream))

    def remainders(self, conn: Connection, entries: Sequence[Entry]) -> dict[Place, Body]:
        about = {(e.op.device, e.op.seq): e for e in entries if _thing(e.op) is not None}
        names = sorted({str(_thing(entry.op)) for entry in about.values()})
        gone = set(conn.execute(WHOSE_WERE_ERASED, {"names": names}).scalars()) if names else set()
        return {place: remainder(entry.op) for place, entry in about.items() if _thing(entry.op) in gone}

    def covered(self, conn: Connection, entries: Sequence[Entry]) -> Sequence[Entry]:
        things = sorted({entry.op.subject for entry in entries if entry.op.kind == ERASED})
        if not things:
            return []
        gifts = [gift for thing in things for gift in conn.execute(GIFTS, {"name": thing}).scalars()]
        return erasing.about(conn, {*things, *gifts}, things)

    def reminders(self, conn: Connection, start: int, most: int) -> list[dict[str, Any]]:
        heard = [log.to_entry(row).op for row in conn.execute(ERASURES.offset(start).limit(most))]
        return [{"stream": op.stream, "thing": op.subject, "actor": op.actor, "body": op.body} for op in heard]

    def remind(self, conn: Connection, said: Sequence[Any], now: datetime) -> None:
        known = set(conn.execute(WHOSE_WERE_ERASED, {"names": sorted({one["thing"] for one in said})}).scalars())
        lost = {one["thing"]: one for one in said if one["thing"] not in known}
        drafts = [Draft(one["stream"], one["actor"], ERASED, 1, thing, one["body"]) for thing, one in lost.items()]
        if drafts:
            log.author(conn, self, drafts, now)

    def cleared(self, conn: Connection, entries: Sequence[Entry]) -> None:
        pass

    def grants(self, conn: Connection, device: str) -> Grants:
        if (state := state_of(conn, device)) is None:
            return Grants(frozenset())
        prefixes = tuple(state["prefixes"])
        opened = conn.execute(OPENED, {"name": device}).scalars()
        towns = conn.execute(STREAMS).scalars() if prefixes else ()
        under = {t for t in towns if len(t) == 9 and t.isdigit() and t.startswith(prefixes)}
        return Grants(frozenset({"org", f"team-{state['team']}", *state["streams"], *opened, *under}), prefixes)

    def opens(self, op: Op) -> bool:
        return op.kind == "box.planned" and op.stream == f"trip-{op.subject}"

    def enrolled(
        self, conn: Connection, device: str, name: str, public_key: str, team: str, earlier: str | None = None
    ) -> Sequence[Draft]:
        return [Draft("org", log.own(conn), "device.enrolled", 1, device, {"team": team, "name": name})]


def _fits(op: Op) -> bool:
    body = op.body
    match op.kind:
        case "thing.registered":
            return isinstance(body.get("fields"), dict)
        case "gift.recorded":
            return type(body.get("quantity")) is int and body["quantity"] > 0 and isinstance(body.get("thing"), str)
    return True


class ToyJudge:
    """`made`: the op that made a subject; `homes`: the stream of a thing."""

    def __init__(self, conn: Connection, ops: Sequence[Op]) -> None:
        self.made: dict[str, Op] = {}
        self.homes: dict[str, str] = {}
        if creating := sorted({op.subject for op in ops if op.kind in CREATING}):
            held = log.histories(conn, creating, CREATING)
            self.made = {subject: entries[0].op for subject, entries in held.items() if entries}
        if needed := sorted({name for op in ops if (name := _needs(op)) is not None}):
            self.homes = dict(conn.execute(HOMES, {"names": needed}).tuples().all())

    def why_not(self, op: Op) -> Problem | None:
        if op.kind in CREATING and (other := self.made.get(op.subject)) is not None:
            same = (op.stream, op.kind) == (other.stream, other.kind) and merge.same(op.body, other.body)
            return None if same else Problem("subject-exists", id=op.subject)
        needed = _needs(op)
        if needed is not None and self.homes.get(needed) != op.stream:
            return Problem("unknown-subject", what="thing", id=needed)
        return None

    def accept(self, op: Op) -> None:
        if op.kind in CREATING:
            self.made.setdefault(op.subject, op)
            self.homes.setdefault(op.subject, op.stream)


def _thing(op: Op) -> str | None:
    """The thing that an op says something of, but that it was erased."""
    return {
        "thing.registered": op.subject, "thing.updated": op.subject, "gift.recorded": op.body.get("thing"),
    }.get(op.kind)  # fmt: skip


def remainder(op: Op) -> Body:
    """What stays of an op about a thing that was erased."""
    empty = {name: {} for name in ("fields", "set") if name in op.body}
    return {name: value for name, value in op.body.items() if name not in ("to", "base")} | empty


def _needs(op: Op) -> str | None:
    """The thing that an op is about or names."""
    return {"thing.updated": op.subject, "gift.recorded": op.body.get("thing")}.get(op.kind)


def _mark(entry: Entry) -> dict[str, Any]:
    op = entry.op
    return {"device": op.device, "seq": op.seq, "subject": op.subject, "stream": op.stream, "times": 1}


def fold(entries: Sequence[Entry]) -> dict[str, Any] | None:
    """The state of one subject: a pure function of its entries, which are given in order."""
    if not entries:
        return None
    created = next((e for e in entries if e.op.kind in CREATING), None)
    state: dict[str, Any] = {"stream": (created or entries[0]).op.stream, "kind": (created or entries[0]).op.kind}
    if state["kind"].startswith("thing."):
        return state | _fold_thing([e for e in entries if e.op.kind == "thing.updated" or e is created])
    if state["kind"] in CENTRE_ONLY:
        state |= {"team": None, "streams": [], "prefixes": []}
        for entry in entries:
            state |= entry.op.body
        return state
    opener = entries[0].op.device if state["kind"] == "box.planned" else None
    return state | {"body": (created or entries[0]).op.body, "opener": opener}


def _fold_thing(entries: Sequence[Entry]) -> dict[str, Any]:
    edits, changes = [], []
    for entry in entries:
        body = entry.op.body
        values = body.get("fields") or body.get("set") or {}
        edits.append(merge.Edit(entry.name, entry.order, values, body.get("base", {})))
        changes += [merge.Change(entry.order, tag, True) for tag in [*body.get("tags", []), *body.get("add", [])]]
        changes += [merge.Change(entry.order, tag, False) for tag in body.get("remove", [])]
    merged = merge.fields(edits)
    return {
        "fields": {path: [state.value, state.conflict, list(state.heads)] for path, state in sorted(merged.items())},
        "tags": sorted(merge.elements(changes)),
    }


def refold(conn: Connection, changed: Collection[str]) -> None:
    """Make the states of these subjects anew."""
    ordered = sorted(changed)
    conn.execute(FORGET, {"names": ordered})
    made = []
    for subject, entries in log.histories(conn, ordered).items():
        state = fold([entry for entry in entries if not entry.op.kind.startswith("op.")])
        if state is not None:
            text = json.dumps(state, ensure_ascii=False, sort_keys=True)
            opener = state.get("opener")
            made.append({"subject": subject, "stream": state["stream"], "opener": opener, "state": text})
    rows.insert(conn, subjects, made)


def state_of(conn: Connection, subject: str) -> dict[str, Any] | None:
    text = conn.execute(STATE, {"name": subject}).scalar()
    return None if text is None else json.loads(text)


def states(conn: Connection) -> dict[str, str]:
    """Every subject's state as text: what two replicas are compared by."""
    return {row.subject: row.state for row in conn.execute(sa.select(subjects))}


def times_applied(conn: Connection) -> dict[tuple[str, int], int]:
    return {(row.device, row.seq): row.times for row in conn.execute(sa.select(applied))}


def replayed(conn: Connection, app: Toy) -> dict[str, str]:
    """What a fresh replay of the log gives."""
    by_subject: dict[str, list[Entry]] = {}
    for entry in log.iterate(conn):
        if app.knows(entry.op):
            by_subject.setdefault(entry.op.subject, []).append(entry)
    return {s: json.dumps(fold(e), ensure_ascii=False, sort_keys=True) for s, e in by_subject.items()}
