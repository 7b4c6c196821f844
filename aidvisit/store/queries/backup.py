"""What is known of this home's backups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from sync import log
from sync.tables import device

RECIPIENT, LAST, FAILED, STARTED = "backup_recipient", "backup_last", "backup_failed", "backup_started"
GIVEN_UP = timedelta(hours=6)
"""Who began one so long ago and has not told of its end is gone."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup that was proved. `ops`: how many facts it holds; `seconds`: with its proof."""

    path: str
    at: datetime
    bytes: int
    seconds: float
    ops: int


@dataclass(frozen=True, slots=True)
class BackupState:
    """`recipient`: whom they are for, where one was chosen. `last`: the last good one.

    `failed`: a Problem as a document with `at`, where one failed since. `since`: when this node came to be.
    `running`: whether one is being made.
    """

    recipient: str | None
    last: Kept | None
    failed: dict[str, Any] | None
    since: datetime
    running: bool


def backup_state(conn: Connection, now: datetime) -> BackupState:
    last, started = log.recall(conn, LAST), log.recall(conn, STARTED)
    since = conn.execute(select(device.c.enrolled_at).where(device.c.id == log.own(conn))).scalar_one()
    return BackupState(
        log.recall(conn, RECIPIENT),
        None if last is None else Kept(**(last | {"at": datetime.fromisoformat(last["at"])})),
        log.recall(conn, FAILED),
        datetime.fromisoformat(since),
        started is not None and now - datetime.fromisoformat(started) < GIVEN_UP,
    )
