"""The facts of one trip, out of the logs that hold them, and the tables that follow from these facts alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select

from aidvisit.domain import place
from aidvisit.store import ledger
from aidvisit.store.database import Base, open_engine, writing
from aidvisit.store.queries.alias import aliases
from aidvisit.store.tables import Allocation, Delivery, Household, StockCount, StockMove, Trip, Visit
from sync import log, tables
from sync.model import Entry
from sync.op import ZERO, uuid7
from sync.rows import among

NAMED = ("item.defined", "place.defined", "category.defined")
"""What gives codes their names; nothing personal but who keeps a place, which is left out with the body's others."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """`subjects`: whatever the trip's facts are about; `codes`: of the divisions that these name."""

    subjects: frozenset[str]
    codes: frozenset[str]

    def takes(self, row: Row[Any]) -> bool:
        """Whether an op goes along whole; of every other one only its digest does."""
        if row.kind in NAMED or row.subject in self.subjects:
            return True
        return row.kind == "division.defined" and row.stream is not None and _code(row) in self.codes


def _code(row: Row[Any]) -> str:
    return "" if row.body is None else str(log.to_entry(row).op.body.get("code", ""))


def chosen(conn: Connection, trip: str) -> Chosen | None:
    """None when there is no such trip."""
    head = conn.execute(select(Trip.team, Trip.divisions).where(Trip.id == trip)).first()
    if head is None:
        return None
    truck = place.truck(trip)
    deliveries = set(conn.execute(select(Delivery.id).where(Delivery.trip == trip)).scalars())
    visits = set(conn.execute(select(Visit.id).where(Visit.trip == trip)).scalars())
    touching = or_(StockMove.trip == trip, StockMove.from_place == truck, StockMove.to_place == truck)
    moved = set(conn.execute(select(StockMove.id).where(touching)).scalars())
    counted = set(conn.execute(select(StockCount.id).where(StockCount.place == truck)).scalars())
    homes = set(conn.execute(select(Allocation.household).where(Allocation.trip == trip)).scalars())
    homes |= set(conn.execute(select(Delivery.household).where(Delivery.trip == trip)).scalars())
    homes |= set(conn.execute(select(Visit.household).where(Visit.trip == trip)).scalars())
    homes = set(aliases(conn).spread(homes))
    codes = {code for row in conn.execute(select(Household.id, Household.division)) if row.id in homes
             for code in _above(row.division)}  # fmt: skip
    codes |= {code for division in head.divisions for code in _above(division)}
    team = {head.team} if head.team else set()
    return Chosen(frozenset({trip} | deliveries | visits | moved | counted | homes | team), frozenset(codes))


def _above(code: str) -> list[str]:
    return [code[:length] for length in (2, 4, 6, 9, 12) if len(code) >= length]


@dataclass(frozen=True, slots=True)
class Writer:
    """A device of whose log something goes along. `through`, `head`: how far its log goes here, and its hash there."""

    id: str
    name: str
    public_key: str
    through: int
    head: str


def writers(conn: Connection, choice: Chosen) -> list[Writer]:
    query = select(tables.op.c.device, tables.op.c.kind, tables.op.c.subject, tables.op.c.stream).where(
        or_(among(conn, tables.op.c.subject, choice.subjects), tables.op.c.kind.in_([*NAMED, "division.defined"]))
    )
    found = {row.device for row in conn.execute(query)}
    device = tables.device.c
    listed = select(device.id, device.name, device.public_key, device.through, device.head)
    rows = conn.execute(listed.where(among(conn, device.id, found)).order_by(device.id))
    return [Writer(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Logged:
    """An op of a log. `entry`: None of one that only lends its digest."""

    seq: int
    digest: str
    entry: Entry | None


def ops(conn: Connection, device: str, choice: Chosen) -> Iterator[Logged]:
    """A whole log, in order, never in memory."""
    query = select(tables.op).where(tables.op.c.device == device).order_by(tables.op.c.seq)
    for row in conn.execute(query, execution_options={"yield_per": 500}):
        whole = row.body is not None and choice.takes(row)
        yield Logged(row.seq, row.digest, log.to_entry(row) if whole else None)


@contextmanager
def replayed(facts: Iterable[dict[str, Any]], devices: Iterable[tuple[str, str]]) -> Iterator[Connection]:
    """The tables that these facts give, in a database in memory. `facts`: rows of `op`; `devices`: (id, name)."""
    engine = open_engine("sqlite://")
    try:
        with writing(engine) as scratch:
            for table in (*ledger.COPIED, tables.blob):
                table.create(scratch)
            Base.metadata.create_all(scratch)
            scratch.execute(insert(tables.device), [_known(device, name) for device, name in devices])
            log.remember(scratch, device=uuid7(), role="central")
            for row in facts:
                scratch.execute(insert(tables.op), row)
            ledger.rebuild(scratch)
            yield scratch
    finally:
        engine.dispose()


def _known(device: str, name: str) -> dict[str, Any]:
    return {
        "id": device, "name": name, "public_key": "", "enrolled_at": "", "revoked": False, "through": 0, "head": ZERO,
        "clock": "",
    }  # fmt: skip
