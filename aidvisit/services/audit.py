"""Who looked at what, came in, or took data along: facts in the log like any other (`access.recorded`)."""

from __future__ import annotations

import logging
from typing import Final

from sqlalchemy import Connection

from aidvisit.errors import Problem
from aidvisit.services.bodies import filled
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import importing, verdict
from sync import log
from sync.log import Entry
from sync.op import uuid7

OFFICE: Final = "office"

SIGN_IN: Final = "sign-in"
SIGN_IN_REFUSED: Final = "sign-in-refused"
REVEAL: Final = "reveal"
EXPORT: Final = "export"
IMPORT: Final = "import"
IMPORT_ELSEWHERE: Final = "import-elsewhere"
ROW_SAID: Final = importing.ROW_SAID
ENROLMENT_CODE: Final = "enrolment-code"
PASSWORD_CHANGE: Final = "password-change"  # noqa: S105
PASSWORD_RESET: Final = "password-reset"  # noqa: S105
LOCK: Final = "lock"
RECOVERY: Final = "recovery"
BUNDLE: Final = "bundle"
DIFFERENT: Final = verdict.DIFFERENT
MAYBE_SAME: Final = verdict.MAYBE_SAME
TOKEN: Final = "api-token"  # noqa: S105
TOKEN_USED: Final = "api-token-used"  # noqa: S105
PERIOD_CLOSED: Final = "period-closed"
TOKEN_REVOKED: Final = "api-token-revoked"  # noqa: S105
INBOX_ASSIGNED: Final = "inbox-assigned"
QUESTION_ANSWERED: Final = "question-answered"
BACKUP: Final = "backup"
BACKUP_KEY: Final = "backup-key"
RETENTION: Final = "retention"
WHATS: Final = (
    SIGN_IN, SIGN_IN_REFUSED, REVEAL, EXPORT, IMPORT, IMPORT_ELSEWHERE, ROW_SAID, ENROLMENT_CODE, PASSWORD_CHANGE,
    PASSWORD_RESET, LOCK, RECOVERY, BUNDLE, DIFFERENT, MAYBE_SAME,
    TOKEN, TOKEN_USED, TOKEN_REVOKED, PERIOD_CLOSED, INBOX_ASSIGNED, QUESTION_ANSWERED, BACKUP, BACKUP_KEY,
    RETENTION,
)  # fmt: skip
"""What `what` may say here. The list is open: another program's word is shown as it is."""

# A door that opens only when there is room to write would lock people out of what they have to clear up.
PASSING = ("disk-full", "database-locked")

logger = logging.getLogger(__name__)


def record(
    actor: str,
    what: str,
    *,
    conn: Connection | None = None,
    household: str | None = None,
    rows: int | None = None,
    detail: str | None = None,
) -> Entry:
    """One line of the audit, durable when this returns; with `conn`, when the caller's transaction commits.

    `actor`: a user, or the own device for a command line. `rows`: how many people, households or codes it was about.
    `detail`: an id or a word, never what somebody typed. Raises: Problem `invalid-body`, `not-permitted`, `disk-full`,
    `database-locked`.
    """
    if conn is None:
        with transaction() as own:
            return record(actor, what, conn=own, household=household, rows=rows, detail=detail)
    return ledger.record(conn, actor, line(what, household=household, rows=rows, detail=detail))[0]


def line(what: str, *, household: str | None = None, rows: int | None = None, detail: str | None = None) -> Fact:
    """The fact of one line, for a transaction that records more than that; as `record`."""
    body = filled(what=what, household=household, rows=rows, detail=detail)
    return Fact(OFFICE, "access.recorded", uuid7(), body)


def brake_closed(user: str | None) -> None:
    """Somebody tried one login too often: one line when the brake first closes, so that a flood does not fill the log.

    `user`: whose login it was; None when it is nobody's. What was typed is not kept: it may be a password.
    """
    with reading() as conn:
        device = log.own(conn)
    attempt(device, SIGN_IN_REFUSED, detail=user)


def attempt(actor: str, what: str, *, detail: str | None = None) -> bool:
    """`record` for a door that must open all the same: where the disk is full, the program's log says so."""
    try:
        record(actor, what, detail=detail)
    except Problem as problem:
        if problem.name not in PASSING:
            raise
        logger.warning("audit: %s of %s was not recorded: %s", what, actor, problem.name)
        return False
    return True
