"""A look at everything that somebody asked for on a page: made in a thread, and kept until the next one."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, current_app

from aidvisit.config import Settings
from aidvisit.errors import Problem
from aidvisit.services import doctor
from aidvisit.services.vault import vault
from aidvisit.store.database import DatabaseFault, reading, transaction
from sync import clock, log

logger = logging.getLogger(__name__)

KEPT, STARTED = "doctor_last", "doctor_started"
GIVEN_UP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Last:
    """`checks` as `Check.document` has them; `at`: None where nobody has asked yet."""

    at: datetime | None = None
    running: bool = False
    checks: list[dict[str, Any]] = field(default_factory=list)


def last() -> Last:
    with reading() as conn:
        kept, started = log.recall(conn, KEPT, {}), log.recall(conn, STARTED)
    running = started is not None and clock.wall() - datetime.fromisoformat(started) < GIVEN_UP
    return Last(datetime.fromisoformat(kept["at"]) if kept else None, running, kept.get("checks", []))


def begin(settings: Settings) -> None:
    """Nothing where one is under way."""
    with transaction() as conn:
        log.lock_device(conn, log.own(conn))
        started = log.recall(conn, STARTED)
        if started is not None and clock.wall() - datetime.fromisoformat(started) < GIVEN_UP:
            return
        log.remember(conn, **{STARTED: clock.wall().isoformat()})
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    threading.Thread(target=_look, args=(app, settings), name="doctor", daemon=True).start()


def _look(app: Flask, settings: Settings) -> None:
    with app.app_context():
        try:
            checks = doctor.inspect(settings, vault(), quick=False)
            found = {"at": clock.wall().isoformat(), "checks": [check.document() for check in checks]}
            with transaction() as conn:
                log.remember(conn, **{KEPT: found, STARTED: None})
        except Exception:
            logger.exception("doctor failed")
            with suppress(Problem, DatabaseFault), transaction() as conn:
                log.remember(conn, **{STARTED: None})
