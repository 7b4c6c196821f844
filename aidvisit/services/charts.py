"""The overview's charts, kept where counting them takes long: who opens the office's first page does not wait for that.

What is counted quickly is counted each time. Else what was counted last is shown, with when, and after something has
arrived it is counted anew behind the page. Each process keeps its own; nothing of it is written down.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import Flask, current_app
from sqlalchemy import Connection

from aidvisit.domain.rights import Scope
from aidvisit.services.report import Charts
from aidvisit.store.database import reading
from aidvisit.store.queries import inbox
from sync import clock

QUICK_S = 0.5
"""What takes less is counted while somebody waits."""
OLDEST = timedelta(days=1)
"""What is older is not shown: an office that was closed waits once."""
MOST = 50
"""So many are kept; then those that were counted first go."""

Count = Callable[[Connection], Charts]
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """`mark`: of all that had arrived then. `stale`: more has arrived, and it is being counted anew."""

    charts: Charts
    mark: object
    at: datetime
    took_s: float
    stale: bool = False


class _Shelf:
    def __init__(self) -> None:
        self.held: dict[Hashable, Kept] = {}
        self.counting: set[Hashable] = set()
        self.lock = threading.Lock()

    def put(self, key: Hashable, kept: Kept) -> Kept:
        with self.lock:
            self.held.pop(key, None)
            self.held[key] = kept
            while len(self.held) > MOST:
                del self.held[next(iter(self.held))]
        return kept


def current(conn: Connection, what: Hashable, scope: Scope, count: Count) -> Kept:
    """As they are now, or as they were counted last. `what`: which they are; `count` uses no request."""
    shelf: _Shelf = current_app.extensions.setdefault("charts", _Shelf())
    key = (what, scope)
    mark, kept = inbox.mark(conn), shelf.held.get(key)
    if kept is None or kept.took_s < QUICK_S or clock.wall() - kept.at > OLDEST:
        return shelf.put(key, _counted(conn, mark, count))
    if kept.mark == mark:
        return kept
    with shelf.lock:
        begin = key not in shelf.counting
        shelf.counting.add(key)
    if begin:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        threading.Thread(target=_anew, args=(app, shelf, key, count), name="charts", daemon=True).start()
    return replace(kept, stale=True)


def _counted(conn: Connection, mark: object, count: Count) -> Kept:
    started, at = time.monotonic(), clock.wall()
    charts = count(conn)
    return Kept(charts, mark, at, time.monotonic() - started)


def _anew(app: Flask, shelf: _Shelf, key: Hashable, count: Count) -> None:
    try:
        with app.app_context(), reading() as conn:
            shelf.put(key, _counted(conn, inbox.mark(conn), count))
    except Exception:
        logger.exception("charts")
    finally:
        with shelf.lock:
            shelf.counting.discard(key)
