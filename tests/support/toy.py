"""A small house for the replicated log, so that `sync` is tested alone: things, gifts to them, boxes, notes, grants.

`thing.registered` {fields, tags?} and `thing.updated` {set?, base?, add?, remove?} merge by field and element;
`load.recorded` {item, quantity} and `gift.recorded` {thing, item, quantity} are facts; `box.planned` opens a stream
of its own; `note.recorded` goes anywhere; the centre alone authors `device.enrolled` and
`grant.set` {streams, prefixes?}.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sync import blobs, client, enrolment, joining, log, merge, rows, server
from sync.link import Link
from sync.log import Draft, Entry, Grants, Judge
from sync.op import Op, loads, uuid7
from sync.problem import Problem
from sync.transport import BlobReply, Reply
from tests.support.blobs import exchange

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

_COMPILED: dict[Any, Any] = {}

START = datetime(2020, 12, 30, 1, 30, tzinfo=UTC)
TOWN, OTHER_TOWN, FAR_TOWN = "441225112", "441225113", "520321101"
CREATING = {"thing.registered", "load.recorded", "gift.recorded", "box.planned", "note.recorded"}
CENTRE_ONLY = {"device.enrolled", "grant.set"}


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


# --- nodes and the line between them ---------------------------------------------------------------------------


def make_tables(engine: Engine) -> Engine:
    log.metadata.create_all(engine)
    metadata.create_all(engine)
    return engine


@dataclass
class Node:
    """A database and the software on it. `clock` is what its wall clock shows."""

    engine: Engine
    app: Toy = field(default_factory=Toy)
    clock: datetime = START
    actor: str = "0192f3a0-0000-7000-8000-0000000000aa"

    def begin(self) -> AbstractContextManager[Connection]:
        return self.engine.begin()

    def now(self) -> datetime:
        return self.clock

    def record(self, stream: str, kind: str, body: dict[str, Any], subject: str | None = None) -> Entry:
        """Author one op in a transaction of its own."""
        draft = Draft(stream, self.actor, kind, 1, subject or uuid7(), body)
        with self.begin() as conn:
            return log.author(conn, self.app, [draft], self.now())[0]

    def thing(self, stream: str = TOWN, **fields: Any) -> Entry:
        return self.record(stream, "thing.registered", {"fields": fields})

    def edit(self, thing: Entry, base: dict[str, list[str]] | None = None, **values: Any) -> Entry:
        body = {"set": values} | ({"base": base} if base else {})
        return self.record(thing.op.stream, "thing.updated", body, thing.op.subject)

    def photo(self, data: bytes, stream: str = TOWN, media_type: str = "image/jpeg") -> str:
        """Record a thing with a photo, in one transaction; the photo's name."""
        name = sha256(data).hexdigest()
        body = {"fields": {}, "proofs": [{"sha256": name, "media_type": media_type}]}
        with self.begin() as conn:
            blobs.put(conn, name, media_type, data)
            draft = Draft(stream, self.actor, "thing.registered", 1, uuid7(), body)
            log.author(conn, self.app, [draft], self.now())
        return name

    def waiting(self) -> blobs.Waiting:
        with self.begin() as conn:
            return blobs.waiting(conn)

    def state(self) -> log.LogState:
        with self.begin() as conn:
            return log.state(conn)

    def states(self) -> dict[str, str]:
        with self.begin() as conn:
            return states(conn)

    def digest(self, stream: str) -> str:
        with self.begin() as conn:
            return log.digest(conn, stream)

    def recall(self, key: str) -> Any:
        with self.begin() as conn:
            return log.recall(conn, key)

    def entry(self, device: str, seq: int) -> Entry:
        with self.begin() as conn:
            found = log.find(conn, device, seq)
        assert found is not None
        return found


class Centre(Node):
    """The central end, with the calls that HTTP would make."""

    def set_up(self) -> Centre:
        with self.begin() as conn:
            server.set_up(conn, name="centre", now=self.now())
        return self

    def code(self, team: str) -> str:
        with self.begin() as conn:
            return enrolment.new_codes(conn, team, 1, self.now())[0][0]

    def grant(self, device: str, *streams: str, prefixes: Sequence[str] = ()) -> Entry:
        return self.record("org", "grant.set", {"streams": [*streams], "prefixes": [*prefixes]}, device)

    def answer(self, name: str, raw: bytes, token: str | None, address: str = "10.0.0.1") -> dict[str, Any]:
        if name in ("push", "pull"):
            call = server.push if name == "push" else server.pull
            return call(self.begin, self.app, token, raw, self.now())
        return enrolment.enrol(self.begin, self.app, loads(raw), token, address, self.now())

    def push(self, token: str, document: dict[str, Any]) -> dict[str, Any]:
        return self.answer("push", json.dumps(document).encode(), token)

    def pull(self, token: str, **document: Any) -> dict[str, Any]:
        return self.answer("pull", json.dumps(document).encode(), token)

    def held(self) -> list[Entry]:
        with self.begin() as conn:
            return log.quarantined(conn)


@dataclass
class Line:
    """A Transport to a centre in the same process, by bytes and back. `log` keeps the names of what was called."""

    centre: Centre
    log: list[str] = field(default_factory=list)
    before: Callable[[str, dict[str, Any]], None] = lambda name, document: None
    after: Callable[[str, dict[str, Any]], None] = lambda name, answer: None

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        self.log.append(name)
        self.before(name, document)
        raw = json.dumps(document, ensure_ascii=False).encode()
        try:
            answer = self.centre.answer(name, raw, token)
        except Problem as problem:
            raise Problem.from_dict(loads(json.dumps(problem.to_dict()).encode())) from None
        answer = loads(json.dumps(answer, ensure_ascii=False).encode())
        self.after(name, answer)
        return Reply(answer, self.centre.now().replace(microsecond=0))

    def blob(self, name: str, token: str | None, *what: Any) -> BlobReply:
        self.log.append("blob")
        self.before("blob", {"name": name, "what": what})
        reply = exchange(self.centre.begin, self.centre.app, self.centre.now(), name, token, *what)
        self.after("blob", {"name": name, "what": what})
        return reply


class Laptop(Node):
    """The field end. `line` is its Transport."""

    line: Line

    @property
    def link(self) -> Link:
        return Link(self.begin, self.app, self.line, self.now)

    def enrol(self, code: str, name: str = "laptop") -> str:
        return joining.enrol(self.link, name=name, code=code)

    def sync(self) -> client.Outcome:
        return client.sync_once(self.link)

    @property
    def device(self) -> str:
        with self.begin() as conn:
            return log.own(conn)

    @property
    def token(self) -> str:
        return str(self.recall("token"))


class _InMemory(sqlite3.Connection):
    def __del__(self) -> None:
        self.close()


@cache
def template() -> Engine:
    """A database with the tables, made once: to make them takes as long as a test."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False})
    return make_tables(engine)


def on(connection: sqlite3.Connection) -> Engine:
    """An engine on one connection, with the dialect, and so with the prepared statements, of all the others."""
    like = template()
    pool = sa.StaticPool(lambda: connection, dialect=like.dialect)
    return Engine(pool, like.dialect, like.url, execution_options={"compiled_cache": _COMPILED})


def memory(copy_of: Engine | None = None) -> Engine:
    """A database in memory, on one connection: empty, or a copy of another one."""
    connection = sqlite3.connect(":memory:", check_same_thread=False, factory=_InMemory)
    connection.execute("PRAGMA foreign_keys=ON")
    with (copy_of or template()).connect() as original:
        source: Any = original.connection.dbapi_connection
        source.backup(connection)
    return on(connection)


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """The database at an address, with its tables; a writer on SQLite waits its turn."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def connect(connection: Any, _: Any) -> None:
            connection.isolation_level = None
            for pragma in ("busy_timeout=60000", "journal_mode=WAL", "synchronous=OFF", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")

        @sa.event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        yield make_tables(engine)
    finally:
        engine.dispose()


def connected(centre: Centre, team: str, engine: Engine | None = None, *streams: str) -> Laptop:
    """A laptop that is enrolled, granted `streams` and has pulled them."""
    laptop = Laptop(engine or memory(), clock=centre.clock)
    laptop.line = Line(centre)
    centre.grant(laptop.enrol(centre.code(team)), *(streams or (TOWN,)))
    laptop.sync()
    return laptop


@contextmanager
def expect_problem(name: str) -> Iterator[list[Problem]]:
    """The block must raise this problem; it is in the list afterwards."""
    caught: list[Problem] = []
    try:
        yield caught
    except Problem as problem:
        caught.append(problem)
    assert [problem.name for problem in caught] == [name], caught


@contextmanager
def perhaps(*names: str) -> Iterator[None]:
    """The block may raise one of these problems."""
    try:
        yield
    except Problem as problem:
        if problem.name not in names:
            raise
