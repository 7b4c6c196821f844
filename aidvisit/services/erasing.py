"""Taking away what is known of people: of one household or of members of it, everywhere, for good."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from flask import Flask, current_app
from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.services.bodies import filled
from aidvisit.store import anew, ledger
from aidvisit.store.database import db, reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import erasure as queries
from aidvisit.store.queries import household as households
from aidvisit.store.reminding import signed
from sync import log

KEPT_YEARS: Final = "kept_years"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erased:
    """`households`: the one that was meant, and every other id under which the same one is held. `facts`: how many
    facts have less in them now."""

    households: tuple[str, ...]
    facts: int


def erase(
    *, actor: str, household: str, members: Collection[str] = (), reason: str, scope: Scope = EVERYTHING
) -> Erased:
    """Erase what is known of a household, or only of these `members` of it; codes, quantities and dates stay.

    What it was merged from or into, and what it was in another town, is the same household. At the centre only.
    It is done when this returns; `write_anew` takes it out of free pages as well, and laptops hear of it by the log.
    Raises: Problem `unknown-household` (also outside of the scope), `unknown-member`, `invalid-body` (the reason),
    `not-allowed` on a laptop, `not-permitted`.
    """
    with transaction() as conn:
        if households.household(conn, household, scope) is None:
            raise Problem("unknown-household", id=household)
        ids = queries.same(conn, household)
        facts = _of_members(conn, ids, members, reason) if members else _whole(conn, ids, reason)
        before = queries.erased_facts(conn)
        ledger.record(conn, actor, *(replace(f, body=signed(conn, f.stream, f.body)) for f in facts))
        return Erased(tuple(fact.subject for fact in facts), queries.erased_facts(conn) - before)


def _whole(conn: Connection, ids: Sequence[str], reason: str) -> list[Fact]:
    streams = queries.streams(conn, ids)
    return [_fact(streams[one], one, reason) for one in ids]


def _of_members(conn: Connection, ids: Sequence[str], members: Collection[str], reason: str) -> list[Fact]:
    streams = queries.streams(conn, ids)
    held = {one: queries.members(conn, one) & set(members) for one in ids}
    missing = set(members) - set().union(*held.values())
    if missing:
        raise Problem("unknown-member", id=min(missing))
    return [
        _fact(streams[one], one, reason, members=sorted(mine), ops=queries.naming(conn, one, mine))
        for one, mine in held.items()
        if mine
    ]


def _fact(stream: str, household: str, reason: str, **more: object) -> Fact:
    body = filled(household=household, reason=reason, **more)
    return Fact(stream, "personal-data.erased", household, body)


def write_anew() -> bool:
    """Write the files anew where something was erased since; false where that has to wait, for it is tried again."""
    with reading() as conn:
        name = anew.due(conn)
    if name is None:
        return True
    try:
        anew.write_anew(db.engine, name)
    except Problem as problem:
        logger.warning("the files were not written anew after an erasure: %s", problem.name)
        return False
    return True


def write_anew_soon() -> None:
    """`write_anew` beside whoever waits for a page: with a million records it takes minutes."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if app.testing:
        write_anew()
        return

    def work() -> None:
        with app.app_context():
            write_anew()

    threading.Thread(target=work, name="write-anew", daemon=True).start()


def files_are_anew(conn: Connection) -> bool:
    """Whether nothing that was erased can be left in free pages of the files."""
    return anew.due(conn) is None


# --- what is kept for how long: settings propose, people decide -----------------------------------------------


@dataclass(frozen=True, slots=True)
class Many:
    """How many households were erased, and in how many facts there is less now."""

    households: int
    facts: int


def erase_many(*, actor: str, households: Collection[str], reason: str, scope: Scope = EVERYTHING) -> Many:
    """Erase what is known of each, in a transaction of its own; what somebody else erased meanwhile is passed over.

    Raises: Problem as `erase`; what came before stands.
    """
    count = facts = 0
    for household in dict.fromkeys(households):
        with reading() as conn:
            gone = any(not one.members for one in queries.erasures(conn, [household]))
        if not gone:
            facts += erase(actor=actor, household=household, reason=reason, scope=scope).facts
            count += 1
    return Many(count, facts)


def kept_years(conn: Connection) -> int | None:
    """For how many years after its closing a household's data are kept; None: nobody said."""
    found = log.recall(conn, KEPT_YEARS)
    return found if isinstance(found, int) else None


def keep_for(*, actor: str, years: str) -> None:
    """Say it; "" for good. It is in the audit. Raises: Problem `not-permitted`."""
    with transaction() as conn:
        audit.record(actor, audit.RETENTION, conn=conn, rows=int(years) if years else None)
        log.remember(conn, **{KEPT_YEARS: int(years) if years else None})


def proposals(conn: Connection, scope: Scope, today: str, *, after: str = "", most: int = 50) -> list[queries.Closed]:
    """Households closed for longer than is kept and in which nothing happened since; the longest first. `after`: a key
    of the page before. None where nobody said how long.
    """
    years = kept_years(conn)
    if years is None:
        return []
    day = date.fromisoformat(today)
    until = day.replace(year=day.year - years, day=min(day.day, 28)).isoformat()
    return queries.closed_until(conn, until, scope, after=after, most=most)
