"""What is taken along as a file: all of one moment, row after row, in the audit before the first one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

from aidvisit.services import audit
from aidvisit.store.database import reading

T = TypeVar("T")


@dataclass(slots=True)
class Taken(Generic[T]):
    """How many rows, and each. `close` when they were sent."""

    count: int
    rows: Iterator[T]
    _view: ExitStack

    def close(self) -> None:
        self._view.close()


def take(
    actor: str,
    detail: str,
    read: Callable[[Connection], tuple[int, Iterator[T]]],
    *,
    household: str | None = None,
) -> Taken[T]:
    """What `read` gives (how many, and each), streamed; that it was taken is in the audit first. The caller closes it.

    `detail`: a word for what it is. Raises: Problem `not-permitted`, `disk-full`, `database-locked`.
    """
    with ExitStack() as opening:
        conn = opening.enter_context(reading())
        count, rows = read(conn)
        audit.record(actor, audit.EXPORT, rows=count, detail=detail, household=household)
        return Taken(count, rows, opening.pop_all())
