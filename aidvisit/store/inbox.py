"""The office's inbox: what was found, since when it waits, for whom, and what was said of it.

A table of the centre's own: no fact, in no log. What settles an item is a fact, but for the words of an answer.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row

from aidvisit.domain.inbox import GONE
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import held as waiting
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases
from aidvisit.store.tables import Allocation, DeliveryLine
from sync import tables
from sync.rows import among, insert_new

metadata = sa.MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_name)s"},
)
_bytewise = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_id = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")

item = sa.Table(
    "inbox_item",
    metadata,
    sa.Column("id", _id, primary_key=True),
    sa.Column("kind", _bytewise, nullable=False),
    sa.Column("key", _bytewise, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("division", _bytewise),
    sa.Column("team", _id),
    sa.Column("trip", _id),
    sa.Column("since", _bytewise, nullable=False),
    sa.Column("assigned_to", _id),
    sa.Column("settled_at", _bytewise),
    sa.Column("settled_by", _id),
    sa.Column("verdict", _bytewise),
    sa.Column("reason", sa.Text),
)
"""`id`: made from `kind` and `key`. `about`: JSON, which holds ids and codes only. `since`: when the centre had what it
asks about. `division`, `team`: whose it is."""

_c = item.c
sa.Index("ix_inbox_item_open", _c.since, _c.id, sqlite_where=_c.settled_at.is_(None),
         postgresql_where=_c.settled_at.is_(None))  # fmt: skip
sa.Index("ix_inbox_item_settled_at", _c.settled_at)

PAGE = 20
_SPACE = UUID("7d0c4f44-6f0e-4d1e-9a5b-3c9a5f1b7e20")


@dataclass(frozen=True, slots=True)
class Found:
    """What somebody should look at. `about`: `deliveries`, `household`, `item`, `path`, `device`, `seq`, by kind."""

    kind: str
    key: str
    since: str
    about: dict[str, Any] = field(default_factory=dict)
    division: str | None = None
    team: str | None = None
    trip: str | None = None

    @property
    def id(self) -> str:
        return str(uuid5(_SPACE, f"{self.kind}:{self.key}"))


@dataclass(frozen=True, slots=True)
class Item:
    """`settled_by`: a user's id; None with `verdict` `gone`. `since`, `settled_at`: ISO 8601, UTC."""

    id: str
    kind: str
    about: dict[str, Any]
    division: str | None
    team: str | None
    trip: str | None
    since: str
    assigned_to: str | None
    settled_at: str | None
    settled_by: str | None
    verdict: str | None
    reason: str | None

    @property
    def deliveries(self) -> list[str]:
        return list(self.about.get("deliveries", ()))


def _item(row: Row[Any]) -> Item:
    return Item(
        row.id, row.kind, json.loads(row.about), row.division, row.team, row.trip, row.since, row.assigned_to,
        row.settled_at, row.settled_by, row.verdict, row.reason,
    )  # fmt: skip


def _inside(scope: Scope) -> ColumnElement[bool]:
    if scope.everything:
        return sa.true()
    return sa.or_(within.under(_c.division, scope.divisions), _c.team.in_(sorted(scope.teams)))


def forget_words(conn: Connection, ids: Collection[str]) -> None:
    """What somebody wrote when they settled an item about these, whose personal data were erased."""
    for row in conn.execute(sa.select(_c.id, _c.about).where(_c.reason.is_not(None))).all():
        if any(one in row.about for one in ids):
            conn.execute(sa.update(item).where(_c.id == row.id).values(reason=None))


def put(conn: Connection, found: Iterable[Found], now: str) -> None:
    """Add what is new. What was settled stays so, unless there is more to it than there was, or it was gone."""
    by_id = {one.id: one for one in found}
    known = {one.id: one for one in some(conn, by_id)}
    rows = [
        {
            "id": one.id, "kind": one.kind, "key": one.key, "about": json.dumps(one.about), "division": one.division,
            "team": one.team, "trip": one.trip, "since": one.since,
        }
        for one in by_id.values() if one.id not in known
    ]  # fmt: skip
    insert_new(conn, item, rows)
    for identity, held in known.items():
        one = by_id[identity]
        more = set(one.about.get("deliveries", ())) - set(held.deliveries)
        again = held.settled_at is not None and (held.verdict == GONE or bool(more) or not held.deliveries)
        if held.about == one.about and not again:
            continue
        values: dict[str, Any] = {"about": json.dumps(one.about), "division": one.division, "trip": one.trip}
        if again:
            values |= {
                "since": one.since if more else now,
                "settled_at": None,
                "settled_by": None,
                "verdict": None,
                "reason": None,
            }
        conn.execute(sa.update(item).where(_c.id == identity).values(values))


def settle(
    conn: Connection, ids: Collection[str], *, now: str, verdict: str, by: str | None, reason: str | None
) -> int:
    """These leave the list; how many were still in it."""
    still_open = sa.and_(among(conn, _c.id, ids), _c.settled_at.is_(None))
    said = {"settled_at": now, "settled_by": by, "verdict": verdict, "reason": reason}
    return conn.execute(sa.update(item).where(still_open).values(said)).rowcount


def assign(conn: Connection, ids: Collection[str], user: str | None) -> None:
    conn.execute(sa.update(item).where(among(conn, _c.id, ids), _c.settled_at.is_(None)).values(assigned_to=user))


def some(conn: Connection, ids: Iterable[str], scope: Scope = EVERYTHING) -> list[Item]:
    """Those of these that lie in a scope, settled ones too."""
    query = sa.select(item).where(among(conn, _c.id, list(ids)), _inside(scope)).order_by(_c.since, _c.id)
    return [_item(row) for row in conn.execute(query)]


def open_ones(conn: Connection, kinds: Collection[str]) -> list[Item]:
    query = sa.select(item).where(_c.kind.in_(sorted(kinds)), _c.settled_at.is_(None))
    return [_item(row) for row in conn.execute(query)]


def counted(scope: Scope, without: Collection[str]) -> sa.Select[tuple[int]]:
    """How many wait that are of none of these kinds."""
    where = (_c.settled_at.is_(None), _inside(scope), _c.kind.not_in(without))
    return sa.select(sa.func.count()).select_from(item).where(*where)


def counts(conn: Connection, scope: Scope = EVERYTHING, *, trip: str = "") -> dict[str, int]:
    """How many of each kind wait; `trip`: of what is about it."""
    where = [_c.settled_at.is_(None), _inside(scope), *([_about_trip(conn, trip)] if trip else [])]
    query = sa.select(_c.kind, sa.func.count()).where(*where).group_by(_c.kind)
    return {row[0]: row[1] for row in conn.execute(query)}


def _about_trip(conn: Connection, trip: str) -> ColumnElement[bool]:
    """What names it, records of any stream that do, and edits of households that it is for or gave to."""
    homes = sa.union(
        sa.select(Allocation.household).where(Allocation.trip == trip, Allocation.quantity > 0),
        sa.select(DeliveryLine.household).where(DeliveryLine.trip == trip, DeliveryLine.counts),
    )
    own = aliases(conn).spread(conn.execute(homes).scalars())
    names = tables.op.c.device.concat("/").concat(sa.cast(tables.op.c.seq, sa.String))
    held_ones = conn.execute(sa.select(names).where(waiting.about_trip(trip))).scalars().all()
    return sa.or_(
        _c.trip == trip,
        sa.and_(_c.kind == "held", among(conn, _c.key, held_ones)),
        sa.and_(_c.kind == "conflict", among(conn, sa.func.substr(_c.key, 1, 36), own)),
    )


def listed(
    conn: Connection,
    scope: Scope = EVERYTHING,
    *,
    kind: str = "",
    assigned_to: str | None = None,
    trip: str = "",
    settled: bool = False,
    after: tuple[str, str] | None = None,
    limit: int = PAGE,
) -> tuple[list[Item], bool]:
    """A page of what waits, the oldest first, or of what was settled, the latest first; and whether there is more.

    `assigned_to`: a user, or "" for what is nobody's yet. `after`: (time, id) of the last one before.
    """
    place = sa.tuple_(_c.settled_at if settled else _c.since, _c.id)
    where = [_inside(scope), _c.settled_at.is_not(None) if settled else _c.settled_at.is_(None)]
    where += [_c.kind == kind] if kind else []
    where += [_about_trip(conn, trip)] if trip else []
    if assigned_to is not None:
        where.append(_c.assigned_to == assigned_to if assigned_to else _c.assigned_to.is_(None))
    if after is not None:
        start = sa.tuple_(sa.literal(after[0]), sa.literal(after[1]))
        where.append(place < start if settled else place > start)
    order: Sequence[Any] = (_c.settled_at.desc(), _c.id.desc()) if settled else (_c.since, _c.id)
    rows = conn.execute(sa.select(item).where(*where).order_by(*order).limit(limit + 1)).all()
    return [_item(row) for row in rows[:limit]], len(rows) > limit
