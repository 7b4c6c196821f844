"""Nodes that lose power between any two steps, and a line that loses, doubles and delays."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import log, tables
from sync.op import loads
from sync.problem import Problem
from sync.transport import Reply
from tests.support.toy import Centre, Laptop


class Crash(Exception):  # noqa: N818 (not an error: the power went)
    """The machine lost its power here."""


EXPECTED = {"server-unreachable", "unavailable", "fork", "unauthorized", "device-revoked"}


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
    """How likely each fault is, from one generator; and how many of each kind there were."""

    random: Random
    crash: float = 0.01
    lost: float = 0.06
    counts: Counter[str] = field(default_factory=Counter)

    def strikes(self, what: str, chance: float) -> bool:
        if self.random.random() >= chance:
            return False
        self.counts[what] += 1
        return True

    def clear_up(self) -> None:
        self.crash = self.lost = 0.0

    @contextmanager
    def transaction(self, engine: sa.Engine, who: str) -> Iterator[Connection]:
        """A transaction, with the power gone before it, before its commit or after it."""
        if self.strikes(f"{who} crashed before a transaction", self.crash):
            raise Crash
        with engine.begin() as conn:
            yield conn
            if self.strikes(f"{who} crashed before a commit", self.crash):
                raise Crash
        if self.strikes(f"{who} crashed after a commit", self.crash):
            raise Crash


class SimCentre(Centre):
    weather: Weather

    def begin(self) -> Any:
        return self.weather.transaction(self.engine, "centre")


class SimLaptop(Laptop):
    """`saved`: the marks of all that its user was told is saved. `offset`: how wrong its clock is."""

    weather: Weather
    name: str
    saved: list[int]
    revoked: bool = False

    def begin(self) -> Any:
        return self.weather.transaction(self.engine, "laptop")


@dataclass
class SimLine:
    """The line of all laptops to the centre. It also watches what the centre promises."""

    centre: SimCentre
    weather: Weather
    late: list[tuple[str, bytes, str | None]] = field(default_factory=list)
    numbers: dict[tuple[str, str, int], tuple[str, int]] = field(default_factory=dict)
    most_ops: int = 1000
    meanwhile: Callable[[], None] = lambda: None

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        strikes, lost = self.weather.strikes, self.weather.lost
        raw = json.dumps(document, ensure_ascii=False).encode()
        if strikes("laptop crashed before a call", self.weather.crash):
            raise Crash
        if strikes("request lost", lost):
            raise _unreachable()
        # A second enrolment would put a new token in place of the one that the laptop was just given.
        if name != "enrol" and strikes("request delayed", lost):
            self.late.append((name, raw, token))
            raise _unreachable()
        if strikes("centre was busy", lost / 2):
            raise Problem("unavailable", retry_after=1)
        if strikes("others acted in the middle of a sync", lost):
            self.meanwhile()
        if name == "push" and len(document["ops"]) > self.most_ops:
            self.weather.counts["push too large"] += 1
            raise Problem("too-large", max_ops=self.most_ops, max_bytes=1)
        if strikes("request doubled", lost):
            self._deliver_quietly(name, raw, token)
        answer = self._deliver(name, raw, token)
        if strikes("reply lost", lost):
            raise _unreachable()
        if strikes("laptop crashed after a call", self.weather.crash):
            raise Crash
        return Reply(loads(json.dumps(answer, ensure_ascii=False).encode()), self.centre.now().replace(microsecond=0))

    def deliver_late(self) -> None:
        """One of the requests that were on their way for long arrives."""
        if self.late:
            self.weather.counts["late request arrived"] += 1
            self._deliver_quietly(*self.late.pop(self.weather.random.randrange(len(self.late))))

    def _deliver_quietly(self, name: str, raw: bytes, token: str | None) -> None:
        with suppressed(EXPECTED | {"gap"}):
            self._deliver(name, raw, token)

    def _deliver(self, name: str, raw: bytes, token: str | None) -> dict[str, Any]:
        try:
            answer = self.centre.answer(name, raw, token)
        except Crash:
            raise _unreachable() from None
        with self.centre.engine.begin() as conn:
            if name == "push":
                self._watch_push(conn, json.loads(raw)["device"], answer)
            elif name == "pull":
                self._watch_pull(conn, answer)
        return answer

    def _watch_push(self, conn: Connection, device: str, answer: dict[str, Any]) -> None:
        """Promise 2: what is acknowledged is there."""
        op = tables.op.c
        held = sa.select(sa.func.count()).where(op.device == device, op.seq <= answer["through"])
        assert conn.execute(held).scalar() == answer["through"], "acknowledged, but not held"
        assert log.hash_at(conn, device, answer["through"]) == answer["head"]

    def _watch_pull(self, conn: Connection, answer: dict[str, Any]) -> None:
        """Promise 5: numbers are gapless up to the cursor, and stand for the same op for ever within an epoch."""
        op = tables.op.c
        assert answer["epoch"] == log.recall(conn, "epoch")
        for stream, cursor in answer["cursors"].items():
            query = sa.select(op.n, op.device, op.seq).where(op.stream == stream, op.n <= cursor).order_by(op.n)
            rows = conn.execute(query).all()
            assert [row.n for row in rows] == list(range(1, cursor + 1)), f"{stream} has a hole below its cursor"
            for row in rows:
                known = self.numbers.setdefault((answer["epoch"], stream, row.n), (row.device, row.seq))
                assert known == (row.device, row.seq), f"{stream} {row.n} became another op"


def _unreachable() -> Problem:
    return Problem("server-unreachable", url="sim")
