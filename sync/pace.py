"""What the line has been doing, and how much goes over it at once because of that.

A cut costs what was under way: after one, little is sent at a time, then twice as much with every success, and never
more than the line carries in a minute.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.engine import Connection

from sync import log

KEY = "pace"
LOST_AT_MOST_S = 60
FEWEST = 10
TELLING = 4096
"""Bytes from which on seconds say something of the line, and not of how long an answer takes."""
USUAL = 100.0
MOST = 2**16


@dataclass(slots=True)
class Pace:
    """One direction. `most` ops at a time; `speed` in bytes a second, where that was seen; `each`: bytes an op."""

    most: int
    speed: float | None = None
    each: float = USUAL

    def limit(self, cap: int) -> int:
        """How many ops may go at once, `cap` at most."""
        carried = cap if self.speed is None else int(self.speed * LOST_AT_MOST_S / self.each)
        return max(min(self.most, carried, cap), min(FEWEST, cap))

    def took(self, ops: int, size: int, seconds: float) -> None:
        """So many ops, of `size` bytes as they travelled, were answered."""
        if size >= TELLING and seconds > 0:
            seen = size / seconds
            self.speed = round(seen if self.speed is None else (self.speed + seen) / 2, 1)
            self.each = round(size / max(ops, 1), 1)
        self.most = max(self.most, min(2 * self.most, MOST))

    def failed(self, ops: int) -> None:
        """The line was cut while so many were under way."""
        self.most = max(min(self.most, ops) // 4, FEWEST)


@dataclass(slots=True)
class Line:
    """Both directions, as the laptop remembers them."""

    up: Pace
    down: Pace

    def keep(self, conn: Connection) -> None:
        kept = asdict(self)
        if log.recall(conn, KEY) != kept:
            log.remember(conn, **{KEY: kept})


def of(conn: Connection) -> Line:
    """What is remembered; an unknown line is taken for a good one, with all that the protocol lets go at once."""
    kept = log.recall(conn, KEY, {})
    return Line(_pace(kept.get("up")), _pace(kept.get("down")))


def _pace(kept: dict[str, Any] | None) -> Pace:
    return Pace(**{"most": MOST, **(kept or {})})


def speed(conn: Connection) -> int | None:
    """Bytes a second that went up lately; None where that was never seen."""
    seen = of(conn).up.speed
    return None if seen is None else int(seen)
