"""Merged households: readers follow `into`; nothing is rewritten (docs/protocol.md section 5, "Aliases")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from aidvisit.domain.household import resolve
from aidvisit.store.tables import Household


@dataclass(frozen=True, slots=True)
class Aliases:
    """Which household stands for which; those that were never merged are not listed."""

    into: Mapping[str, str]

    def of(self, household: str) -> str:
        """The household that this id stands for."""
        return self.into.get(household, household)

    def all(self, household: str) -> list[str]:
        """Every id that stands for the same household, the household's own first."""
        own = self.of(household)
        return [own, *sorted(alias for alias, target in self.into.items() if target == own and alias != own)]

    def spread(self, households: Iterable[str]) -> list[str]:
        return sorted({alias for household in households for alias in self.all(household)})


def aliases(conn: Connection) -> Aliases:
    """All merges, resolved; in a circle the least UUID is the household."""
    query = select(Household.id, Household.into).where(Household.into.is_not(None))
    into = {row.id: row.into for row in conn.execute(query)}
    return Aliases({household: resolve(household, into) for household in into})
