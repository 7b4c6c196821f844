"""`python -m benchmarks.load`: a Monday morning of 300 laptops with 500 records each, some slow, some cut off.

Not part of `make bench`, for it takes minutes. The laptops are light (tests/support/fleet.py) and share the machine
with the centre: on two cores they take a part of what is measured.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests
import sqlalchemy as sa

from aidvisit.cli.home import opened
from aidvisit.config import load as load_settings
from aidvisit.services import account
from aidvisit.services.device import enrolment_codes
from aidvisit.store.database import reading
from benchmarks import floor
from sync import tables
from tests.support import postgres
from tests.support.fleet import MANNERS, Prepared, Tally, monday, prepare
from tests.support.homes import centre
from tests.support.nodes import Node

TEAM = 5  # laptops of one town
FLOOR_ROWS = 20_000


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--laptops", type=int, default=300)
    parser.add_argument("--ops", type=int, default=500)
    parser.add_argument("--on", choices=("sqlite", "postgresql"), action="append")
    arguments = parser.parse_args()
    print(f"{arguments.laptops} laptops with {arguments.ops} records each; load before: {os.getloadavg()[0]:.1f}")
    for kind in arguments.on or ("postgresql", "sqlite"):
        with tempfile.TemporaryDirectory() as name, _database(kind) as url:
            _one(Path(name), url, 2 if kind == "postgresql" else 1, arguments.laptops, arguments.ops)
    return 0


@contextmanager
def _database(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield ""
        return
    postgres.reserve()
    try:
        with postgres.database(postgres.start()) as url:
            postgres.keep_what_is_committed(url)
            yield url
    finally:
        postgres.remove()


def _one(folder: Path, url: str, workers: int, laptops: int, ops: int) -> None:
    codes = _teams(folder, url, laptops)
    node = Node(folder / "central", "central")
    node.options = ("--workers", str(workers))
    node.start()
    try:
        prepared = _prepare(node.url, codes, ops)
        with _pages(node.url) as slowest, _memory(node) as peak:
            tally = asyncio.run(monday(node.port, prepared))
        _tell(tally, prepared, "PostgreSQL" if url else "SQLite", workers, peak, slowest)
    finally:
        node.stop()
    _check(folder, prepared)
    _floor(folder, url, prepared, tally)


def _teams(folder: Path, url: str, laptops: int) -> list[tuple[str, str]]:
    """(code, town) for each laptop, five to a town."""
    with centre(folder, url) as made:
        found = []
        for number in range(0, laptops, TEAM):
            town = f"440785{500 + number // TEAM}"
            team = account.add_team(actor=made.device, name=f"队 {number // TEAM}", divisions=[town])
            count = min(TEAM, laptops - number)
            found += [(each.code, town) for each in enrolment_codes(actor=made.device, team=team, count=count)]
    return found


def _prepare(url: str, codes: list[tuple[str, str]], ops: int) -> list[Prepared]:
    manners = [MANNERS[number % len(MANNERS)] for number in range(len(codes))]
    with ProcessPoolExecutor(2) as pool:
        works = [
            pool.submit(prepare, url, code, town, ops, how) for (code, town), how in zip(codes, manners, strict=True)
        ]
        return [each.result() for each in works]


@contextmanager
def _pages(url: str) -> Iterator[list[float]]:
    """Somebody at the office opens a page every second: the seconds that each took."""
    took: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(1.0):
            began = time.monotonic()
            requests.get(f"{url}/sign-in", timeout=60).raise_for_status()
            took.append(time.monotonic() - began)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


@contextmanager
def _memory(node: Node) -> Iterator[dict[int, int]]:
    """Peak resident kB of each server process (Linux)."""
    peak: dict[int, int] = {}
    yield peak
    assert node.process is not None
    root = node.process.pid
    children = Path(f"/proc/{root}/task/{root}/children")
    pids = [root, *map(int, children.read_text().split())] if children.is_file() else []
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        peak[pid] = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _tell(
    tally: Tally, prepared: list[Prepared], name: str, workers: int, peak: dict[int, int], pages: list[float]
) -> None:  # fmt: skip
    ops = sum(laptop.ops for laptop in prepared)
    size = sum(len(laptop.body) for laptop in prepared) / len(prepared)
    said = {
        "all in after": f"{tally.took_s:.0f} s, {ops / tally.took_s:.0f} records/s ({size / 1000:.0f} kB a push)",
        "longest wait for an answer": f"{max(tally.waits_s):.1f} s (bound 60 s)",
        "answers": ", ".join(f"{count} × {status}" for status, count in sorted(tally.statuses.items())),
        "cut off": ", ".join(f"{count} × {what}" for what, count in tally.broken.items()) or "none",
        "peak memory": " + ".join(f"{kb / 1024:.0f} MB" for kb in peak.values()),
        "a page of the office": f"{max(pages, default=0):.2f} s at most, {sum(pages) / max(1, len(pages)):.2f} s mean",
        "load of the machine": f"{os.getloadavg()[0]:.1f}",
    }
    print(f"\n{name}, {workers} worker{'s' if workers > 1 else ''}")
    for what, value in said.items():
        print(f"  {what:28}{value}", flush=True)


def _check(folder: Path, prepared: list[Prepared]) -> None:
    """Against the database: none lost, none twice, the numbers of every stream gapless."""
    with opened(load_settings(folder / "central", {})), reading() as conn:
        op = tables.op.c
        counted = dict(conn.execute(sa.select(op.device, sa.func.count()).group_by(op.device)).tuples().all())
        lost = sum(laptop.ops - counted.get(laptop.device, 0) for laptop in prepared)
        held = conn.execute(sa.select(sa.func.count()).where(op.problem.is_not(None))).scalar_one()
        query = sa.select(op.stream, sa.func.count(), sa.func.count(sa.distinct(op.n)), sa.func.max(op.n))
        streams = conn.execute(query.where(op.n.is_not(None)).group_by(op.stream)).all()
        doubled = sum(count - distinct for _, count, distinct, _ in streams)
        gaps = sum(last - distinct for _, _, distinct, last in streams)
    print(
        f"  {'checked in the database':28}{lost} lost, {doubled} twice, {gaps} gaps, {held} in quarantine", flush=True
    )


def _floor(folder: Path, url: str, prepared: list[Prepared], tally: Tally) -> None:
    """The same number of bare rows, one connection, in the same batches."""
    with opened(load_settings(folder / "central", {})), reading() as conn:
        query = sa.select(tables.op.c.body).where(tables.op.c.device == prepared[0].device)
        bodies = [str(body) for body in conn.execute(query).scalars()]
    rows = [bodies[number % len(bodies)] for number in range(FLOOR_ROWS)]
    least = floor.together_ms(url or floor.sqlite_url(folder), rows, prepared[0].ops) / 1000
    ops = sum(laptop.ops for laptop in prepared)
    whole = least * ops / FLOOR_ROWS
    print(
        f"  {'floor (bare rows)':28}{whole:.0f} s, {ops / whole:.0f} rows/s; ours × {tally.took_s / whole:.1f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
