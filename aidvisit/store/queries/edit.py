"""What an edit has in view: the fields of a team or a person, and the ops that its `base` names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from aidvisit.domain import fold
from aidvisit.store.apply.rows import about, records
from sync.log import entries_of

Noun = Literal["team", "user"]


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
    held = about(entries_of(conn, subject), {f"{noun}.defined"})
    found = (fold.team if noun == "team" else fold.user)(records(held))
    return None if found is None else View(found, held[0].op.stream)
