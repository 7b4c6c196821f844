"""kill -9 at every step, again and again: a histogram of the steps, or the first promise that was broken."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.support import postgres
from tests.support.soon import soon
from tests.torture.child import Day
from tests.torture.points import POINTS, Point
from tests.torture.world import Broken, Laptop, World, world

IN_ONE_WORLD = 46
"""Kills before a new centre with new laptops: what is verified each time must not grow for ever."""
RECORDED = 3

Tell = Callable[[str], None]


def torture(kills: int, seed: int, tell: Tell, *, points: tuple[Point, ...] = POINTS) -> Counter[str]:
    """How often each step was hit. Half of the worlds are on PostgreSQL. Raises: Broken, with its story."""
    chance, hits = random.Random(seed), Counter[str]({point.name: 0 for point in points})
    number = 0
    while hits.total() < kills:
        with _database(number) as (database, crash), _folder() as folder, world(folder, database, chance) as made:
            began = time.monotonic()
            before = hits.total()
            try:
                _fill(made, chance)
                for _ in range(min(IN_ONE_WORLD, kills - before)):
                    reachable = [point for point in points if crash or point.side != "database"]
                    point = min(reachable, key=lambda point: (hits[point.name] * point.dear, chance.random()))
                    _once(made, point, chance, crash)
                    hits[point.name] += 1
                made.settle()
            except Broken as broken:
                raise Broken(f"seed {seed}, world {number}, kill {hits.total() + 1}: {broken}") from broken
            kind = "PostgreSQL" if database else "SQLite"
            tell(f"world {number} ({kind}): {hits.total() - before} kills in {time.monotonic() - began:.0f} s")
        number += 1
    return hits


def _fill(made: World, chance: random.Random) -> None:
    for laptop in made.laptops:
        made.day(laptop, Day(record=chance.randint(1, RECORDED), sync=True))


def _once(made: World, point: Point, chance: random.Random, crash: Callable[[], None] | None) -> None:
    """One kill at this point, then all that was promised. Where n was too great for what there was to do: once more."""
    laptop, other = chance.sample(made.laptops, 2)
    made.day(other, Day(record=chance.randint(2, RECORDED), sync=True))  # something that is new to the others
    for nth in (chance.randint(point.first, max(point.first, point.most)), point.first, point.first):
        if _killed(made, point, nth, laptop, crash):
            return
    raise Broken(f"“{point.name}” was never reached")


def _killed(made: World, point: Point, nth: int, laptop: Laptop, crash: Callable[[], None] | None) -> bool:
    trap, died = (point, nth), True
    match point.side:
        case "laptop":
            _prepare(made, point, laptop)
            stick: Literal["", "write", "read"] = (
                "write" if point.needs == "stick" else "read" if point.needs == "answer" else ""
            )
            day = Day(stick=stick, trap=trap) if stick else Day(record=RECORDED, sync=True, trap=trap)
            died = made.day(laptop, day).killed
        case "centre":
            made.trap(*trap)
            made.day(laptop, Day(record=RECORDED, sync=True))
            died = made.server_died(within_s=1.0)
            made.stop()
            made.start()
            made.look()
        case "stick":
            made.day(laptop, Day(record=RECORDED, stick="write"))
            died = made.take(laptop, trap).killed
            made.look()
            made.take(laptop)
            made.day(laptop, Day(stick="read"))
        case "database":
            assert crash is not None
            begun = [made.begin(each, Day(record=RECORDED, sync=True)) for each in made.laptops]
            crash()
            for each in begun:
                made.end(each)
            made.look()  # the centre's own process lives on, and finds it again
    made.look_at(laptop)
    return died


def _prepare(made: World, point: Point, laptop: Laptop) -> None:
    match point.needs:
        case "older":
            made.day(laptop, Day(sync=True, older=True))
        case "old":
            made.make_old(laptop)
        case "stick":
            made.day(laptop, Day(record=RECORDED))
        case "answer":
            made.day(laptop, Day(record=RECORDED, stick="write"))
            made.take(laptop)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="aidvisit-torture-"))
    try:
        yield folder
    except Broken:
        sys.stderr.write(f"what was left is in {folder}\n")
        raise
    shutil.rmtree(folder)


@contextmanager
def _database(number: int) -> Iterator[tuple[str, Callable[[], None] | None]]:
    """Of every other world: a PostgreSQL that keeps what it committed, and how to end it at once."""
    if number % 2 == 0:
        yield "", None
        return
    server = postgres.start()
    with postgres.database(server) as url:
        postgres.keep_what_is_committed(url)
        yield url, crash_postgres


def crash_postgres() -> None:
    """Immediate shutdown: no checkpoint, every session gone; then it starts and replays its log."""
    data = Path(os.environ[postgres.PLACE]) / "data"
    pid = int((data / "postmaster.pid").read_text().split()[0])
    time.sleep(random.uniform(0.2, 0.8))
    os.kill(pid, signal.SIGQUIT)
    if not soon(lambda: not _alive(pid), within_s=30):
        raise Broken("PostgreSQL did not end")
    postgres.start_again()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.is_file() and status.read_text().rpartition(")")[2].split()[0] == "Z")
