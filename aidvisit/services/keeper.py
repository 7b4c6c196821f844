"""Backups that a node makes by itself: when one is due, in whichever of its processes sees it first."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from datetime import datetime, timedelta

from flask import Flask, current_app

from aidvisit.config import Settings
from aidvisit.errors import Problem
from aidvisit.services import backup
from aidvisit.services.vault import vault
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import backup as queries
from aidvisit.store.queries.backup import BackupState, backup_state
from sync import clock, log

logger = logging.getLogger(__name__)

LOOK_S = 60.0
AGAIN = timedelta(hours=1)
"""After one that failed."""
NICE = 10
"""How far a backup that nobody waits for stands back behind the server (POSIX; elsewhere it is its equal)."""


def due(state: BackupState, settings: Settings, now: datetime) -> bool:
    """Whether one is to be made now. A node that is new has its first one `backup_hours` after it came to be."""
    if not settings.backup_hours or settings.practice or state.running:
        return False
    if state.failed and now - datetime.fromisoformat(state.failed["at"]) < AGAIN:
        return False
    last = state.last.at if state.last else state.since
    return now - last >= timedelta(hours=settings.backup_hours)


def claim(settings: Settings, now: datetime) -> bool:
    """Whether one is due, and nobody else makes it: said to all others in the same transaction."""
    with reading() as conn:
        if not due(backup_state(conn, now), settings, now):
            return False
    with transaction() as conn:
        log.lock_device(conn, log.own(conn))  # processes take turns
        if not due(backup_state(conn, now), settings, now):
            return False
        try:
            backup.recipient(conn)
        except Problem:  # nobody has chosen a key: the page says so
            return False
        log.remember(conn, **{queries.STARTED: now.isoformat()})
        return True


def begin(settings: Settings) -> None:
    """One now, in a thread. Raises: Problem `no-backup-key`, `backup-running`."""
    with transaction() as conn:
        log.lock_device(conn, log.own(conn))
        backup.recipient(conn)
        if backup_state(conn, clock.wall()).running:
            raise Problem("backup-running")
        log.remember(conn, **{queries.STARTED: clock.wall().isoformat()})
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    threading.Thread(target=_one, args=(app, settings), name="backup", daemon=True).start()


def _one(app: Flask, settings: Settings) -> None:
    try:
        with app.app_context():
            make(settings)
    except Problem as problem:  # it is remembered, and on the page
        logger.warning("backup: %s", problem.name)
    except Exception:
        logger.exception("backup failed")


def make(settings: Settings) -> None:
    """One backup. A centre's is made by a process of its own: what laptops wait for does not wait for it."""
    if settings.role == "field":
        backup.make()
        return
    command = [sys.executable, "-m", "aidvisit", "--home", str(settings.home), "--json", "backup"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True) as process:
        if sys.platform != "win32":
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        _, errors = process.communicate()
    if process.returncode:
        logger.warning("backup: %s", errors.strip()[-500:])


class Keeper:
    """Looks once a minute, in a thread of its own, for as long as the process runs."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backups", daemon=True)

    def start(self) -> None:
        if self._settings.backup_hours and not self._settings.practice:
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                with self._app.app_context():
                    if not vault().locked and claim(self._settings, clock.wall()):
                        make(self._settings)
            except Problem as problem:
                logger.warning("backup: %s", problem.name)
            except Exception:  # it outlives a bug; the bug is in the log
                logger.exception("backup failed")
