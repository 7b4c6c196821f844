"""What somebody typed on a laptop and has not saved: kept in its database, not in the browser, one form a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aidvisit.store.database import reading, transaction
from sync import clock, log

LARGEST = 100_000
"""Characters: the largest form that is kept."""


@dataclass(frozen=True, slots=True)
class Draft:
    """`form`: which one. `at`: ISO 8601. `fields`: name and value, as they were sent."""

    form: str
    at: str
    fields: list[tuple[str, str]]


def keep(actor: str, form: str, fields: Iterable[tuple[str, str]]) -> None:
    """Instead of the one that this person had, of whichever form. Raises: Problem `disk-full`, `database-locked`."""
    pairs = [[name, value] for name, value in fields if value]
    if sum(len(name) + len(value) for name, value in pairs) > LARGEST:
        return
    with transaction() as conn:
        said = {"form": form, "at": clock.wall().isoformat(), "fields": pairs}
        log.remember(conn, **{_key(actor): said})


def kept(actor: str, form: str) -> Draft | None:
    """What this person typed into this form last, if they did not save it."""
    with reading() as conn:
        said = log.recall(conn, _key(actor))
    if said is None or said["form"] != form:
        return None
    return Draft(said["form"], said["at"], [(name, value) for name, value in said["fields"]])


def drop(actor: str, form: str) -> None:
    """It was saved, or is not wanted."""
    if kept(actor, form) is not None:
        with transaction() as conn:
            log.remember(conn, **{_key(actor): None})


def _key(actor: str) -> str:
    return f"draft:{actor}"
