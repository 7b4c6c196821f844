"""How fresh each stream is that a laptop holds, and how far one has come that is still coming in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import log, tables
from sync.rows import insert_new

_ALL = sa.select(tables.cursor).order_by(tables.cursor.c.stream)
_COMING = _ALL.where(tables.cursor.c.head > tables.cursor.c.n)
_NONE = sa.delete(tables.cursor)


@dataclass(frozen=True, slots=True)
class Fresh:
    """Of a stream, op `n` was the last one pulled; of `head`, where more is known to come.

    `as_of`: the server's time (ISO 8601) when a pull last reached its end; None: none has yet.
    """

    stream: str
    n: int
    head: int | None
    as_of: str | None

    @property
    def coming(self) -> bool:
        return self.head is not None and self.n < self.head


def take(conn: Connection, answer: dict[str, Any], now: datetime) -> None:
    """The cursors that a page leads to. Where it ends, a stream is as fresh as the page.

    A server that does not tell `heads` says only of all streams together whether more is to come.
    """
    before = {one.stream: one.as_of for one in streams(conn)}
    heads, said = answer.get("heads", {}), _moment(answer.get("server_time"), now)
    rows = []
    for stream, n in sorted(answer["cursors"].items()):
        ended = not answer["more"] or (bool(heads) and stream not in heads)
        as_of = said if ended else before.get(stream)
        rows.append({"stream": stream, "n": n, "head": None if ended else heads.get(stream), "as_of": as_of})
    conn.execute(_NONE)
    insert_new(conn, tables.cursor, rows)


def _moment(said: Any, now: datetime) -> str:
    """What the server says it was, if that is a time at all."""
    try:
        told = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return now.isoformat()
    return told.isoformat() if told.tzinfo else now.isoformat()


def tell_of_grants(conn: Connection, now: datetime) -> None:
    """Remember since when a stream is withdrawn, to tell people; one that came back is no news."""
    withdrawn, told = log.recall(conn, "withdrawn", []), log.recall(conn, "gone", {})
    if sorted(told) != withdrawn:
        log.remember(conn, gone={stream: told.get(stream, now.isoformat()) for stream in withdrawn})


def gone(conn: Connection) -> dict[str, str]:
    """The streams that were taken from this laptop, and when it learned of it."""
    return dict(log.recall(conn, "gone", {}))


def streams(conn: Connection) -> list[Fresh]:
    """Every stream that is granted, by name."""
    rows = conn.execute(_ALL)
    return [Fresh(row.stream, row.n, row.head, row.as_of) for row in rows]


def coming(conn: Connection) -> list[Fresh]:
    """Those of which more is known to come."""
    return [Fresh(row.stream, row.n, row.head, row.as_of) for row in conn.execute(_COMING)]
