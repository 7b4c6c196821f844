"""The steps at which a process is killed, named by what it is about to do; the product knows nothing of them.

A step is found by wrapping named functions and counting SQL statements inside of them: the code may change around it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from typing import Any, Literal

import sqlalchemy as sa

Side = Literal["laptop", "centre", "stick", "database"]
How = Literal["before", "after", "statement", "afterwards", "commit", "committed"]
CALL = "sync.link:Link.call"
BLOB = "sync.link:Link.blob"


@dataclass(frozen=True, slots=True)
class Point:
    """Where to kill: `how` around the function `where` (`module:name`), where its first argument is `named`.

    `statement`: at the nth SQL statement inside of it, `afterwards` after it; `commit`: before a transaction of it is
    committed, `committed`: right after that. `first`: at its nth call, counted from here. `most`: the greatest n that
    makes sense.
    """

    name: str
    side: Side
    how: How
    where: str = ""
    named: str = ""
    first: int = 1
    most: int = 1
    dear: int = 1
    """How much rarer than the others it is."""
    needs: str = ""
    """What comes before: `older` software, an `old` database; a `stick` is in, or one with the `answer` on it."""


POINTS = (
    Point("before append", "laptop", "before", "sync.log:author", most=3),
    Point("while appending", "laptop", "statement", "sync.log:author", most=12),
    Point("after append, before the commit", "laptop", "after", "sync.log:author", most=3),
    Point("after the commit, before “saved” is said", "laptop", "before", "tests.torture.child:say_saved", most=3),
    Point("before a page is asked for", "laptop", "before", CALL, "pull"),
    Point("page has come, not taken", "laptop", "after", CALL, "pull"),
    Point("while applying a page", "laptop", "statement", "sync.intake:take_page", most=40),
    Point("page applied, before the commit", "laptop", "after", "sync.intake:take_page", most=2),
    Point("between two pages", "laptop", "before", CALL, "pull", first=2, most=2),
    Point("before a batch is sent", "laptop", "before", CALL, "push"),
    Point("after the answer, before it is taken", "laptop", "after", CALL, "push"),
    Point("while the answer is taken", "laptop", "afterwards", CALL, "push", most=14),
    Point("answer taken, before the end of the sync", "laptop", "after", "sync.client:push_all"),
    Point("before a piece of a photo is sent", "laptop", "before", BLOB, most=2),
    Point("piece sent, not noted", "laptop", "after", BLOB, most=2),
    Point("in a migration", "laptop", "statement", "aidvisit.store.migrations:_upgrade", most=25, needs="old"),
    Point("in a catch-up after an upgrade", "laptop", "statement", "aidvisit.store.ledger:catch_up", most=6,
          needs="older"),
    Point("before a push is read", "centre", "before", "sync.server:push"),
    Point("while a push is taken", "centre", "statement", "sync.server:push", most=25),
    Point("push taken, before the commit", "centre", "commit", "sync.server:push"),
    Point("after the commit, before the answer", "centre", "committed", "sync.server:push"),
    Point("answer made, not sent", "centre", "after", "sync.server:push"),
    Point("while a page is read", "centre", "statement", "sync.server:pull", most=12),
    Point("page read, not sent", "centre", "after", "sync.server:pull", most=2),
    Point("while a piece of a photo is kept", "centre", "statement", "sync.uploads:append", most=10),
    Point("piece of a photo kept, not answered", "centre", "after", "sync.uploads:append", most=2),
    Point("while a bundle is written", "laptop", "statement", "aidvisit.services.bundle:write", most=8, needs="stick"),
    Point("while a bundle is read", "stick", "statement", "aidvisit.services.bundle:take", most=30),
    Point("while a bundle's answer is read", "laptop", "statement", "aidvisit.services.bundle:read", most=30,
          needs="answer"),
    Point("PostgreSQL itself, in the middle of pushes", "database", "before", dear=4),
)  # fmt: skip


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Trap:
    """One point, armed in this process: at its nth time the process is gone."""

    def __init__(self, point: Point, nth: int) -> None:
        self._point, self._left = point, nth
        self._inside = threading.local()
        self._lock = threading.Lock()

    def arm(self) -> None:
        """Wrap what is named. Raises: AttributeError where the product has no such function any more."""
        self._wrap(self._point.where, self._around)
        if self._point.how in ("statement", "afterwards"):
            sa.event.listen(sa.Engine, "before_cursor_execute", self._at_statement)
        if self._point.how == "commit":
            sa.event.listen(sa.Engine, "commit", self._at_statement)
        if self._point.how == "committed":
            self._wrap("aidvisit.store.database:writing", self._after_writing)

    @staticmethod
    def _wrap(where: str, by: Callable[[Any], Any]) -> None:
        module, _, path = where.partition(":")
        holder: Any = import_module(module)
        *outer, name = path.split(".")
        for part in outer:
            holder = getattr(holder, part)
        setattr(holder, name, by(getattr(holder, name)))

    def _around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapped(*given: Any, **named: Any) -> Any:
            meant = not self._point.named or self._point.named in given
            if meant and self._point.how == "before":
                self._count()
            inside = meant and self._point.how != "afterwards"
            self._inside.depth = getattr(self._inside, "depth", 0) + inside
            try:
                found = function(*given, **named)
            finally:
                self._inside.depth -= inside
            if meant and self._point.how == "afterwards":
                self._inside.depth += 1
            if meant and self._point.how == "after":
                self._count()
            return found

        return wrapped

    def _at_statement(self, *_: Any) -> None:
        if getattr(self._inside, "depth", 0):
            self._count()

    def _after_writing(self, writing: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def wrapped(engine: Any) -> Iterator[Any]:
            with writing(engine) as conn:
                yield conn
            self._at_statement()

        return wrapped

    def _count(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                die()
