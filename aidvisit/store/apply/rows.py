"""How rows are written: the rows of subjects are replaced by what all facts about each say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete
from sqlalchemy.dialects import postgresql, sqlite

from aidvisit.domain.fold import Record
from aidvisit.store.database import Base
from sync.log import Entry
from sync.merge import Order
from sync.rows import among, insert

Model = type[Base]
Values = Mapping[str, Any]
Histories = Mapping[str, Sequence[Entry]]
"""By subject, all that is held about it, in order."""


def order_key(entry: Entry) -> str:
    """The place of an op in the order of everything, as text of fixed width."""
    clock, device, seq = entry.order
    return f"{clock}/{device}/{seq:016d}"


def order_of(key: str) -> Order:
    clock, device, seq = key.split("/")[:3]
    return clock, device, int(seq)


def records(entries: Sequence[Entry]) -> list[Record]:
    """Entries as the domain folds them."""
    return [Record(entry.order, entry.name, entry.op.kind, entry.op.body) for entry in entries]


def about(entries: Sequence[Entry], makers: Collection[str]) -> list[Entry]:
    """From the first fact that makes a subject: all that stand in its stream, that one first; none if none does.

    What another stream says of the subject does not count: not everybody who holds this one holds that.
    """
    maker = next((entry for entry in entries if entry.op.kind in makers), None)
    if maker is None:
        return []
    return [maker, *(e for e in entries if e is not maker and e.op.stream == maker.op.stream)]


def replace(conn: Connection, model: Model, column: Any, subjects: Collection[str], rows: Sequence[Values]) -> None:
    """The rows of these subjects, which `column` names, are from now on `rows`."""
    conn.execute(delete(model).where(among(conn, column, subjects)))
    add(conn, model, rows)


def add(conn: Connection, model: Model, rows: Sequence[Values]) -> None:
    """Insert rows that all name the same columns."""
    table = model.__table__
    assert isinstance(table, Table)
    insert(conn, table, rows)


def upsert(conn: Connection, model: Model, rows: Sequence[Values], update: Any, where: Any = None) -> None:
    """INSERT … ON CONFLICT (primary key) DO UPDATE. `update`, `where`: made from the row that would be inserted."""
    table = model.__table__
    assert isinstance(table, Table)
    make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    clause = statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_=update(statement.excluded),
        where=None if where is None else where(statement.excluded),
    )
    if rows:
        conn.execute(clause, list(rows))
