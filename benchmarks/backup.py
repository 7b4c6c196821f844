"""A centre is backed up, proved and restored while laptops push: seconds, bytes, memory, and whether anything lacks.

`python -m benchmarks.backup [--deliveries N] [--photos N] [--on sqlite|postgresql] [--keep FOLDER]`: a running centre
of four towns, as many laptops that push over HTTP all the time, and `aidvisit backup` as a process of its own. What was
acknowledged before it began must be in the home that is restored from it. The floor is a bare copy in the same minute:
SQLite's backup interface into another file, PostgreSQL's tables by COPY to nowhere. `--keep`: the filled centre is used
again; `--fill`: it is only filled.
"""

from __future__ import annotations

import json
import math
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import requests
import sqlalchemy as sa
from sqlalchemy import Engine

from aidvisit.store.database import open_engine, viewing, writing
from benchmarks import township
from benchmarks.figure import timed_ms
from benchmarks.push import BATCH, push
from benchmarks.township import Laptop
from sync import blobs, log
from sync.tables import op
from tests.support import postgres
from tests.support.centre import Centre
from tests.support.nodes import Node

TOWNS = tuple(f"4407855{number:02}" for number in range(4))
EACH = 10
"""Deliveries to a household."""
PHOTO_BYTES = 60_000
OPS, PAUSE_S, BEFORE_S = 10, 0.2, 20.0
"""Of one push of a laptop that pushes on, what it waits after an answer, and how long it does before the backup."""


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=200_000)
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--on", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--fill", action="store_true")
    given = parser.parse_args()
    for where in given.on or ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory() as name:
            kept = (given.keep or Path(name)) / where
            kept.mkdir(parents=True, exist_ok=True)
            with _databases(where, kept) as (url, empty):
                print(f"{where}: {given.deliveries:,} deliveries, {given.photos} photos; load {os.getloadavg()[0]:.1f}")
                held = _held(kept, url, given.deliveries, given.photos)
                if not given.fill:
                    _one(Path(name), kept / "central", held, url, empty)
    return 0


@contextmanager
def _databases(where: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The centre's, which the folder keeps, and an empty one to restore into; of SQLite none is named."""
    if where == "sqlite":
        yield "", ""
        return
    os.environ[postgres.PLACE] = str(folder / "postgres")
    (folder / "postgres").mkdir(exist_ok=True)
    try:
        address = postgres.start()
        with psycopg.connect(address, autocommit=True) as connection:
            for name in postgres.SETTINGS:  # what the tests save on durability is put back
                connection.execute(f"ALTER SYSTEM RESET {name}")  # type: ignore[arg-type]
            connection.execute("SELECT pg_reload_conf()")
        with postgres.database(address) as empty:
            yield address.replace("postgresql://", "postgresql+psycopg://"), empty
    finally:
        postgres.stop()


def _one(folder: Path, home: Path, held: _Held, url: str, empty: str) -> None:
    engine = open_engine(url or f"sqlite:///{(home / 'aidvisit.db').as_posix()}")
    laptops = [township.enrol(engine, town) for town in TOWNS]
    file, back = folder / "centre.aidbackup", folder / "back"
    node = Node(home, "central")
    node.options = ("--workers", "2") if url else ()
    node.start()
    try:
        with _pushing(node.url, laptops) as pushing:
            time.sleep(BEFORE_S)
            acknowledged = held.through | pushing.acknowledged()
            own, size = _own(engine), _bytes(engine, home)
            floor = timed_ms(lambda: _copied(engine, home, folder / "copy.db")) / 1000
            began = time.time()
            made = run(home, "backup", str(file))
            ended = time.time()
    finally:
        node.stop()
    written = file.stat().st_mtime  # it is renamed when it is proved, and not touched
    _say("the database", f"{size / 1e6:.0f} MB; a bare copy takes {floor:.2f} s")
    _say("the backup", f"{file.stat().st_size / 1e6:.0f} MB with {made.document['ops']:,} records")
    _say("written", f"{written - began:.1f} s, × {(written - began) / floor:.1f}")
    _say("proved", f"{ended - written:.1f} s, × {(ended - written) / floor:.1f}")
    for name, start, end in (
        ("before", 0.0, began), ("while it is written", began, written), ("while it is proved", written, ended)
    ):  # fmt: skip
        _say(f"a push of {OPS} {name}", pushing.told(start, end))
    made.tell("backup")
    more = ["--database", empty] if empty else []
    run(back, "restore", str(file), "--key-stdin", *more, stdin=held.key).tell("restore")
    copy = open_engine(empty or f"sqlite:///{(back / 'aidvisit.db').as_posix()}")
    lacking = _lacking(copy, acknowledged | own, held.photos)
    _say("acknowledged before it began", f"{sum(through for through, _ in acknowledged.values()):,} records")
    _say("of these not in what is restored", str(lacking or "none"))
    verified = run(back, "verify")
    verified.tell("verify")
    _say("load at the end", f"{os.getloadavg()[0]:.1f}")
    copy.dispose()
    engine.dispose()
    assert verified.document["ok"], verified.document
    assert not lacking, lacking


def _say(what: str, value: str) -> None:
    print(f"  {what:36}{value}", flush=True)


# --- what there is, and what comes --------------------------------------------------------------------------------

Through = dict[str, tuple[int, str]]
"""By device, its last acknowledged op and the chain's hash there, which is over the digests of all before it."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What was acknowledged when the centre was filled; its photos; the recovery key for its backups."""

    through: Through
    photos: set[str]
    key: str


def _held(folder: Path, url: str, deliveries: int, photos: int) -> _Held:
    kept = folder / "filled.json"
    if not kept.exists():
        centre = Centre(folder / "central", url)
        engine = open_engine(centre.database)
        through, names = _filled(engine, deliveries), _photos(engine, photos)
        engine.dispose()
        key = centre.command("backup-key")["recovery_key"]
        kept.write_text(json.dumps({"through": through, "photos": names, "key": key}), encoding="utf-8")
    read = json.loads(kept.read_text(encoding="utf-8"))
    return _Held({device: (at, head) for device, (at, head) in read["through"].items()}, {*read["photos"]}, read["key"])


def _filled(engine: Engine, deliveries: int) -> Through:
    """What laptops of four towns have pushed in years."""
    through: Through = {}
    each = deliveries // len(TOWNS)
    for seed, town in enumerate(TOWNS):
        laptop = township.enrol(engine, town)
        documents = township.documents(laptop, township.facts(town, each // EACH, each, seed), BATCH)
        push(engine, laptop, documents)
        last = json.loads(documents[-1])
        through[laptop.device] = last["from"] + len(last["ops"]) - 1, last["head"]
    return through


def _photos(engine: Engine, count: int) -> list[str]:
    names = []
    for _ in range(count):
        data = os.urandom(PHOTO_BYTES)
        names.append(sha256(data).hexdigest())
        with writing(engine) as conn:
            blobs.put(conn, names[-1], "image/jpeg", data)
    return names


def _own(engine: Engine) -> Through:
    """What the centre's own log holds."""
    with viewing(engine) as conn:
        own = log.own(conn)
        last = conn.execute(sa.select(sa.func.max(op.c.seq)).where(op.c.device == own)).scalar_one()
        return {own: (last, log.hash_at(conn, own, last))}


@dataclass(slots=True)
class _Pushing:
    """What laptops in threads push until they are told to stop."""

    over: threading.Event = field(default_factory=threading.Event)
    through: Through = field(default_factory=dict)
    took: list[tuple[float, float]] = field(default_factory=list)
    """(when it was sent, milliseconds until it was acknowledged)."""
    wrong: list[str] = field(default_factory=list)

    def acknowledged(self) -> Through:
        return dict(self.through)

    def told(self, start: float, end: float) -> str:
        times = sorted(ms for at, ms in self.took if start <= at < end)
        if not times:
            return "none"
        p50, p99 = (times[min(len(times) - 1, math.ceil(len(times) * share) - 1)] for share in (0.5, 0.99))
        return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {times[-1]:.0f} ms ({len(times)} pushes)"

    def go_on(self, url: str, laptop: Laptop, seed: int) -> None:
        line = requests.Session()
        line.headers["Authorization"] = f"Bearer {laptop.token}"
        facts = township.facts(laptop.town, 200, sys.maxsize, seed)
        for document in township.pushes(laptop, facts, OPS):
            sent = time.time()
            while not self.over.is_set():
                answer = line.post(f"{url}/sync/v1/push", json=document, timeout=120)
                if answer.status_code not in (429, 503):
                    break
                self.over.wait(float(answer.headers.get("Retry-After", "1")))
            if self.over.is_set():
                return
            last = document["from"] + len(document["ops"]) - 1
            if answer.status_code != 200 or answer.json()["through"] != last or answer.json()["quarantined"]:
                self.wrong.append(answer.text[:500])
                return
            self.through[laptop.device] = last, document["head"]
            self.took.append((sent, (time.time() - sent) * 1000))
            self.over.wait(PAUSE_S)


@contextmanager
def _pushing(url: str, laptops: Sequence[Laptop]) -> Iterator[_Pushing]:
    pushing = _Pushing()
    threads = [
        threading.Thread(target=pushing.go_on, args=(url, laptop, seed), daemon=True)
        for seed, laptop in enumerate(laptops, 100)
    ]
    for thread in threads:
        thread.start()
    try:
        yield pushing
    finally:
        pushing.over.set()
        for thread in threads:
            thread.join()
    assert not pushing.wrong, pushing.wrong


# --- what is measured ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ran:
    document: dict[str, Any]
    seconds: float
    cpu_s: float
    peak_mb: float

    def tell(self, name: str) -> None:
        _say(f"the process {name}", f"{self.seconds:.1f} s ({self.cpu_s:.1f} s of CPU), {self.peak_mb:.0f} MB peak")


def run(home: Path, *words: str, stdin: str = "") -> Ran:
    """One command as a process of its own; its peak is asked of the kernel ten times a second."""
    began, peak = time.monotonic(), 0
    own = [sys.executable, "-m", "aidvisit", "--home", str(home), "--json", *words]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(own, stdin=subprocess.PIPE, stdout=out, stderr=said)
        assert process.stdin is not None
        process.stdin.write(f"{stdin}\n".encode())
        process.stdin.close()
        status = Path(f"/proc/{process.pid}/status")
        while True:
            found = re.search(r"^VmHWM:\s+(\d+)", status.read_text(), re.MULTILINE)
            peak = max(peak, int(found[1]) if found else 0)
            pid, code, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.1)
        seconds, process.returncode = time.monotonic() - began, os.waitstatus_to_exitcode(code)
        for file in (out, said):
            file.seek(0)
        assert process.returncode == 0, f"{words[0]}: {out.read()!r} {said.read()!r}"
        return Ran(json.loads(out.read()), seconds, usage.ru_utime + usage.ru_stime, peak / 1024)


def _bytes(engine: Engine, home: Path) -> int:
    if engine.dialect.name == "sqlite":
        return (home / "aidvisit.db").stat().st_size
    with viewing(engine) as conn:
        return int(conn.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())


def _copied(engine: Engine, home: Path, to: Path) -> None:
    """The least that a copy of one moment takes, neither packed nor encrypted nor flushed."""
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(home / "aidvisit.db")) as source, closing(sqlite3.connect(to)) as target:
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM node").fetchone()
            source.backup(target)
        return
    with viewing(engine) as conn, conn.connection.cursor() as cursor:
        for name in sa.inspect(conn).get_table_names():
            with cursor.copy(f'COPY "{name}" TO STDOUT') as copy:  # type: ignore[attr-defined]
                for _ in copy:
                    pass


def _lacking(engine: Engine, acknowledged: Through, photos: set[str]) -> list[str]:
    """What was acknowledged and is not there as it was: every op by its name, all digests by the chain over them."""
    found = []
    with viewing(engine) as conn:
        for device, (through, head) in acknowledged.items():
            held = set(conn.execute(sa.select(op.c.seq).where(op.c.device == device, op.c.seq <= through)).scalars())
            found += [f"{device}/{seq}" for seq in range(1, through + 1) if seq not in held]
            if through in held and log.hash_at(conn, device, through) != head:
                found.append(f"{device}/{through}: another hash")
        found += sorted(photos - blobs.held(conn, photos))
    return found


if __name__ == "__main__":
    sys.exit(main())
