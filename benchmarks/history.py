"""A household's page with its history among two million deliveries, over HTTP: p50, p99, and the bare queries.

`python -m benchmarks.history [--deliveries N] [--on laptop|centre] [--keep FOLDER] [--plans]`: a laptop on encrypted
SQLite, a centre on PostgreSQL, each a process of its own, asked by one person who is signed in, for another household
each time. The floor is the rows of such a page by four plain statements. `--keep`: what was made is used again.
"""

from __future__ import annotations

import math
import os
import random
import re
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import requests
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.store.database import db, open_engine
from aidvisit.store.queries import timeline as queries
from aidvisit.store.queries.received import received
from benchmarks import kept, past
from benchmarks.figure import timed_ms
from tests.support.centre import PASSWORD, Centre
from tests.support.nodes import LEADER, OFFICE, SHEET, TOWN, Node, set_up

ASKED = 400
EACH = 10
BARE = tuple(
    sa.text(statement)
    for statement in (
        "SELECT * FROM delivery WHERE household = :id ORDER BY date DESC LIMIT 31",
        "SELECT * FROM delivery_line WHERE household = :id",
        "SELECT * FROM visit WHERE household = :id ORDER BY date DESC LIMIT 31",
        "SELECT * FROM op WHERE subject = :id",
    )
)
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=2_000_000)
    parser.add_argument("--on", choices=("laptop", "centre"), action="append")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--plans", action="store_true")
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} at the start, {os.cpu_count()} processors")
    for where in arguments.on or ("laptop", "centre"):
        with tempfile.TemporaryDirectory() as name:
            folder = (arguments.keep or Path(name)) / where
            folder.mkdir(parents=True, exist_ok=True)
            (_laptop if where == "laptop" else _centre)(folder, arguments)
    return 0


def _laptop(folder: Path, arguments: Namespace) -> None:
    if not (folder / "ready").exists():
        set_up(folder)
        with opened(config.load(folder / "field", {}), secret=PASSWORD):
            past.make(db.engine, arguments.deliveries, EACH, trips=100)
        (folder / "ready").touch()
    node = Node(folder / "field", "field")
    node.start()
    try:
        with opened(config.load(folder / "field", {}), secret=PASSWORD):
            _measure("laptop, encrypted SQLite", db.engine, node.url, LEADER, arguments)
    finally:
        node.stop()


def _centre(folder: Path, arguments: Namespace) -> None:
    with kept.database(folder, keep=arguments.keep is not None) as url:
        if not (folder / "ready").exists():
            centre = Centre(folder / "central", url)
            centre.add_team("慰问一队", TOWN)
            centre.command("import", str(SHEET))
            engine = open_engine(url)
            past.make(engine, arguments.deliveries, EACH, trips=10_000)
            engine.dispose()
            (folder / "ready").touch()
        node = Node(folder / "central", "central", database_url=url)
        node.start()
        engine = open_engine(url)
        try:
            _measure("centre, PostgreSQL", engine, node.url, OFFICE, arguments)
        finally:
            engine.dispose()
            node.stop()


def _measure(where: str, engine: Engine, url: str, login: str, arguments: Namespace) -> None:
    chance = random.Random(1)
    chosen = past.looked_at()
    asked = [chance.choice(chosen) for _ in range(ASKED)]
    person = requests.Session()
    form = {"login": login, "password": PASSWORD, "csrf_token": _token(person.get(f"{url}/sign-in").text)}
    person.post(f"{url}/sign-in", data=form).raise_for_status()
    line = HTTPConnection(urlsplit(url).netloc)  # kept open, as a browser does; requests adds 1.5 ms
    signed_in = {"Cookie": "; ".join(f"{each.name}={each.value}" for each in person.cookies)}

    def page(path: str) -> Callable[[], None]:
        def ask() -> None:
            line.request("GET", path, headers=signed_in)
            answer = line.getresponse()
            text = answer.read()
            assert answer.status == 200, text[:500]

        return ask

    with engine.connect() as conn:
        count = conn.execute(sa.text("SELECT count(*) FROM delivery")).scalar_one()
        print(f"{where}: {count:,} deliveries, {past.households(count, EACH):,} households, {ASKED} of them asked for")
        bare = _times([lambda one=one: _bare(conn, one) for one in asked])  # type: ignore[misc]
        read = _times([lambda one=one: _read(conn, one) for one in asked])  # type: ignore[misc]
        if arguments.plans:
            _plans(conn, asked[0])
    least = _times([page("/search") for _ in asked])
    http = _times([page(f"/households/{one}") for one in asked])
    long = past.long_one()
    rows = [
        ("the bare queries", bare), ("timeline and totals, in this process", read),
        ("a page that asks nothing (search)", least), ("the household's page", http),
        (f"a page of {past.LONG:,} deliveries to one", _times([page(f"/households/{long}") for _ in range(50)])),
    ]  # fmt: skip
    for name, times in rows:
        p50, p99 = _at(times, 0.5), _at(times, 0.99)
        print(f"  {name:42}p50 {p50:7.2f} ms   p99 {p99:7.2f} ms   × {p50 / _at(bare, 0.5):.1f}", flush=True)
    print(f"  load {os.getloadavg()[0]:.1f} at the end")


def _token(page: str) -> str:
    found = TOKEN.search(page)
    assert found is not None
    return found[1]


def _bare(conn: Connection, household: str) -> None:
    for statement in BARE:
        conn.execute(statement, {"id": household}).all()


def _read(conn: Connection, household: str) -> None:
    queries.timeline(conn, household)
    received(conn, household)


def _times(works: Sequence[Callable[[], None]]) -> list[float]:
    """Milliseconds of each, after some that warm up, least first."""
    for work in works[:20]:
        work()
    return sorted(timed_ms(work) for work in works)


def _at(times: Sequence[float], share: float) -> float:
    return times[min(len(times) - 1, math.ceil(len(times) * share) - 1)]


def _plans(conn: Connection, household: str) -> None:
    """How the database finds what the page asks for, each statement once."""
    seen: dict[str, object] = {}

    def note(_conn: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        seen.setdefault(statement, parameters)

    sa.event.listen(conn, "before_cursor_execute", note)
    _read(conn, household)
    sa.event.remove(conn, "before_cursor_execute", note)
    explain = "EXPLAIN (ANALYZE, COSTS OFF) " if conn.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    for statement, parameters in seen.items():
        print(f"\n  {' '.join(statement.split())[:300]}")
        for row in conn.exec_driver_sql(explain + statement, parameters):  # type: ignore[call-overload]
            print(f"    {row[-1]}")


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"{time.monotonic() - started:.0f} s")
    sys.exit(code)
