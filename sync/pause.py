"""Somebody wants to mend before more is sent: pushing waits, recording and pulling go on, and it ends by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from sync import log

LONGEST = timedelta(hours=24)


def begin(conn: Connection, now: datetime) -> None:
    log.remember(conn, paused={"at": now.isoformat()})


def end(conn: Connection) -> None:
    log.remember(conn, paused=None)


def until(said: dict[str, Any] | None, now: datetime) -> datetime | None:
    """When a remembered pause ends by itself; None: there is none, or it is over.

    One that begins later than now was pressed with a wrong clock: it counts no more, lest it last for years.
    """
    if said is None:
        return None
    began = datetime.fromisoformat(said["at"])
    return began + LONGEST if began <= now < began + LONGEST else None


def holds(conn: Connection, now: datetime) -> bool:
    """Whether nothing may be pushed now; one that is over is forgotten."""
    said = log.recall(conn, "paused")
    if said is not None and until(said, now) is None:
        end(conn)
    return until(said, now) is not None
