"""Many rows with few statements, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import InstrumentedAttribute

Row = Mapping[str, Any]


def among(
    conn: Connection, column: sa.ColumnElement[Any] | InstrumentedAttribute[Any], values: Collection[Any]
) -> sa.ColumnElement[bool]:
    """`column IN (values)` with one parameter however many values there are: no limit, and one text to prepare."""
    found = list(values)
    if conn.dialect.name == "postgresql":
        of: sa.types.TypeEngine[Any] = sa.BigInteger() if isinstance(next(iter(found), None), int) else sa.String()
        return column == sa.any_(sa.literal(found, postgresql.ARRAY(of)))
    each = sa.func.json_each(json.dumps(found)).table_valued("value")
    return column.in_(sa.select(each.c.value))


def insert(conn: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """INSERT of rows that all name the same columns."""
    if rows:
        statement, values_of = _prepared(table, tuple(rows[0]), conn.dialect)
        conn.exec_driver_sql(statement, [values_of(row) for row in rows])


@lru_cache(maxsize=256)
def _prepared(
    table: sa.Table, names: tuple[str, ...], dialect: Dialect
) -> tuple[str, Callable[[Row], tuple[Any, ...]]]:
    """The statement, and how a row becomes its parameters: what SQLAlchemy does for each row, found out once."""
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    quote = dialect.identifier_preparer.quote
    columns = [table.c[name] for name in names]
    listed = ", ".join(quote(column.name) for column in columns)
    marks = ", ".join([mark] * len(columns))
    statement = f"INSERT INTO {quote(table.name)} ({listed}) VALUES ({marks})"  # noqa: S608 - names of our own tables
    found = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]
    processors = [(place, process) for place, process in enumerate(found) if process is not None]
    pick = itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)

    def values_of(row: Row) -> tuple[Any, ...]:
        values = pick(row)
        if not processors:
            return values
        changed = list(values)
        for place, process in processors:
            changed[place] = process(changed[place])
        return tuple(changed)

    return statement, values_of


def insert_new(conn: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """INSERT … ON CONFLICT DO NOTHING."""
    if rows:
        make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
        conn.execute(make(table).on_conflict_do_nothing(), list(rows))
