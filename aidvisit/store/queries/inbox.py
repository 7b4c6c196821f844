"""What the inbox does not know yet, or should forget: it reads the streams as any other reader, from where it was.

Source: docs/adr/0021-the-inbox-reads-the-streams.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, case, func, or_, select

from aidvisit.domain.inbox import KINDS
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.stream import stream_type, trip_of
from aidvisit.store import inbox
from aidvisit.store.inbox import Found
from aidvisit.store.queries import conflict, held
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.question import questions
from aidvisit.store.queries.reconcile import item_rows
from aidvisit.store.queries.trip import ZONE
from aidvisit.store.tables import Delivery, FieldConflict, FieldDevice, Household, StockCount, StockLine, Trip
from sync import log, tables
from sync.rows import among

READ = "inbox"
"""How far it has read: {epoch, cursors: stream → n}, a value of the node's own."""
AT_ONCE = 4000
"""So many ops are read in one step: a page waits for it."""
op = tables.op.c


@dataclass(frozen=True, slots=True)
class Changes:
    """`put`: found anew; `gone`: ids of what is no more; `read`: how far it has read; `behind`: ops still unread.

    `base`: how far it had read before: what was found holds from there.
    """

    put: list[Found] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    read: dict[str, Any] | None = None
    behind: int = 0
    base: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.put or self.gone or self.read)


def changes(conn: Connection, now: datetime, today: str) -> Changes:
    """What to change in the inbox. `today`: a trip that ended before should balance."""
    arrived, read, behind = _arrived(conn)
    put, gone = _of_deliveries(conn, arrived, now.isoformat()) if arrived else ([], [])
    standing = {one.id: one for one in (*_conflicts(conn, arrived, now), *_held(conn), *_unbalanced(conn, today))}
    waiting = {one.id for one in inbox.open_ones(conn, {"conflict", "held", "stock"})}
    put += [one for identity, one in standing.items() if identity not in waiting]
    gone += sorted(waiting - standing.keys())
    return Changes(put, gone, read, behind, read_so_far(conn))


def read_so_far(conn: Connection) -> dict[str, Any]:
    kept: dict[str, Any] = log.recall(conn, READ, {})
    return kept


def mark(conn: Connection) -> tuple[int, int]:
    """Differs when something has arrived or was held since: quick, however much there is."""
    heads = conn.execute(select(func.coalesce(func.sum(tables.stream.c.head), 0))).scalar_one()
    return int(heads), held.count(conn)


def waiting(conn: Connection, scope: Scope = EVERYTHING) -> int:
    """How much is to be settled: what is held and where edits disagree as it is now, the rest as it was found last."""
    return int(conn.execute(_waiting(scope)).scalar_one())


@lru_cache(100)  # asked on every page of the office
def _waiting(scope: Scope) -> Select[tuple[int]]:
    found = inbox.counted(scope, ("conflict", "held")).scalar_subquery()
    return select(found + held.counted(scope).scalar_subquery() + conflict.counted(scope).scalar_subquery())


def _arrived(conn: Connection) -> tuple[dict[str, dict[str, str]], dict[str, Any] | None, int]:
    """By kind of op: subject → when it came; how far that is; how much is left. Nothing new: no way further."""
    epoch = log.recall(conn, "epoch")
    kept = read_so_far(conn)
    cursors: dict[str, int] = dict(kept["cursors"]) if kept.get("epoch") == epoch and kept else {}
    heads = conn.execute(select(tables.stream.c.name, tables.stream.c.head))
    news = [(row.name, cursors.get(row.name, 0), row.head) for row in heads if row.head > cursors.get(row.name, 0)]
    if not news:
        return {}, None, 0
    left, behind = AT_ONCE, 0
    found: dict[str, dict[str, str]] = {}
    for name, start, head in news:
        end = min(head, start + left)
        left -= end - start
        behind += head - end
        cursors[name] = end
        query = select(op.kind, op.subject, op.received_at).where(op.stream == name, op.n > start, op.n <= end)
        for row in conn.execute(query):
            if row.kind is not None:
                found.setdefault(row.kind, {})[row.subject] = row.received_at
    return found, {"epoch": epoch, "cursors": cursors}, behind


def _of_deliveries(
    conn: Connection, arrived: Mapping[str, Mapping[str, str]], now: str
) -> tuple[list[Found], list[str]]:
    """What deliveries raise that are new, void, another household's since a merge, or of a list that was changed."""
    since = {**arrived.get("delivery.recorded", {})}
    touched = {*since, *arrived.get("delivery.voided", {})}
    merged = {*arrived.get("household.merged", {}), *arrived.get("household.unmerged", {})}
    if merged:
        homes = aliases(conn).spread(merged)
        touched |= set(conn.execute(select(Delivery.id).where(among(conn, Delivery.household, homes))).scalars())
    kinds = {kind.name for kind in KINDS.values() if kind.of_deliveries}
    waiting = inbox.open_ones(conn, kinds)
    replanned = arrived.get("allocation.set", {}).keys()
    touched |= {one for item in waiting if item.trip in replanned for one in item.deliveries}
    if not touched:
        return [], []
    replaced = select(Delivery.replaces).where(among(conn, Delivery.id, touched), Delivery.replaces.is_not(None))
    touched |= {one for one in conn.execute(replaced).scalars() if one}
    found = questions(conn, dict.fromkeys(touched, now) | since, now)
    still = {one.id for one in found}
    return found, [item.id for item in waiting if item.id not in still and touched & set(item.deliveries)]


def _conflicts(conn: Connection, arrived: Mapping[str, Mapping[str, str]], now: datetime) -> Iterator[Found]:
    came = arrived.get("household.updated", {})
    query = select(FieldConflict.subject, FieldConflict.path, Household.division)
    for row in conn.execute(query.join(Household, Household.id == FieldConflict.subject)):
        about = {"household": row.subject, "path": row.path}
        since = came.get(row.subject, now.isoformat())
        yield Found("conflict", f"{row.subject}/{row.path}", since, about, row.division)


def _held(conn: Connection) -> Iterator[Found]:
    query = (
        select(op.device, op.seq, op.stream, op.received_at, FieldDevice.team)
        .join(FieldDevice, FieldDevice.id == op.device, isouter=True)
        .where(op.problem.is_not(None), op.dismissed.is_(False), op.body.is_not(None))
    )
    for row in conn.execute(query):
        town = row.stream if stream_type(row.stream) == "town" else None
        about = {"device": row.device, "seq": row.seq}
        yield Found("held", f"{row.device}/{row.seq}", row.received_at, about, town, row.team, trip_of(row.stream))


def _unbalanced(conn: Connection, today: str) -> Iterator[Found]:
    """Trips that are over and not closed, whose truck has goods by the books or whose count nobody explained."""
    over = select(Trip.id).where(Trip.ends < today, Trip.status != "closed")
    truck = "truck:" + StockLine.trip
    left = case(
        (StockLine.to_place == truck, StockLine.quantity), (StockLine.from_place == truck, -StockLine.quantity), else_=0
    )
    unequal = select(StockLine.trip).where(StockLine.trip.in_(over)).group_by(StockLine.trip, StockLine.item)
    unequal = unequal.having(func.sum(left) != 0)
    counted = select(StockCount.trip).where(StockCount.trip.in_(over))
    query = select(Trip.id, Trip.ends, Trip.team, Trip.divisions)
    for trip in conn.execute(query.where(or_(Trip.id.in_(unequal), Trip.id.in_(counted)))):
        if any(not row.settled for row in item_rows(conn, trip.id)):
            ended = datetime.combine(date.fromisoformat(trip.ends) + timedelta(days=1), time(), ZONE)
            since = ended.astimezone(UTC).isoformat()
            division = trip.divisions[0] if trip.divisions else None
            yield Found("stock", trip.id, since, {"trip": trip.id}, division, trip.team, trip.id)


def apply(conn: Connection, found: Changes, now: datetime) -> None:
    """Write it down."""
    at = now.isoformat()
    inbox.put(conn, found.put, at)
    inbox.settle(conn, found.gone, now=at, verdict="gone", by=None, reason=None)
    if found.read is not None:
        log.remember(conn, **{READ: found.read})
