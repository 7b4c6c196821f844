"""Nodes that lose power between any two statements, and whose disk is full now and then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aidvisit.store.database import in_words
from sync.identity import hash_secret
from sync.problem import Problem
from tests.simulation.story import Story
from tests.support.toy import Centre, Laptop

LARGEST = 1_073_741_823
STATEMENTS = 24


class Crash(Exception):  # noqa: N818 (not an error: the power went)
    """The machine lost its power here."""


EXPECTED = {
    "server-unreachable", "server-error", "hotel-wifi", "unavailable", "fork", "unauthorized", "device-revoked",
    "other-server", "disk-full", "malformed", "chain-broken", "bad-signature", "receipt-invalid",
}  # fmt: skip


@contextmanager
def suppressed(names: set[str]) -> Iterator[list[Problem | Crash]]:
    """A crash or one of these problems ends the block, and is in the list then; any other problem is a failure."""
    met: list[Problem | Crash] = []
    try:
        yield met
    except Crash as crash:
        met.append(crash)
    except Problem as problem:
        if problem.name not in names:
            raise
        met.append(problem)


@dataclass
class Weather:
    """How likely each fault is at each place where it may strike."""

    story: Story
    crash: float = 0.004
    full: float = 0.02
    lost: float = 0.03
    altered: float = 0.02

    @contextmanager
    def transaction(self, engine: sa.Engine, who: str) -> Iterator[Connection]:
        """A transaction: the power goes before it, at any statement, before its commit or after it; the disk fills."""
        strikes = self.story.strikes
        if strikes(f"{who} crashed before a transaction", self.crash):
            raise Crash
        with in_words(engine), engine.begin() as conn:
            if self.story.calm:
                yield conn
                return
            with self._at_a_statement(conn, who), self._full(conn, who):
                yield conn
            if strikes(f"{who} crashed before a commit", self.crash):
                raise Crash
        if strikes(f"{who} crashed after a commit", self.crash):
            raise Crash

    @contextmanager
    def _at_a_statement(self, conn: Connection, who: str) -> Iterator[None]:
        what = f"{who} crashed at a statement"
        if not self.story.strikes(what, self.crash):
            yield
            return
        left = self.story.random.randrange(STATEMENTS)

        def count(*_: Any) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash

        sa.event.listen(conn, "before_cursor_execute", count)
        yield
        self.story.counts[what] -= 1  # there were not so many

    @contextmanager
    def _full(self, conn: Connection, who: str) -> Iterator[None]:
        what = f"{who}'s disk was full"
        if not self.story.strikes(what, self.full):
            yield
            return
        disk: Any = conn.connection.dbapi_connection  # past the power, which may go at any statement of the software
        (pages,) = disk.execute("PRAGMA page_count").fetchone()
        disk.execute(f"PRAGMA max_page_count={pages}")
        try:
            yield
            self.story.counts[what] -= 1  # it fitted into the last page
        finally:
            disk.execute(f"PRAGMA max_page_count={LARGEST}")


class SimCentre(Centre):
    weather: Weather

    def begin(self) -> Any:
        return self.weather.transaction(self.engine, "centre")

    def device_of(self, conn: Connection, token: str | None) -> str:
        """Who asked. All of these look into the log alone, and not where the software under test looks."""
        query = "SELECT id FROM sync_device WHERE token_hash = ?"
        return str(conn.exec_driver_sql(query, (hash_secret(token or ""),)).scalar_one())

    def may_have(self, conn: Connection, device: str) -> Callable[[str], bool]:
        """Whether a stream is a device's to read, by the facts that stand."""
        team = conn.exec_driver_sql("SELECT team FROM sync_device WHERE id = ?", (device,)).scalar_one()
        boxes = "SELECT stream FROM op WHERE device = ? AND kind = 'box.planned' AND n IS NOT NULL"
        planned = set(conn.exec_driver_sql(boxes, (device,)).scalars())
        grants = (
            "SELECT body FROM op WHERE subject = ? AND kind = 'grant.set' AND n IS NOT NULL "
            "ORDER BY clock DESC, device DESC, seq DESC LIMIT 1"
        )
        latest = conn.exec_driver_sql(grants, (device,)).scalar()
        given = json.loads(latest) if latest else {"streams": [], "prefixes": []}
        streams, prefixes = {"org", f"team-{team}", *given["streams"], *planned}, tuple(given["prefixes"])
        return lambda stream: stream in streams or (stream.isdigit() and stream.startswith(prefixes))


class SimLaptop(Laptop):
    """`saved`: the marks of all that its user was told is saved. `was`: the devices that it was.
    `offset`: how wrong its clock is, in seconds.
    """

    weather: Weather
    name: str
    saved: list[int]
    was: set[str]
    offset: float = 0
    revoked: bool = False
    touched: bool = True

    def begin(self) -> Any:
        self.touched = True
        return self.weather.transaction(self.engine, "laptop")
