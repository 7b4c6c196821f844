"""What a check sees, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from aidvisit.config import Settings
from aidvisit.errors import Problem
from aidvisit.store.vault import Vault

State = Literal["ok", "look", "unknown", "broken"]
STATES: tuple[State, ...] = ("ok", "look", "unknown", "broken")
"""From well to worst. `look`: somebody should, and work goes on; `unknown`: it could not be checked."""
Words = dict[str, str]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `found`, `do` (None where nothing needs to be done): {"zh", "en"}.

    `details` may name rows and laptops of any team: a page, whose reader may answer for one team, does not show them.
    """

    name: str
    state: State
    found: Words
    do: Words | None = None
    details: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON, without the details."""
        return {"name": self.name, "state": self.state, "found": self.found, "do": self.do}


class UncheckedError(Exception):
    """Why something cannot be looked at; `found`: {"zh", "en"}."""

    def __init__(self, found: Words) -> None:
        super().__init__(found["en"])
        self.found = found


@dataclass(frozen=True, slots=True)
class Patient:
    """A home that is looked at. `view`: its database, None where that does not open; `why`: why not."""

    settings: Settings
    vault: Vault
    now: datetime
    view: Connection | None
    why: Problem | None = None

    def conn(self) -> Connection:
        """Raises: Problem where the database does not open."""
        if self.view is None:
            assert self.why is not None
            raise self.why
        return self.view


def words(zh: str, en: str) -> Words:
    return {"zh": zh, "en": en}
