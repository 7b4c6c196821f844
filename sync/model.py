"""What is passed around: drafts, entries, grants, and what the house gives to its log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.engine import Connection

from sync.merge import Order
from sync.op import Body, Op
from sync.problem import Problem

Place = tuple[str, int]
"""An op by its device and seq."""
Begin = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Grants:
    """The streams a device may pull and author in; `prefixes` are counties, each standing for all of its towns."""

    streams: frozenset[str]
    prefixes: tuple[str, ...] = ()

    def cover(self, stream: str) -> bool:
        if stream in self.streams:
            return True
        return len(stream) == 9 and stream.isascii() and stream.isdigit() and stream.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to record; the log adds device, seq and clock. `hlc` only when authored again."""

    stream: str
    actor: str
    kind: str
    v: int
    subject: str
    body: Body
    hlc: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An op as it is held, with what is known about it beside it."""

    op: Op
    n: int | None
    merge_hlc: str | None
    digest: str
    hash: str | None
    problem: dict[str, Any] | None
    dismissed: bool
    received_at: str
    erased: bool = False
    """Personal data were taken out of the body; the digest is still that of the whole op."""

    @property
    def clock(self) -> str:
        """The merge clock."""
        return self.merge_hlc or self.op.hlc

    @property
    def order(self) -> Order:
        return (self.clock, self.op.device, self.op.seq)

    @property
    def name(self) -> str:
        return self.op.name


class Judge(Protocol):
    """Judges ops one after another: what they need to know was read at once, and is kept true as ops are accepted."""

    def why_not(self, op: Op) -> Problem | None:
        """Why an op that passed `check` may not stand, but for grants: not-allowed, unknown-subject, subject-exists."""

    def accept(self, op: Op) -> None:
        """It stands, and what it makes is known to those after it."""


class Application(Protocol):
    """What the house gives to its log."""

    def check(self, op: Op, by_centre: bool) -> Problem | None:
        """What can be said against an op without the database: unknown-kind, invalid-body, not-allowed."""

    def judge(self, conn: Connection, ops: Sequence[Op], by_centre: bool) -> Judge:
        """Who judges these ops, all of which passed `check`."""

    def turns(self, op: Op) -> bool:
        """Whether such an op changes what those after it are judged by, so that a new judge is needed."""

    def apply(self, conn: Connection, entries: Sequence[Entry], checked: bool) -> list[Entry]:
        """Change the tables. Returns those whose kind, version or body is not understood: kept, and applied later.

        `checked`: all of them have passed `check` just now.
        """

    def replay(self, conn: Connection, subjects: Collection[str]) -> None:
        """Merge clocks of ops about these subjects changed, or ops of them went away."""

    def forget(self, conn: Connection, stream: str) -> None:
        """The stream is not granted any more: its rows go."""

    def remainders(self, conn: Connection, entries: Sequence[Entry]) -> dict[Place, Body]:
        """Of those of these ops that an erasure covers, by place the body that may be kept."""

    def covered(self, conn: Connection, entries: Sequence[Entry]) -> Sequence[Entry]:
        """These ops, just applied, may be erasures, or tell what others are about: those held that may be covered."""

    def cleared(self, conn: Connection, entries: Sequence[Entry]) -> None:
        """Bodies were erased: what the house keeps beside its log of those whom these ops were about goes, too.

        `entries`: as they were.
        """

    def reminders(self, conn: Connection, start: int, most: int) -> list[dict[str, Any]]:
        """What a laptop reminds a centre of that was restored: erasures, from one on."""

    def remind(self, conn: Connection, said: Sequence[Any], now: datetime) -> None:
        """A laptop reminds this centre, which believes what it signed itself."""

    def grants(self, conn: Connection, device: str) -> Grants:
        """What a device may have."""

    def opens(self, op: Op) -> bool:
        """Whether its author is granted the op's stream by this very op (a laptop plans a trip by itself)."""

    def enrolled(
        self, conn: Connection, device: str, name: str, public_key: str, team: str, earlier: str | None = None
    ) -> Sequence[Draft]:
        """The centre's facts about a new device; `earlier`: what the same laptop was before."""
