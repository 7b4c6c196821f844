"""Promise 5 with two pushes to one town at once: whoever is numbered first is seen first, however long it takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask

from aidvisit.services.device import enrolment_codes
from aidvisit.store.database import db, transaction
from aidvisit.store.ledger import House
from sync import clock, enrolment, server
from tests.contract.bodies import register
from tests.support import postgres
from tests.support.client import Device, Line, encode, public_of
from tests.support.homes import TOWN, Centre, centre

HOLD_S = 0.7


@pytest.fixture
def made(tmp_path: Path, postgres_server: str) -> Iterator[Centre]:
    with postgres.database(postgres_server) as url, centre(tmp_path, url) as found:
        yield found


def laptop(made: Centre) -> Device:
    key = Ed25519PrivateKey.generate()
    code = enrolment_codes(actor=made.device, team=made.team)[0].code
    document = {"name": "车", "public_key": public_of(key), "code": code}
    answer = enrolment.enrol(transaction, House(), document, None, "127.0.0.1", clock.wall())
    members = (answer[member] for member in ("device", "token", "server", "epoch", "grants"))
    return Device(cast(Line, None), key, *members)


def push(app: Flask, device: Device) -> int:
    with app.app_context():
        answer = server.push(transaction, House(), device.token, encode(device.request()), clock.wall())
    return int(answer["through"])


def read(reader: Device, cursors: dict[str, int]) -> tuple[list[str], dict[str, int]]:
    """Who wrote what is new in the town, and the cursors behind it."""
    document: dict[str, Any] = {"epoch": reader.epoch, "cursors": cursors, "limit": 5000}
    page = server.pull(transaction, House(), reader.token, encode(document), clock.wall())
    return [op["device"] for op in page["ops"] if op["stream"] == TOWN], page["cursors"]


@pytest.mark.parametrize("where", ["before the stream is written back", "before the commit"])
def test_an_op_with_a_lower_number_never_comes_after_a_higher_one(made: Centre, where: str) -> None:
    """The first push is held when it has its numbers; without a lock the second would be done, and seen, by then."""
    first, second, reader, earlier = laptop(made), laptop(made), laptop(made), laptop(made)
    written, go_on = threading.Event(), threading.Event()

    def hold(*_: object) -> None:
        if threading.current_thread().name.startswith("first") and not written.is_set():
            written.set()
            go_on.wait(20)

    def before_statement(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if where != "before the commit" and statement.startswith("UPDATE stream"):
            hold()

    def before_commit(connection: sa.Connection) -> None:
        query = sa.text("SELECT count(*) FROM op WHERE device = :device")
        if (
            threading.current_thread().name.startswith("first")
            and connection.execute(query, {"device": first.id}).scalar()
        ):
            hold()

    for device in (earlier, first, second):
        for _ in range(3):
            register(device, TOWN)
    push(made.app, earlier)
    _, cursors = read(reader, {})
    engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", before_statement)
    sa.event.listen(engine, "commit", before_commit)
    try:
        with ThreadPoolExecutor(1, "first") as held, ThreadPoolExecutor(1, "second") as other:
            pushes = [held.submit(push, made.app, first)]
            assert written.wait(20)
            pushes.append(other.submit(push, made.app, second))
            wait(pushes[1:], timeout=HOLD_S)
            seen, cursors = read(reader, cursors)
            go_on.set()
            assert [each.result(20) for each in pushes] == [3, 3]
    finally:
        go_on.set()
        sa.event.remove(engine, "before_cursor_execute", before_statement)
        sa.event.remove(engine, "commit", before_commit)
    more, _ = read(reader, cursors)
    assert sorted(seen + more) == sorted([first.id] * 3 + [second.id] * 3)
