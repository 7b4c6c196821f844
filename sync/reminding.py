"""After a new epoch a laptop tells the centre which erasures it heard of: it may have been restored to before them.

What a laptop says proves itself, by the centre's own signature in it (docs/protocol.md 7). Those of streams that were
withdrawn are kept beside the log: of the own ops there only what stays is left, and counts where the centre knows why.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy.engine import Connection

from sync import log
from sync.model import Application
from sync.wire import MOST_REMINDERS

KEY = "remind"
"""How many were told already; nothing where there is nothing to tell."""

KEPT = "reminders"
"""Those of withdrawn streams."""


def keep(conn: Connection, app: Application, streams: Collection[str]) -> None:
    """These streams are withdrawn: their facts go."""
    kept = log.recall(conn, KEPT, [])
    new = [one for one in _heard(conn, app) if one["stream"] in streams and one not in kept]
    if new:
        log.remember(conn, **{KEPT: [*kept, *new]})


def _heard(conn: Connection, app: Application) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) % MOST_REMINDERS == 0:
        page = app.reminders(conn, len(found), MOST_REMINDERS)
        found += page
        if not page:
            break
    return found


def _from(conn: Connection, app: Application, start: int, most: int) -> list[dict[str, Any]]:
    """Those that were kept, then those of the log, from one on."""
    kept: list[dict[str, Any]] = log.recall(conn, KEPT, [])
    found = kept[start : start + most]
    return found + app.reminders(conn, max(0, start - len(kept)), most - len(found))


def begin(conn: Connection, app: Application) -> None:
    """The centre was restored."""
    log.remember(conn, **{KEY: 0 if _from(conn, app, 0, 1) else None})


def said(conn: Connection, app: Application) -> dict[str, Any]:
    """What the next pull, or the header of the next bundle, says of it."""
    told = log.recall(conn, KEY)
    return {} if told is None else {"erasures": _from(conn, app, told, MOST_REMINDERS)}


def take(conn: Connection, request: dict[str, Any], answer: dict[str, Any]) -> bool:
    """A pull was answered; whether there is more to tell."""
    told = log.recall(conn, KEY)
    if told is None:
        return False
    said = request.get("erasures")
    if said is not None and request["epoch"] == answer["epoch"]:
        log.remember(conn, **{KEY: told + len(said) if len(said) == MOST_REMINDERS else None})
    return log.recall(conn, KEY) is not None
