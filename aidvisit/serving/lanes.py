"""Who is let in, and which threads work on it (docs/operations.md, “300 laptops”).

Pushes, pulls, blobs and pages wait in lanes of their own: a Monday morning of laptops leaves the office its pages.
Nothing here waits for a slow line: bodies are collected before any thread begins, and only so much of them at once.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol, cast

from waitress.task import Task, ThreadedTaskDispatcher

from sync.wire import MAX_BYTES

MOST_WORK_S = 15.0
"""Whoever is let in is answered after at most so much work of others, as far as one can tell."""
SLOW_S = 20.0
"""A body that takes longer than this to arrive is on a slow line, and keeps nobody else out meanwhile; a stranger's
never does before it is there."""
HELD_BYTES = 96 * 1024 * 1024
"""Bodies that arrive or wait, and answers that leave: together, in one process."""
STRANGERS_BYTES = HELD_BYTES // 4
"""Of these, for large bodies of those who have not shown a token that holds: they can only fill their own room."""
SMALL = 64 * 1024
"""Bytes of a body that is not large: of so many even all connections together leave room."""
KNOWN = 10_000
LONGEST_WAIT_S = 300
BASE = 2048  # a request without any body is work too
FIRST_GUESS_S = 1e-4  # for each byte; what was measured soon takes its place
LATE_S = 40.0
"""Who was let in and has waited for so long is sent away after all: everybody has an answer within a minute."""
# waitress would warn at every request that waits: here that is what lanes are for.
QUEUE_LOGGER = logging.getLogger("aidvisit.serving.queue")
QUEUE_LOGGER.setLevel(logging.ERROR)


class Asking(Protocol):
    """What the lanes must know of a request that comes in."""

    path: str
    length: int
    """Bytes of its body, as it says; the most that may come where it does not say."""
    since: float
    known: bool
    """Whether it shows a token that was answered before."""

    @property
    def whole(self) -> bool: ...


@dataclass(slots=True)
class Lane:
    """Threads for one kind of request. `limited`: it turns away what it could not answer soon."""

    name: str
    threads: int
    limited: bool
    byte_s: float = FIRST_GUESS_S
    done: int = 0
    due: float = 0.0
    """When the last one that was sent away was told to come back."""
    workers: ThreadedTaskDispatcher = field(default_factory=ThreadedTaskDispatcher)

    def cost_s(self, asked: Asking) -> float:
        return (BASE + asked.length) * self.byte_s / self.threads

    def note(self, length: int, took_s: float) -> None:
        """Learn from what was done; the last ten or so count."""
        self.done += 1
        self.byte_s += max(0.1, 1 / self.done) * (took_s / (BASE + length) - self.byte_s)

    def ticket_s(self, asked: Asking, waiting_s: float, now: float) -> int:
        """When to ask again: one after the other, as their turns will come, and not all in the same second."""
        self.due = max(self.due, now + waiting_s / 2) + self.cost_s(asked)
        wait = min(self.due - now, LONGEST_WAIT_S)
        return max(1, round(wait * random.uniform(1.0, 1.2)))  # noqa: S311


class Lanes:
    """The dispatcher of one server process: takes channels whose request is whole, each into its lane."""

    def __init__(self, lanes: Iterable[tuple[str, Lane]]) -> None:
        self._lanes = list(lanes)
        self._known: dict[bytes, None] = {}
        for _, lane in self._lanes:
            lane.workers.queue_logger = QUEUE_LOGGER
            lane.workers.set_thread_count(lane.threads)

    def of(self, path: str) -> Lane:
        return next(lane for prefix, lane in self._lanes if path.startswith(prefix))

    def knows(self, authorization: str) -> bool:
        return _digest(authorization) in self._known

    def know(self, authorization: str) -> None:
        """Whoever shows this was given what only a device is given."""
        self._known[_digest(authorization)] = None
        if len(self._known) > KNOWN:
            self._known.pop(next(iter(self._known)))

    def wait_s(self, asked: Asking, present: Iterable[Asking], leaving: int, now: float) -> int:
        """Seconds after which to ask again; 0: come in.

        `present`: those that were let in and are not answered; `leaving`: bytes of answers on their way out.
        """
        lane = self.of(asked.path)
        others = list(present)
        if asked.length and asked.length + leaving + sum(each.length for each in others) > HELD_BYTES:
            return lane.ticket_s(asked, MOST_WORK_S, now)
        if asked.length > SMALL and not asked.known:
            strangers = sum(each.length for each in others if each.length > SMALL and not each.known)
            if asked.length + strangers > STRANGERS_BYTES:
                return lane.ticket_s(asked, MOST_WORK_S, now)
        if not lane.limited:
            return 0
        counted = [each for each in others if each.whole or (each.known and now - each.since < SLOW_S)]
        waiting_s = sum(lane.cost_s(each) for each in counted if self.of(each.path) is lane)
        return lane.ticket_s(asked, waiting_s, now) if waiting_s > MOST_WORK_S else 0

    def add_task(self, channel: Any) -> None:
        request = channel.requests[0]
        lane = self.of(getattr(request, "path", "/"))
        lane.workers.add_task(cast(Task, _Timed(channel, lane, request)))

    def set_thread_count(self, count: int) -> None:
        """Each lane knows its own."""

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """End all threads; what they work on may finish for `timeout` seconds."""
        ending = [
            threading.Thread(target=lane.workers.shutdown, args=(cancel_pending, timeout)) for _, lane in self._lanes
        ]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join()
        return True


@dataclass(slots=True)
class _Timed:
    """A channel's next request, on its way through a lane."""

    channel: Any
    lane: Lane
    request: Any
    since: float = field(default_factory=time.monotonic)

    def service(self) -> None:
        started, length = time.monotonic(), getattr(self.request, "length", 0)
        if self.lane.limited and started - self.since > LATE_S:
            self.channel.turn_away(self.lane.ticket_s(self.request, MOST_WORK_S, started))
            return
        self.channel.service()
        self.lane.note(length, time.monotonic() - started)

    def cancel(self) -> None:
        self.channel.cancel()


def of_centre(threads: int) -> Lanes:
    """`threads` for each of pushes and pulls: more of them than the database takes at once only wait in it."""

    def made() -> Iterator[tuple[str, Lane]]:
        yield "/sync/v1/push", Lane("push", threads, limited=True)
        yield "/sync/v1/pull", Lane("pull", threads, limited=True)
        yield "/sync/v1/blobs", Lane("blobs", 1, limited=True)
        yield "", Lane("pages", 4, limited=False)

    return Lanes(made())


def _digest(authorization: str) -> bytes:
    return sha256(authorization.encode(errors="surrogatepass")).digest()


def length_of(headers: Mapping[str, str], chunked: bool) -> int:
    """What a request's body may take."""
    told = headers.get("CONTENT_LENGTH", "0")
    return MAX_BYTES if chunked else int(told) if told.isdecimal() else 0
