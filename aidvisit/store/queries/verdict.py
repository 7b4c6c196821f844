"""What people said of two households: one, by merging them, or two (docs/adr/0013-one-household-or-two.md)."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.trip import recorded_at
from aidvisit.store.tables import Access, Household, User, audited
from sync import tables
from sync.rows import among

DIFFERENT: Final = "households-different"
MAYBE_SAME: Final = "households-maybe-same"
"""What an access says of two households: `household` is the one id, `detail` the other; the last one counts."""

LATEST: Final = 10
_LOOKED_AT: Final = 200
op = tables.op.c

Ids = tuple[str, str]
"""Two households, the lesser id first."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody said that still stands. `household`: of a merge, the one that was merged; `other`: into which.

    `name`, `other_name`: "" where it is not the reader's. `reason`: of a merge.
    """

    merged: bool
    household: str
    other: str
    name: str
    other_name: str
    by: str
    at: datetime
    reason: str


def ordered(one: str, other: str) -> Ids:
    return (one, other) if one < other else (other, one)


def different(conn: Connection, households: Collection[str]) -> set[Ids]:
    """Pairs with one of these households that are two, as somebody said last."""
    query = (
        select(Access.what, Access.household, Access.detail)
        .where(among(conn, Access.household, households), Access.what.in_((DIFFERENT, MAYBE_SAME)))
        .order_by(Access.order_key)
    )
    said = {ordered(row.household, row.detail or ""): row.what for row in conn.execute(query)}
    return {ids for ids, what in said.items() if what == DIFFERENT}


def verdicts(conn: Connection, scope: Scope = EVERYTHING) -> list[Verdict]:
    """The latest that stand, newest first: what somebody may want to undo."""
    said = sorted([*_merges(conn), *_told_apart(conn)], key=lambda one: one.key, reverse=True)
    inside = within.places(Household.division.expression, scope)
    named = {each for one in said for each in (one.household, one.other)}
    query = select(Household.id, Household.name).where(among(conn, Household.id, named), inside)
    names = {row.id: row.name for row in conn.execute(query)}
    mine = [one for one in said if one.household in names][:LATEST]
    people = select(User.id, User.name).where(among(conn, User.id, {one.actor for one in mine}))
    by = {row.id: row.name for row in conn.execute(people)}
    return [
        Verdict(
            one.merged, one.household, one.other, names[one.household], names.get(one.other, ""),
            by.get(one.actor, ""), recorded_at(one.key), one.reason,
        )
        for one in mine
    ]  # fmt: skip


class _Said(NamedTuple):
    merged: bool
    household: str
    other: str
    actor: str
    key: str
    reason: str


def _merges(conn: Connection) -> list[_Said]:
    query = (
        select(Household.id, Household.into, op.clock, op.actor, op.body)
        .join(tables.op, op.subject == Household.id)
        .where(audited(), op.kind == "household.merged", op.body.is_not(None), Household.into.is_not(None))
        .order_by(op.clock.desc(), op.device.desc(), op.seq.desc())
        .limit(_LOOKED_AT)
    )
    found: dict[str, _Said] = {}
    for row in conn.execute(query):
        found.setdefault(row.id, _Said(True, row.id, row.into, row.actor, row.clock, json.loads(row.body)["reason"]))
    return list(found.values())


def _told_apart(conn: Connection) -> list[_Said]:
    query = select(Access).where(Access.what == DIFFERENT).order_by(Access.order_key.desc()).limit(_LOOKED_AT)
    rows = conn.execute(query).all()
    still = different(conn, {row.household for row in rows})
    found: dict[Ids, _Said] = {}
    for row in rows:
        ids = ordered(row.household, row.detail or "")
        if ids in still:
            found.setdefault(ids, _Said(False, row.household, row.detail, row.actor, row.order_key, ""))
    return list(found.values())
