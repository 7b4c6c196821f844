"""What runs in the processes that are killed: a laptop's day, a centre, and a look at what is on the disk."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from aidvisit import config
from aidvisit.cli.home import opened, ready
from aidvisit.errors import Problem
from aidvisit.services import bundle, sync
from aidvisit.serving import server
from aidvisit.store import judge, ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.tables import Delivery, Household
from aidvisit.store.vault import Vault
from sync import blobs, client, log, tables
from sync.op import uuid7
from tests.contract.bodies import delivery, household
from tests.support.homes import TOWN
from tests.torture.points import Point, Trap

PAGE = 3
PHOTO_BYTES = 24_000  # two pieces
NEW_KIND = "delivery.recorded"
"""What software that is `older` does not know yet."""


@dataclass(frozen=True, slots=True)
class Day:
    """What a laptop does, in this order: look at itself, record so many households with a delivery each, sync, use a
    stick. `trap`: (point, n).
    """

    look: bool = False
    record: int = 0
    sync: bool = False
    stick: Literal["", "write", "read"] = ""
    older: bool = False
    trap: tuple[Point, int] | None = None


@dataclass(slots=True)
class Seen:
    """What a node holds. `own`: subjects of its own ops; `through`: of each device; `doubled`: households or deliveries
    that stand for the same fact twice."""

    findings: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    last: int = 0
    acked: int = 0
    through: dict[str, int] = field(default_factory=dict)
    subjects: set[str] = field(default_factory=set)
    rows: int = 0
    missing: int = 0


def say_saved(out: Pipe, subjects: list[str]) -> None:
    """The user is told."""
    out.send(("saved", subjects))


@contextmanager
def open_laptop(home: Path, recovery: str) -> Iterator[None]:
    vault = Vault(home)
    assert vault.recover(recovery)
    with opened(config.load(home, {}), vault):
        yield


def laptop(home: Path, recovery: str, day: Day, out: Pipe) -> None:
    """Runs in a process of its own; says what it did, step by step."""
    client.PAGE = PAGE
    if day.older:
        _be_older()
    if day.trap is not None:
        Trap(*day.trap).arm()
    with open_laptop(home, recovery):
        if not day.older:
            sync.take_up()
        if day.look:
            out.send(("seen", look()))
        for number in range(day.record):
            say_saved(out, _record(photo=number == 0))
        if day.sync:
            _sync(out)
        if day.stick == "write":
            bundle.write(stick_of(home))
        if day.stick == "read":
            with answer_of(home).open("rb") as file:
                bundle.read(file)
        if day.older:
            with transaction() as conn:
                log.remember(conn, version="0.0.1")


def _sync(out: Pipe) -> None:
    try:
        sync.sync_now()
        out.send(("acked", sync.status().through))
    except Problem as problem:
        out.send(("problem", problem.name))


def stick_of(home: Path) -> Path:
    """Where a laptop's bundle lies."""
    return home.with_suffix(".aidbundle")


def answer_of(home: Path) -> Path:
    return home.with_suffix(".answer.aidbundle")


def take(home: Path, laptop: Path, device: str, trap: tuple[Point, int] | None, out: Pipe) -> None:
    """The centre reads a laptop's bundle, beside its server, and puts its answer onto the stick."""
    if trap is not None:
        Trap(*trap).arm()
    with opened(config.load(home, {})):
        with stick_of(laptop).open("rb") as file:
            taken = bundle.take(file, actor=sync.own_device())
        out.send(("taken", taken.through))
        bundle.copy_answer(device, answer_of(laptop))


def _be_older() -> None:
    """Software that has not heard of a kind keeps such ops and does not apply them."""
    known = judge.known
    judge.known = lambda kind, v: kind != NEW_KIND and known(kind, v)


def _record(*, photo: bool) -> list[str]:
    """A household and, in a transaction of its own, a delivery to it."""
    house, given = uuid7(), uuid7()
    own = sync.own_device()
    with transaction() as conn:
        ledger.record(conn, own, Fact(TOWN, "household.registered", house, _without_salt(household(TOWN))))
    body = _without_salt(delivery(house))
    data = secrets.token_bytes(PHOTO_BYTES)
    name = sha256(data).hexdigest()
    with transaction() as conn:
        if photo:
            blobs.put(conn, name, "image/jpeg", data)
            body["proofs"] = [{"as": "photo", "sha256": name}]
        ledger.record(conn, own, Fact(TOWN, "delivery.recorded", given, body))
    return [house, given]


def _without_salt(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "salt"}


def look() -> Seen:
    """All that is asked of a node after a kill. Needs an application context."""
    with reading() as conn:
        own = log.own(conn)
        query = sa.select(tables.op.c.subject).where(tables.op.c.device == own)
        state = log.state(conn)
        named = sa.select(tables.op.c.subject).where(tables.op.c.stream == TOWN)
        rows = [
            conn.execute(sa.select(sa.func.count()).select_from(table.__table__)).scalar_one()
            for table in (Household, Delivery)
        ]
        return Seen(
            ledger.verify(conn),
            ledger.digest(conn),
            set(conn.execute(query).scalars()),
            state.last_seq,
            state.through,
            {row.id: row.through for row in conn.execute(sa.select(tables.device))},
            set(conn.execute(named).scalars()),
            sum(rows),
            blobs.missing(conn),
        )


def look_at(home: Path, out: Pipe) -> None:
    """A centre, from beside its server."""
    with opened(config.load(home, {})):
        out.send(("seen", look()))


def centre(home: Path, port: int, orders: Pipe) -> None:
    """The server. It is told on the way at which point to die; it says that it is ready."""
    settings = config.load(home, {})
    app = ready(settings)
    listener = socket.create_server(("127.0.0.1", port))

    def listen() -> None:
        with suppress(EOFError, OSError):
            while True:
                Trap(*orders.recv()).arm()
                orders.send("armed")

    def say() -> None:
        orders.send("ready")
        threading.Thread(target=listen, daemon=True).start()

    server.run_alone(app, settings, listener, say)
