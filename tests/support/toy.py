"""Nodes of a small house (`toy_house`): a centre, laptops, and the line between them, all in this process."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sync import blobs, client, enrolment, joining, log, server
from sync.link import Link
from sync.log import Draft, Entry
from sync.op import loads, uuid7
from sync.problem import Problem
from sync.transport import BlobReply, Reply
from tests.support.blobs import exchange
from tests.support.toy_house import COMPILED, START, TOWN, Toy, metadata, states


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
    return Engine(pool, like.dialect, like.url, execution_options={"compiled_cache": COMPILED})


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
