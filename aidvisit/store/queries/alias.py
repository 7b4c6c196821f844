"""Merged households: readers follow `into`; nothing is rewritten (docs/protocol.md section 5, "Aliases")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, select

from aidvisit.domain.household import resolve
from aidvisit.store.queries.once import once
from aidvisit.store.tables import Household
from sync.rows import among


@dataclass(frozen=True, slots=True)
class Aliases:
    """Which household stands for which; those that were never merged are not listed.

    `others`: by household, those that it stands for besides itself.
    """

    into: Mapping[str, str]
    others: Mapping[str, Sequence[str]]

    def of(self, household: str) -> str:
        """The household that this id stands for."""
        return self.into.get(household, household)

    def all(self, household: str) -> list[str]:
        """Every id that stands for the same household, the household's own first."""
        own = self.of(household)
        return [own, *self.others.get(own, ())]

    def spread(self, households: Iterable[str]) -> list[str]:
        return sorted({alias for household in households for alias in self.all(household)})


_MERGED = select(Household.id, Household.into).where(Household.into.is_not(None))
_ROUND = _MERGED.where(
    Household.id.in_(bindparam("ids", expanding=True)) | Household.into.in_(bindparam("ids", expanding=True))
)


def aliases(conn: Connection) -> Aliases:
    """All merges, resolved; in a circle the least UUID is the household."""
    return once(conn, "aliases", lambda: _resolved({row.id: row.into for row in conn.execute(_MERGED)}))


def of_one(conn: Connection, household: str) -> Aliases:
    """The merges that lead to one household or away from it, however many others there are; mostly one statement."""
    return once(conn, ("alias", household), lambda: _of_one(conn, household))


def _of_one(conn: Connection, household: str) -> Aliases:
    into: dict[str, str] = {}
    found, new = {household}, {household}
    while new:
        rows = {row.id: row.into for row in conn.execute(_ROUND, {"ids": sorted(new)})}
        into |= rows
        new = (rows.keys() | set(rows.values())) - found
        found |= new
    return _resolved(into)


def _resolved(into: Mapping[str, str]) -> Aliases:
    resolved = {household: resolve(household, into) for household in into}
    others: dict[str, list[str]] = {}
    for household, target in sorted(resolved.items()):
        if household != target:
            others.setdefault(target, []).append(household)
    return Aliases(resolved, others)


def stands(conn: Connection, alias: Aliases) -> ColumnElement[bool]:
    """Of the table of households, those to be listed: each once, under the id that stands for it.

    The least of a circle was merged, too, and stands. So does one whose other household is not held here, because it is
    of another town: else it would be gone from this one.
    """
    targets = {target for household, target in alias.into.items() if household != target}
    held = set(conn.execute(select(Household.id).where(among(conn, Household.id, targets))).scalars())
    lost = [min(alias.others[target]) for target in targets - held]
    standing = [household for household, target in alias.into.items() if household == target] + lost
    unmerged = Household.into.is_(None)
    return unmerged | among(conn, Household.id, standing) if standing else unmerged
