"""Two households that may be one: found over all by joining their keys, and what was said of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select, true
from sqlalchemy.orm import aliased

from aidvisit.domain import id_number
from aidvisit.domain.likeness import YEARS, Likeness, Reason, Someone, alike
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.likeness import COMMON, Place, everybody
from aidvisit.store.queries.verdict import Ids, different, ordered
from aidvisit.store.tables import LikenessKey

MOST = 50_000
"""Suspects by one key; who has more has other worries."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two households that may be one. `persons`: names in `first` and in `second` of who is most alike.

    `sure`: both heads have the same right ID number and the same name, and they are of one village.
    """

    first: str
    second: str
    score: int
    reasons: tuple[Reason, ...]
    persons: tuple[str, str]
    sure: bool

    @property
    def ids(self) -> Ids:
        return self.first, self.second

    @property
    def place(self) -> tuple[int, str, str]:
        """Where it stands among all: the likeliest first."""
        return -self.score, self.first, self.second


def pairs(conn: Connection, scope: Scope = EVERYTHING) -> list[Pair]:
    """Every two open households of a scope that may be one and were not told apart; the likeliest first.

    Some ten statements; a second or two for 200,000 households. `still` is for the few of a page.
    """
    return _judged(conn, set(_suspects(conn, scope)), scope)


def still(conn: Connection, found: Collection[Ids], scope: Scope = EVERYTHING) -> list[Pair]:
    """Of these those that are so now, as `pairs` has them; of who was merged, what they are part of."""
    people: dict[str, list[Place]] = {}
    alias = aliases(conn)
    for place in everybody(conn, alias.spread({household for ids in found for household in ids}), scope):
        people.setdefault(alias.of(place[0]), []).append(place)
    suspects = {
        suspect
        for one, other in found
        for suspect in product(people.get(alias.of(one), ()), people.get(alias.of(other), ()))
    }
    return _judged(conn, suspects, scope)


def _judged(conn: Connection, suspects: Collection[tuple[Place, Place]], scope: Scope) -> list[Pair]:
    """Of people who share a key, the households that are to be shown, by what they are now."""
    alias = aliases(conn)
    named = {household for one, other in suspects for household in (one[0], other[0])}
    known = everybody(conn, named | {alias.of(household) for household in named}, scope)
    held = {household for household, _ in known}
    apart = different(conn, held)
    best: dict[Ids, Pair] = {}
    for one, other in sorted(suspects):
        ids = ordered(alias.of(one[0]), alias.of(other[0]))
        open_ones = all(each in held and known[each, ""][0].closed_reason is None for each in (*ids, one[0], other[0]))
        if ids[0] == ids[1] or not open_ones or apart & {ids, ordered(one[0], other[0])}:
            continue
        first, second = (one, other) if alias.of(one[0]) == ids[0] else (other, one)
        pair = _pair(ids, (first, second), known)
        if pair is not None and (ids not in best or (pair.sure, pair.score) > (best[ids].sure, best[ids].score)):
            best[ids] = pair
    return sorted(best.values(), key=lambda pair: pair.place)


def _pair(ids: Ids, places: tuple[Place, Place], known: dict[Place, tuple[Row[Any], Someone]]) -> Pair | None:
    if any(place not in known for place in places):
        return None
    one, other = (known[place][1] for place in places)
    likeness = alike(one, other)
    if likeness is None:
        return None
    sure = not places[0][1] and not places[1][1] and _sure(one, likeness)
    return Pair(*ids, likeness.score, likeness.reasons, (one.name, other.name), sure)


def _sure(one: Someone, likeness: Likeness) -> bool:
    right = not isinstance(id_number.read(one.id_number), id_number.Flaw)
    return right and {Reason.NUMBER, Reason.NAME, Reason.VILLAGE} <= set(likeness.reasons)


def _suspects(conn: Connection, scope: Scope) -> Iterator[tuple[Place, Place]]:
    """People of two households who share a key, by the indexes of the keys."""
    one: Any = aliased(LikenessKey)
    other: Any = aliased(LikenessKey)
    towns = sorted({code[:9] for code in scope.divisions})
    inside = true() if scope.everything else and_(*(within.under(side.stream, towns) for side in (one, other)))
    for key in ("number", "phone", "name"):
        column = getattr(LikenessKey, key)
        telling = select(column).where(column.is_not(None)).group_by(column).having(func.count().between(2, COMMON))
        same = getattr(one, key) == getattr(other, key)
        yield from _joined(conn, one, other, and_(same, getattr(one, key).in_(telling), inside))
    near: list[ColumnElement[Any]] = [one.birth, one.swapped, *(one.birth + days for days in YEARS if days > 0)]
    for birth in near:
        yield from _joined(conn, one, other, and_(other.birth == birth, inside))


def _joined(conn: Connection, one: Any, other: Any, on: ColumnElement[bool]) -> Iterator[tuple[Place, Place]]:
    query = select(one.household, one.person, other.household, other.person).join_from(one, other, on)
    for row in conn.execute(query.where(one.household != other.household).limit(MOST)):
        yield (row[0], row[1]), (row[2], row[3])
