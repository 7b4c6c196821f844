"""The rows of a transaction's streams, and the numbers that are given in them (docs/protocol.md promise 5)."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import clock, tables
from sync.rows import insert_new, one_of

_TABLE = tables.stream
# One statement locks rows in the order in which it sorts them.
_LOCKED = sa.select(_TABLE).where(one_of(_TABLE.c.name, "names")).order_by(_TABLE.c.name).with_for_update()
_CLOCK = sa.select(_TABLE.c.clock).where(_TABLE.c.name == sa.bindparam("called"))
_SAVE = (
    sa.update(_TABLE)
    .where(_TABLE.c.name == sa.bindparam("called"))
    .values(head=sa.bindparam("head"), clock=sa.bindparam("clock"))
)


class Streams:
    """Made, locked in byte order of their names, and written back once."""

    def __init__(self, conn: Connection, names: Collection[str]) -> None:
        self._conn = conn
        ordered = sorted(set(names))
        insert_new(conn, _TABLE, [{"name": n, "head": 0, "clock": clock.EARLIEST} for n in ordered])
        self._rows: dict[str, tuple[int, str]] = {}
        if ordered:
            self._rows = {row.name: (row.head, row.clock) for row in conn.execute(_LOCKED, {"names": ordered})}
        self._others: dict[str, str] = {}
        self._touched: set[str] = set()

    def clock(self, name: str) -> str:
        """The latest merge clock of a stream, also of one that is not locked here."""
        if name in self._rows:
            return self._rows[name][1]
        if name not in self._others:
            self._others[name] = self._conn.execute(_CLOCK, {"called": name}).scalar() or clock.EARLIEST
        return self._others[name]

    def take(self, name: str, merge_clock: str) -> int:
        """The next number of a stream."""
        head, latest = self._rows[name]
        self._rows[name] = (head + 1, max(latest, merge_clock))
        self._touched.add(name)
        return head + 1

    def see(self, name: str, n: int, merge_clock: str) -> None:
        """A reader was told of op `n`."""
        head, latest = self._rows[name]
        self._rows[name] = (max(head, n), max(latest, merge_clock))
        self._touched.add(name)

    def save(self) -> None:
        saved = [(name, *self._rows[name]) for name in sorted(self._touched)]
        if saved:
            named = [{"called": name, "head": head, "clock": latest} for name, head, latest in saved]
            self._conn.execute(_SAVE, named)
        self._touched.clear()
