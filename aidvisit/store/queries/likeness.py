"""Households in which somebody who is written down anew may be known: asked by keys, never by looking through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from aidvisit.domain.likeness import Likeness, Reason, Someone, alike, keys
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases
from aidvisit.store.tables import Household, LikenessKey, Member
from sync.rows import among

STEP = 500
COMMON = 100
"""A phone or name that more people than this have says nothing: the village committee's, 未知."""
KEYS = (LikenessKey.number, LikenessKey.phone, LikenessKey.name, LikenessKey.birth)

Place = tuple[str, str]
"""(household, member), where "" is its head."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A household that may be the same. `household`, `name`: what it is now, if it was merged.

    `person`: name of the head or member who is alike, `member`: the member's id, "" for the head or an institution.
    `closed`: the reason.
    """

    household: str
    name: str
    division: str
    group: str
    closed: str | None
    person: str
    member: str
    score: int
    reasons: tuple[Reason, ...]


def candidates(
    conn: Connection, person: Someone, *, scope: Scope = EVERYTHING, apart_from: Collection[str] = ()
) -> list[Candidate]:
    """Households in which this person, or somebody who may be the same, is known; the likeliest first.

    `apart_from`: households that are not meant, whichever ids they have. Some six statements.
    """
    return candidates_of(conn, [person], scope=scope, apart_from=apart_from)[0]


def candidates_of(
    conn: Connection, people: Sequence[Someone], *, scope: Scope = EVERYTHING, apart_from: Collection[str] = ()
) -> list[list[Candidate]]:
    """`candidates` of each of many: the statements are per 500 people."""
    alias = aliases(conn)
    left_out = set(alias.spread(apart_from))
    found: list[list[Candidate]] = []
    for start in range(0, len(people), STEP):
        step = people[start : start + STEP]
        hits = _hits(conn, step)
        known = everybody(conn, {household for of_one in hits for household, _ in of_one} - left_out, scope)
        heads = _heads(conn, {alias.of(household) for household, _ in known}, scope)
        for one, of_one in zip(step, hits, strict=True):
            best: dict[str, Candidate] = {}
            for place in sorted(of_one & known.keys()):
                row, someone = known[place]
                likeness = alike(one, someone)
                target = alias.of(place[0])
                if likeness and (target not in best or best[target].score < likeness.score):
                    best[target] = _candidate(heads.get(target, row), target, place[1], someone, likeness)
            found.append(sorted(best.values(), key=lambda each: (-each.score, each.name, each.household)))
    return found


def _candidate(row: Row[Any], household: str, member: str, someone: Someone, likeness: Likeness) -> Candidate:
    group = row.village_group or ""
    return Candidate(
        household, row.name, row.division, group, row.closed_reason, someone.name, member, likeness.score,
        likeness.reasons,
    )  # fmt: skip


def _hits(conn: Connection, people: Sequence[Someone]) -> list[set[Place]]:
    """By person, who shares a key."""
    asked = [keys(one) for one in people]
    found: list[set[Place]] = [set() for _ in people]
    for key in KEYS:
        askers = defaultdict(list)
        for i, one in enumerate(asked):
            for value in one.births() if key is LikenessKey.birth else [getattr(one, key.key)]:
                askers[value].append(i)
        askers.pop(None, None)
        telling = select(key).where(among(conn, key, askers)).group_by(key).having(func.count() <= COMMON)
        query = select(LikenessKey.household, LikenessKey.person, key.label("value")).where(key.in_(telling))
        for row in conn.execute(query) if askers else ():
            for i in askers[row.value]:
                found[i].add((row.household, row.person))
    return found


def everybody(
    conn: Connection, households: Iterable[str], scope: Scope = EVERYTHING
) -> dict[Place, tuple[Row[Any], Someone]]:
    """Heads and members of these households that lie in a scope, as they are compared, with their household's row."""
    heads = _heads(conn, households, scope)
    found = {(row.id, ""): (row, _head(row)) for row in heads.values()}
    query = select(Member.household, Member.id, Member.name, Member.id_number, Member.phone, Member.born)
    for one in conn.execute(query.where(among(conn, Member.household, heads))):
        row = heads[one.household]
        if row.kind != "institution":
            found[one.household, one.id] = row, _someone(row, one.name, one.id_number, one.phone, one.born)
    return found


def _heads(conn: Connection, households: Iterable[str], scope: Scope) -> dict[str, Row[Any]]:
    query = select(
        Household.id, Household.kind, Household.name, Household.head_name, Household.head_id_number,
        Household.head_phone, Household.head_born, Household.division, Household.village_group,
        Household.closed_reason, Household.order_key,
    )  # fmt: skip
    inside = within.places(Household.division.expression, scope)
    return {row.id: row for row in conn.execute(query.where(among(conn, Household.id, list(households)), inside))}


def _head(row: Row[Any]) -> Someone:
    if row.kind == "institution":
        phone, group = row.head_phone or "", row.village_group or ""
        return Someone(row.name, phone=phone, division=row.division, group=group, institution=True)
    return _someone(row, row.head_name, row.head_id_number, row.head_phone, row.head_born)


def _someone(row: Row[Any], name: str, number: str | None, phone: str | None, born: str | None) -> Someone:
    return Someone(name, number or "", phone or "", born or "", row.division, row.village_group or "")
