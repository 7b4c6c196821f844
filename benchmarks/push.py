"""How fast the centre takes what laptops push, beside the same rows written by the database's own driver alone.

`python -m benchmarks.push [--profile] [OPS]`: both databases, one worker and two. Each floor is measured in the same
run: `executemany` of every row that the pushes made, projections included, in the same batches, committed durably.
"""

from __future__ import annotations

import argparse
import cProfile
import multiprocessing
import pstats
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import Engine

from aidvisit.store.database import PRAGMAS, open_engine, writing
from aidvisit.store.ledger import House
from aidvisit.store.tables import metadata
from benchmarks import township
from benchmarks.figure import Figure, timed_ms
from benchmarks.township import NOW, Laptop
from sync import server, tables
from tests.support import postgres

OPS = 5000
BATCH = 500
TOWNS = ("441225112", "441225113")
OF_SUBJECT = {
    "delivery_line": "delivery",
    "stock_line": "source",
    "household_category": "household",
    "member": "household",
}
"""Which column names the subject, where it is not `id`."""
Rows = list[tuple[sa.Table, list[tuple[Any, ...]]]]


def figures(folder: Path, ops: int = OPS) -> Iterator[Figure]:
    """Both databases, each with its floor."""
    folder.mkdir(parents=True, exist_ok=True)
    yield from rates("SQLite", partial(_sqlite, folder), ops)
    with _durable_postgres() as make:
        yield from rates("PostgreSQL", make, ops)


def rates(name: str, make: Callable[[], Any], ops: int) -> Iterator[Figure]:
    """One worker; two that push to two towns; two that push to one."""
    with make() as url, make() as bare:
        engine = township.new_centre(url)
        (pushes,) = _laptops(engine, TOWNS[:1], ops)
        took = timed_ms(partial(push, engine, *pushes))
        floor = write_bare(bare, written(engine, BATCH))
        engine.dispose()
    yield Figure(f"{name}: push of {ops} ops, one worker", took, floor=floor)
    for said, towns in (("two towns", TOWNS), ("one town", TOWNS[:1] * 2)):
        with make() as url:
            both = together(url, towns, ops)
        yield Figure(f"{name}: rate of two workers, {said}", took * 2 / both, "× one's", bound=None)


def _laptops(engine: Engine, towns: Sequence[str], ops: int) -> list[tuple[Laptop, list[bytes]]]:
    found = []
    for seed, town in enumerate(towns):
        laptop = township.enrol(engine, town)
        found.append((laptop, township.documents(laptop, township.facts(town, ops // 5, ops - ops // 5, seed), BATCH)))
    return found


def push(engine: Engine, laptop: Laptop, documents: Sequence[bytes]) -> None:
    house = House()
    for raw in documents:
        answer = server.push(lambda: writing(engine), house, laptop.token, raw, NOW)
        assert not answer["quarantined"], answer["quarantined"][:1]


# --- two workers -------------------------------------------------------------------------------------------------


def together(url: str, towns: Sequence[str], ops: int) -> float:
    """Milliseconds of a process for each town, from the first one's start to the last one's end."""
    engine = township.new_centre(url)
    laptops = _laptops(engine, towns, ops)
    engine.dispose()
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(len(towns))
    with context.Manager() as manager:
        times = manager.list()
        workers = [context.Process(target=_worker, args=(url, *one, ready, times)) for one in laptops]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(times) == len(towns), "a worker failed"
        return (max(end for _, end in times) - min(start for start, _ in times)) * 1000


def _worker(url: str, laptop: Laptop, documents: list[bytes], ready: Barrier, times: Any) -> None:
    engine = open_engine(url)
    with engine.connect():
        pass
    ready.wait()
    started = time.time()
    push(engine, laptop, documents)
    times.append((started, time.time()))


# --- the floor ---------------------------------------------------------------------------------------------------


def written(engine: Engine, batch: int) -> list[Rows]:
    """By push, every row that it made, as the driver takes them."""
    batches: dict[int, Rows] = {}
    op = tables.op
    with engine.connect() as conn:
        made = conn.execute(sa.select(op).where(op.c.kind.in_(("household.registered", "delivery.recorded")))).all()
        of_subject = {row.subject: (row.seq - 1) // batch for row in made}
        for table in (op, *metadata.sorted_tables):
            key = "subject" if table is op else OF_SUBJECT.get(table.name, "id")
            if key not in table.c:
                continue
            found: dict[int, list[tuple[Any, ...]]] = {}
            place = [column.name for column in table.c].index(key)
            for row in conn.exec_driver_sql(f"SELECT {_names(table)} FROM {table.name}"):
                if row[place] in of_subject:
                    found.setdefault(of_subject[row[place]], []).append(tuple(row))
            for number, rows in found.items():
                batches.setdefault(number, []).append((table, rows))
    return [batches[number] for number in sorted(batches)]


def _names(table: sa.Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.c)


def write_bare(url: str, batches: Sequence[Rows]) -> float:
    """Milliseconds of the driver's own `executemany` into the same tables, a commit for each push."""
    township.new_centre(url).dispose()
    with _driver(url) as connection:
        mark = "?" if isinstance(connection, sqlite3.Connection) else "%s"
        cursor = connection.cursor()

        def write() -> None:
            for batch in batches:
                for table, rows in batch:
                    marks = ", ".join([mark] * len(table.c))
                    cursor.executemany(f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks})", rows)
                connection.commit()

        return timed_ms(write)


@contextmanager
def _driver(url: str) -> Iterator[Any]:
    if url.startswith("sqlite:///"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    else:
        connection = psycopg.connect(re.sub(r"\+psycopg", "", url))
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _sqlite(folder: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        yield f"sqlite:///{(Path(name) / 'bench.db').as_posix()}"


@contextmanager
def _durable_postgres() -> Iterator[Callable[[], Any]]:
    """The tests' server, with what the tests save on durability put back."""
    postgres.reserve()
    try:
        address = postgres.start()
        with psycopg.connect(address, autocommit=True) as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM RESET {name}")  # type: ignore[arg-type]
            connection.execute("SELECT pg_reload_conf()")
        yield partial(postgres.database, address)
    finally:
        postgres.remove()


# --- where the time goes -----------------------------------------------------------------------------------------


def profile(folder: Path, ops: int) -> None:
    """The dearest functions of one worker on each database."""

    def look(name: str, make: Callable[[], Any]) -> None:
        with make() as url:
            engine = township.new_centre(url)
            (pushes,) = _laptops(engine, TOWNS[:1], ops)
            seen = cProfile.Profile()
            seen.runcall(push, engine, *pushes)
            engine.dispose()
        print(f"--- {name}, {ops} ops")
        pstats.Stats(seen).strip_dirs().sort_stats("tottime").print_stats(30)

    look("SQLite", partial(_sqlite, folder))
    with _durable_postgres() as make:
        look("PostgreSQL", make)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ops", nargs="?", type=int, default=OPS)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if given.profile:
            profile(Path(name), given.ops)
            return 0
        for figure in figures(Path(name), given.ops):
            print("{:44}{:>16}{:>12}   {}".format(*figure.row()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
