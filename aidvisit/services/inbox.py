"""The office's inbox: looking for what somebody should see, handing it to a person, and settling it with a reason."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection

from aidvisit.domain.inbox import (
    BOTH_RIGHT,
    DISMISS,
    KEEP_FIRST,
    KEEP_SECOND,
    KINDS,
    RELEASE,
    VOID_FIRST,
    VOID_SECOND,
)
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services import audit, held, household
from aidvisit.services.delivery import voided
from aidvisit.store import inbox as store
from aidvisit.store import ledger
from aidvisit.store.database import reading, together, transaction
from aidvisit.store.inbox import Item
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import account, conflict
from aidvisit.store.queries import inbox as queries
from aidvisit.store.queries.trip import ZONE
from sync import clock, log
from sync.op import uuid7

PATIENCE_S = 2.0
"""So long a page waits for what arrived to be looked at; what is left is said and looked at by the next one."""


def look(now: datetime | None = None, *, patience_s: float = PATIENCE_S) -> int:
    """Look at what arrived since somebody last looked; how many records are still unread.

    What it changes is found without holding anybody up, and written down in a moment: a push does not wait for it.
    Where somebody else looked meanwhile, it is found again.
    """
    until = time.monotonic() + patience_s
    while True:
        at = now or clock.wall()
        with reading() as conn:
            found = queries.changes(conn, at, _today(at))
        if not found:
            return 0
        with transaction() as conn:
            log.lock_device(conn, log.own(conn))
            first = found.base == queries.read_so_far(conn)
            if first:
                queries.apply(conn, found, at)
        if (first and not found.behind) or time.monotonic() > until:
            return found.behind if first else max(found.behind, 1)


def news() -> object:
    """Differs when there may be something to look at: something arrived, was held, or a day began."""
    with reading() as conn:
        return queries.mark(conn), _today(clock.wall())


def _today(at: datetime) -> str:
    return at.astimezone(ZONE).date().isoformat()


def assign(*, actor: str, items: Collection[str], user: str | None, scope: Scope = EVERYTHING) -> None:
    """Hand items to a person who may settle them, or to nobody. It is noted in the audit.

    Raises: Problem `unknown-item`, `unknown-user`, `not-permitted`.
    """
    with transaction() as conn:
        found = _within(conn, items, scope)
        if user is not None and user not in {one.id for one in account.users(conn)}:
            raise Problem("unknown-user")
        audit.record(actor, audit.INBOX_ASSIGNED, conn=conn, rows=len(found), detail=user)
        store.assign(conn, [one.id for one in found], user)


def settle(*, actor: str, items: Collection[str], verdict: str, reason: str, scope: Scope = EVERYTHING) -> int:
    """Say of items of one kind what they are, with one reason; how many. All of them or none, in one transaction: of
    two who settle the same at once, the second records nothing and is told of the first.

    `verdict`: as `KINDS` has it; what ends a delivery, or chooses a value, is said of one at a time.
    Raises: Problem `settled-meanwhile` (`items`), `unknown-item`, `invalid-form` (`errors`), `form-stale`; as
    `services.held` and `.household`.
    """
    if not reason.strip():
        raise _wrong("reason", "请写明理由。 / Give a reason.")
    with together() as conn:
        log.lock_device(conn, log.own(conn))
        found = _within(conn, items, scope)
        if len({one.kind for one in found}) > 1:
            raise _wrong("item", "一次只能办同一种。 / Settle one kind at a time.")
        kind = KINDS[found[0].kind]
        if verdict not in (kind.verdicts if len(found) == 1 else kind.many):
            raise _wrong("verdict", "请选一个结论。 / Choose what it is.")
        before = [one.id for one in found if one.settled_at is not None]
        if before:
            raise Problem("settled-meanwhile", count=len(before), items=before)
        if verdict in (RELEASE, DISMISS):
            decide = held.release if verdict == RELEASE else held.dismiss
            names = [(str(one.about["device"]), int(one.about["seq"])) for one in found]
            decide(actor=actor, held=names, reason=reason, scope=scope)
        elif verdict in (KEEP_FIRST, KEEP_SECOND):
            _keep(conn, actor, found[0], 0 if verdict == KEEP_FIRST else 1, reason, scope)
        if kind.of_deliveries:
            _record(conn, actor, found, verdict, reason, scope)
        at, ids = clock.wall().isoformat(), [one.id for one in found]
        return store.settle(conn, ids, now=at, verdict=verdict, by=actor, reason=reason.strip())


def _keep(conn: Connection, actor: str, item: Item, side: int, reason: str, scope: Scope) -> None:
    home, path = str(item.about["household"]), str(item.about["path"])
    found = [one for one in conflict.of_household(conn, home, scope) if one.path == path]
    if not found:
        raise Problem("form-stale")
    heads = found[0].heads
    household.settle(
        actor=actor, household=home, path=path, heads=heads, keep=heads[side], reason=reason, scope=scope
    )  # fmt: skip


def _record(conn: Connection, actor: str, items: Sequence[Item], verdict: str, reason: str, scope: Scope) -> None:
    """The facts that settle what deliveries raised: of a duplicate the verdict, of a question that it was answered."""
    for one in items:
        if one.kind != "duplicate":
            audit.record(actor, audit.QUESTION_ANSWERED, conn=conn, rows=len(one.deliveries), detail=one.id)
            continue
        if verdict in (VOID_FIRST, VOID_SECOND):
            wrong = one.deliveries[0 if verdict == VOID_FIRST else 1]
            voided(conn, actor=actor, delivery=wrong, reason=reason, scope=scope)
        said = BOTH_RIGHT if verdict == BOTH_RIGHT else "one-void"
        body = {"deliveries": one.deliveries, "verdict": said, "reason": reason.strip()}
        ledger.record(conn, actor, Fact(audit.OFFICE, "duplicate.settled", uuid7(), body))


def _within(conn: Connection, items: Collection[str], scope: Scope) -> list[Item]:
    found = store.some(conn, items, scope)
    if not found or len(found) < len(set(items)):
        raise Problem("unknown-item")
    return found


def _wrong(field: str, words: str) -> Problem:
    return Problem("invalid-form", count=1, errors={field: [words]})
