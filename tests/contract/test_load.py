"""A small Monday morning: more laptops than the centre takes at once, some slow, some cut off; all come in, once."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from aidvisit import config
from aidvisit.app import create_app
from aidvisit.services.device import enrolment_codes
from aidvisit.serving import lanes, server
from aidvisit.store import ledger
from aidvisit.store.database import reading
from sync import tables
from tests.support.fleet import MANNERS, Prepared, monday, prepare
from tests.support.homes import TOWN, centre

LAPTOPS, OPS = 16, 30


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[tuple[int, list[str]]]:
    """A running centre that lets few in at a time: its port, and a code for each laptop."""
    with centre(tmp_path, database_url) as made:
        codes = [code.code for code in enrolment_codes(actor=made.device, team=made.team, count=LAPTOPS)]
        app = create_app(config.load(made.settings.home, {}), testing=True)
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        going_on = [True]
        running = threading.Thread(
            target=server.run, args=(server.make(app, made.settings, listener), lambda: going_on[0])
        )
        running.start()
        yield listener.getsockname()[1], codes
        going_on[0] = False
        running.join(30)
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()


@pytest.mark.timeout(120)
def test_everybody_comes_in_once(office: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    port, codes = office
    manners = [MANNERS[-1 - number % len(MANNERS)] for number in range(LAPTOPS)]
    laptops: list[Prepared] = [
        prepare(f"http://127.0.0.1:{port}", code, TOWN, OPS, manner)
        for code, manner in zip(codes, manners, strict=True)
    ]
    monkeypatch.setattr(lanes, "MOST_WORK_S", 0.001)
    tally = asyncio.run(monday(port, laptops, hurry=10.0))
    assert tally.statuses[429] > 0, "nobody was told to come back: the test sees nothing"
    assert set(tally.statuses) <= {200, 429, 503}
    assert tally.through == {laptop.device: OPS for laptop in laptops}
    with reading() as conn:
        query = sa.select(tables.op.c.n).where(tables.op.c.stream == TOWN).order_by(tables.op.c.n)
        assert list(conn.execute(query).scalars()) == list(range(1, LAPTOPS * OPS + 1))
        assert ledger.verify(conn) == []
