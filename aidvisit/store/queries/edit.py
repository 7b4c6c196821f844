"""What an edit has in view: a household, or the fields of a team, person or trip, and the ops that its `base` names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from aidvisit.domain import fold
from aidvisit.store.apply.rows import about, records
from sync.log import Entry, entries_of

Noun = Literal["team", "user", "trip"]
_FOLDS: dict[Noun, tuple[str, Callable[[list[fold.Record]], fold.Fields | None]]] = {
    "team": ("team.defined", fold.team),
    "user": ("user.defined", fold.user),
    "trip": ("trip.planned", fold.trip),
}
"""What makes one, and how its facts are folded."""


@dataclass(frozen=True, slots=True)
class View:
    """One subject as it is now, and the stream that it stands in."""

    fields: fold.Fields
    stream: str

    def seen(self, paths: Iterable[str]) -> str:
        """The ops whose values stand at these paths, for a form to carry: it changes when one of them is edited."""
        return " ".join(sorted({name for path in paths for name in self.fields.heads(path)}))

    def changed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Of these values by path, those that differ from what counts now, and those in conflict."""
        states = self.fields.states
        return {
            path: value
            for path, value in values.items()
            if (states[path].conflict or states[path].value != value if path in states else value is not None)
        }

    def edit(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The body of an update: `set`, and as `base` the ops in view (docs/protocol.md section 5)."""
        base = {path: self.fields.heads(path) for path in changes}
        return {"set": dict(changes), "base": {path: names for path, names in base.items() if names}}


def view(conn: Connection, noun: Noun, subject: str) -> View | None:
    """None when nothing defines it here."""
    maker, folded = _FOLDS[noun]
    held = about(entries_of(conn, subject), {maker})
    found = folded(records(held))
    return None if found is None else View(found, held[0].op.stream)


@dataclass(frozen=True, slots=True)
class HouseholdEdit:
    """All that is held about a household in its own stream, in order, the registration first."""

    entries: list[Entry]
    now: fold.Household

    @property
    def stream(self) -> str:
        return self.entries[0].op.stream

    @property
    def seen(self) -> str:
        """The ops that whoever looks now has in view, for a form to carry."""
        return " ".join(entry.name for entry in self.entries)

    def at(self, seen: str) -> fold.Household | None:
        """As it was when a form with this `seen` was made; None if that names what is not held about the household."""
        names = set(seen.split())
        held = [entry for entry in self.entries if entry.name in names]
        return fold.household(records(held)) if names and len(held) == len(names) else None

    def said(self, path: str) -> dict[str, Any]:
        """By op name, every value that this field was ever given."""
        given = ((record.name, fold.values(record)) for record in records(self.entries))
        return {name: values[path] for name, values in given if path in values}


def household_edit(conn: Connection, subject: str) -> HouseholdEdit | None:
    """None when nothing registers it here."""
    held = about(entries_of(conn, subject), {"household.registered"})
    found = fold.household(records(held))
    return None if found is None else HouseholdEdit(held, found)
