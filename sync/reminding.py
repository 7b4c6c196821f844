"""After a new epoch a laptop tells the centre which erasures it heard of: it may have been restored to before them.

What a laptop says proves itself, by the centre's own signature in it (docs/protocol.md 7).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection

from sync import log
from sync.model import Application
from sync.wire import MOST_REMINDERS

KEY = "remind"
"""How many were told already; nothing where there is nothing to tell."""


def begin(conn: Connection, app: Application) -> None:
    """The centre was restored."""
    log.remember(conn, **{KEY: 0 if app.reminders(conn, 0, 1) else None})


def said(conn: Connection, app: Application) -> dict[str, Any]:
    """What the next pull, or the header of the next bundle, says of it."""
    told = log.recall(conn, KEY)
    return {} if told is None else {"erasures": app.reminders(conn, told, MOST_REMINDERS)}


def take(conn: Connection, request: dict[str, Any], answer: dict[str, Any]) -> bool:
    """A pull was answered; whether there is more to tell."""
    told = log.recall(conn, KEY)
    if told is None:
        return False
    said = request.get("erasures")
    if said is not None and request["epoch"] == answer["epoch"]:
        log.remember(conn, **{KEY: told + len(said) if len(said) == MOST_REMINDERS else None})
    return log.recall(conn, KEY) is not None
