"""Lists for work: what a person asks for again and again, and taking a list along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date

from sqlalchemy import Connection

from aidvisit.domain.division import is_code
from aidvisit.domain.rights import Scope
from aidvisit.domain.text import tidy
from aidvisit.errors import Problem
from aidvisit.services import export
from aidvisit.services.export import Taken
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import listing as queries
from aidvisit.store.queries.listing import Listed, Wanted
from sync import log

MOST_SAVED = 50
MOST_PRINTED = 3000
"""Households on paper: some 100 pages; who wants more takes the file."""
LIST, LIST_IN_FULL = "households", "households-in-full"


def wanted(given: dict[str, str]) -> Wanted:
    """What a form or a saved filter asks for; what is no code or day asks for nothing."""
    days = {name: given.get(name, "") for name in ("not_visited_since", "not_served_since")}
    place = given.get("place", "")
    return Wanted(
        place=place if is_code(place) else "",
        category=given.get("category", "")[:100],
        item=given.get("item", "")[:100],
        needs=given.get("needs") == "yes",
        **{name: day if _is_day(day) else "" for name, day in days.items()},
    )


def fields(asked: Wanted) -> dict[str, str]:
    """The same as a form has it, without what asks for nothing."""
    named = asdict(asked) | {"needs": "yes" if asked.needs else ""}
    return {name: value for name, value in named.items() if value}


def take(
    actor: str, asked: Wanted, scope: Scope, *, today: str, revealed: bool = False, most: int | None = None
) -> Taken[Listed]:
    """All households of a list, streamed; that they were taken is in the audit before the first one.

    `revealed`: with full numbers. `most`: refuse a longer list. The caller closes it.
    Raises: Problem `list-too-long`, `not-permitted`, `disk-full`, `database-locked`.
    """

    def read(conn: Connection) -> tuple[int, Iterator[Listed]]:
        rows = queries.count(conn, asked, scope, today=today)
        if most is not None and rows > most:
            raise Problem("list-too-long", count=rows, most=most)
        return rows, queries.every(conn, asked, scope, today=today, revealed=revealed)

    return export.take(actor, LIST_IN_FULL if revealed else LIST, read)


def saved(user: str) -> dict[str, Wanted]:
    """The filters of a person at this machine, by name."""
    with reading() as conn:
        return {name: wanted(kept) for name, kept in sorted(log.recall_all(conn, _key(user, "")).items())}


def save(user: str, name: str, asked: Wanted) -> None:
    """Keep a filter at this machine under a name, in place of one that has it. Raises: Problem `too-many-filters`."""
    name = tidy(name)
    with transaction() as conn:
        held = log.recall_all(conn, _key(user, ""))
        if name not in held and len(held) >= MOST_SAVED:
            raise Problem("too-many-filters", most=MOST_SAVED)
        log.remember(conn, **{_key(user, name): fields(asked)})


def forget(user: str, name: str) -> None:
    with transaction() as conn:
        log.remember(conn, **{_key(user, name): None})


def _key(user: str, name: str) -> str:
    return f"filter:{user}:{name}"


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text and "1971" <= text[:4] < "9999"
    except ValueError:
        return False
