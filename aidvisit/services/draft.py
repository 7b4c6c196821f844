"""What somebody typed on a laptop and has not saved: kept in its database, not in the browser, by person and form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aidvisit.store.database import reading, transaction
from sync import clock, log

LARGEST = 100_000
"""Characters: the largest form that is kept."""
MOST = 8
"""So many forms are kept for a person; of more, those that were typed into last."""


@dataclass(frozen=True, slots=True)
class Draft:
    """`form`: which one. `at`: ISO 8601. `fields`: name and value, as they were sent."""

    form: str
    at: str
    fields: list[tuple[str, str]]


def keep(actor: str, form: str, fields: Iterable[tuple[str, str]]) -> None:
    """Instead of what this person had typed into this form before. Raises: Problem `disk-full`, `database-locked`."""
    pairs = [[name, value] for name, value in fields if value]
    if sum(len(name) + len(value) for name, value in pairs) > LARGEST:
        return
    with transaction() as conn:
        others = [one for one in log.recall(conn, _forms(actor), []) if one != form]
        forgotten = {_key(actor, one): None for one in others[: 1 - MOST]} if len(others) >= MOST else {}
        said = {"form": form, "at": clock.wall().isoformat(), "fields": pairs}
        log.remember(conn, **{**forgotten, _key(actor, form): said, _forms(actor): [*others[1 - MOST :], form]})


def kept(actor: str, form: str) -> Draft | None:
    """What this person typed into this form last, if they did not save it."""
    with reading() as conn:
        said = log.recall(conn, _key(actor, form))
    return None if said is None else Draft(said["form"], said["at"], [(name, value) for name, value in said["fields"]])


def drop(actor: str, form: str) -> None:
    """It was saved, or is not wanted."""
    if kept(actor, form) is not None:
        with transaction() as conn:
            rest = [one for one in log.recall(conn, _forms(actor), []) if one != form]
            log.remember(conn, **{_key(actor, form): None, _forms(actor): rest or None})


def _key(actor: str, form: str) -> str:
    return f"draft:{actor}:{form}"


def _forms(actor: str) -> str:
    return f"drafts:{actor}"
