"""A centre and three laptops as processes and files, what people were told so far, and what must be true of it."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.services.device import enrolment_codes
from aidvisit.store.database import open_engine, transaction
from aidvisit.store.ledger import House
from aidvisit.store.migrations import config as alembic_config
from aidvisit.store.vault import Vault
from sync import clock, joining
from sync.link import Link
from sync.transport import HttpTransport
from tests.support.centre import free_port
from tests.support.homes import centre as made_centre
from tests.torture import child
from tests.torture.child import Day, Seen
from tests.torture.points import Point

KILLED = -9
PATIENCE_S = 120
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["tests.torture.child"])


class Broken(AssertionError):  # noqa: N818 (so does the command say it)
    """A promise was not kept."""


@dataclass(slots=True)
class Laptop:
    """`told`: subjects of which the user was told “saved”; `acked`: up to where the centre's receipt was believed."""

    name: str
    home: Path
    recovery: str
    device: str
    told: set[str] = field(default_factory=set)
    acked: int = 0


@dataclass(slots=True)
class Run:
    """How a process ended, and what it said."""

    exit_code: int | None
    said: dict[str, Any]

    @property
    def killed(self) -> bool:
        return self.exit_code == KILLED


class World:
    """All of it, in one folder; the server runs."""

    def __init__(self, folder: Path, database: str, chance: random.Random) -> None:
        self._folder, self._chance = folder, chance
        self._port = free_port()
        with made_centre(folder, database) as made:
            self.home = made.settings.home
            codes = [code.code for code in enrolment_codes(actor=made.device, team=made.team, count=3)]
        self._server: Any = None
        self._orders: Pipe | None = None
        self.start()
        self.laptops = [self._enrol(f"laptop-{number}", code) for number, code in enumerate(codes)]

    def _enrol(self, name: str, code: str) -> Laptop:
        url = f"http://127.0.0.1:{self._port}"
        settings = config.write(self._folder / name, role="field", server_url=url)
        vault = Vault(settings.home)
        recovery = vault.create()
        with opened(settings, vault):
            device = joining.enrol(
                Link(transaction, House(), HttpTransport(url), clock.wall), name=name, code=code
            )  # fmt: skip
        return Laptop(name, settings.home, recovery, device)

    # --- the centre's process ---

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        self._orders, theirs = FORK.Pipe()
        self._server = FORK.Process(target=child.centre, args=(self.home, self._port, theirs), daemon=True)
        self._server.start()
        theirs.close()
        if not self._orders.poll(PATIENCE_S) or self._orders.recv() != "ready":
            raise Broken("the centre does not start")

    def trap(self, point: Point, nth: int) -> None:
        assert self._orders is not None
        self._orders.send((point, nth))
        assert self._orders.poll(PATIENCE_S)
        assert self._orders.recv() == "armed"

    def server_died(self, within_s: float = 0.0) -> bool:
        self._server.join(within_s)
        return self._server.exitcode is not None

    def stop(self) -> None:
        """kill -9, as ever."""
        self._server.kill()
        self._server.join()

    # --- a laptop's ---

    def day(self, laptop: Laptop, day: Day) -> Run:
        """One process of a laptop, to its end; what people were told is remembered."""
        run = self._run(child.laptop, laptop.home, laptop.recovery, day)
        laptop.told |= {subject for told in run.said.get("saved", []) for subject in told}
        laptop.acked = max([laptop.acked, *run.said.get("acked", [])])
        return run

    def take(self, laptop: Laptop, trap: tuple[Point, int] | None = None) -> Run:
        """The centre reads the bundle of a laptop."""
        return self._run(child.take, self.home, laptop.home, laptop.device, trap)

    def begin(self, laptop: Laptop, day: Day) -> Any:
        """As `day`, but it goes on meanwhile; `end` waits for it."""
        mine, theirs = FORK.Pipe(duplex=False)
        process = FORK.Process(target=child.laptop, args=(laptop.home, laptop.recovery, day, theirs), daemon=True)
        process.start()
        theirs.close()
        return laptop, process, mine

    def end(self, begun: Any) -> Run:
        laptop, process, mine = begun
        run = self._collect(process, mine)
        laptop.told |= {subject for told in run.said.get("saved", []) for subject in told}
        laptop.acked = max([laptop.acked, *run.said.get("acked", [])])
        return run

    def _run(self, target: Any, *given: Any) -> Run:
        mine, theirs = FORK.Pipe(duplex=False)
        process = FORK.Process(target=target, args=(*given, theirs), daemon=True)
        process.start()
        theirs.close()
        return self._collect(process, mine)

    @staticmethod
    def _collect(process: Any, mine: Pipe) -> Run:
        said: dict[str, list[Any]] = {}
        with suppress(EOFError, OSError):
            while mine.poll(PATIENCE_S):
                name, value = mine.recv()
                said.setdefault(name, []).append(value)
        process.join(PATIENCE_S)
        mine.close()
        if process.exitcode not in (0, KILLED):
            raise Broken(f"a process ended with {process.exitcode}, having said {said}")
        return Run(process.exitcode, said)

    # --- what must be true ---

    def look(self) -> Seen:
        """At the centre's database."""
        seen: Seen = self._run(child.look_at, self.home).said["seen"][0]
        self._check(seen, "the centre")
        for laptop in self.laptops:
            held = seen.through.get(laptop.device, 0)
            if held < laptop.acked:
                raise Broken(f"the centre acknowledged {laptop.name} up to {laptop.acked}, and holds {held}")
        return seen

    def look_at(self, laptop: Laptop, *, sync: bool = True) -> Seen:
        """A laptop after a kill: nothing that was told “saved” is gone, all is whole, and then it syncs to the end."""
        run = self.day(laptop, Day(look=True, sync=sync))
        seen: Seen = run.said["seen"][0]
        self._check(seen, laptop.name)
        if lost := laptop.told - seen.own:
            raise Broken(f"{laptop.name} said “saved” of {len(lost)} that are gone: {sorted(lost)[:3]}")
        if sync and run.said.get("acked") != [seen.last]:
            raise Broken(f"{laptop.name} did not come through: {run.said.get('problem')}, of {seen.last} ops")
        return seen

    @staticmethod
    def _check(seen: Seen, who: str) -> None:
        if seen.findings:
            raise Broken(f"verify of {who}: {seen.findings[:3]}")

    def settle(self) -> None:
        """All sync until nothing is new; then everybody holds the same, each fact once."""
        for _ in range(2):
            for laptop in self.laptops:
                self.day(laptop, Day(sync=True))
        found = [self.look_at(laptop) for laptop in self.laptops]
        centre = self.look()
        told = set().union(*(laptop.told for laptop in self.laptops))
        if lost := told - centre.subjects:
            raise Broken(f"{len(lost)} facts were told “saved”, acknowledged, and are not at the centre")
        if centre.missing:
            raise Broken(f"{centre.missing} photos did not arrive")
        for laptop, seen in zip(self.laptops, found, strict=True):
            if any(seen.digests[stream] != centre.digests[stream] for stream in seen.digests if stream != "office"):
                raise Broken(f"{laptop.name} and the centre differ")
            if seen.rows != centre.rows or seen.rows != len(centre.subjects):
                raise Broken(
                    f"{laptop.name} shows {seen.rows} rows, the centre {centre.rows}, of {len(centre.subjects)}"
                )

    def make_old(self, laptop: Laptop) -> None:
        """Its database as the version before left it: the same rows under the schema before the newest."""
        from alembic import command

        vault = Vault(laptop.home)
        assert vault.recover(laptop.recovery)
        url = config.load(laptop.home, {}).database_url
        path = laptop.home / "aidvisit.db"
        new = path.with_name("newer.db")
        engine = open_engine(url, vault)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        path.rename(new)
        engine = open_engine(url, vault)
        with engine.execution_options(writes=True).begin() as connection:
            command.upgrade(alembic_config(connection), "head-1")
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF")
            driver.execute(f"""ATTACH '{new.as_posix()}' AS newer KEY "x'{vault.key().hex()}'\"""")
            driver.execute("BEGIN IMMEDIATE")
            # A table of FTS5 is the tables beneath it, which begin with rows of their own.
            names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'alembic%'"
            names += " AND sql NOT LIKE 'CREATE VIRTUAL%'"
            for (table,) in driver.execute(names).fetchall():
                driver.execute(f'DELETE FROM main."{table}"')
                columns = ", ".join(f'"{row[1]}"' for row in driver.execute(f'PRAGMA main.table_info("{table}")'))
                driver.execute(f'INSERT INTO main."{table}" ({columns}) SELECT {columns} FROM newer."{table}"')
            driver.execute("COMMIT")
            driver.execute("DETACH newer")
        engine.dispose()
        new.unlink()


@contextmanager
def world(folder: Path, database: str, chance: random.Random) -> Iterator[World]:
    made = World(folder, database, chance)
    try:
        yield made
    finally:
        made.stop()
