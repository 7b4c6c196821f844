"""Many rows with few statements, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import InstrumentedAttribute

Row = Mapping[str, Any]

MANY = 20
"""From so many rows on it is worth while to copy them."""


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
    if not rows:
        return
    names, values_of = _prepared(table, tuple(rows[0]), conn.dialect)
    values = [values_of(row) for row in rows]
    if len(rows) >= MANY and conn.dialect.name == "postgresql":
        _copy(conn, f"COPY {names} FROM STDIN", values)
    else:
        marks = ", ".join(["?" if conn.dialect.paramstyle == "qmark" else "%s"] * len(values[0]))
        conn.exec_driver_sql(f"INSERT INTO {names} VALUES ({marks})", values)  # noqa: S608 - our own tables' names


def _copy(conn: Connection, statement: str, values: Sequence[tuple[Any, ...]]) -> None:
    """PostgreSQL's quickest way, past SQLAlchemy: what fails is told in its words nevertheless."""
    connection = conn.connection.driver_connection
    dbapi = conn.dialect.loaded_dbapi
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[union-attr]
            for row in values:
                copy.write_row(row)
    except dbapi.Error as error:
        hidden = conn.engine.hide_parameters
        raise sa.exc.DBAPIError.instance(
            statement, None, error, dbapi.Error, hide_parameters=hidden, dialect=conn.dialect
        ) from error


@lru_cache(maxsize=256)
def _prepared(
    table: sa.Table, names: tuple[str, ...], dialect: Dialect
) -> tuple[str, Callable[[Row], tuple[Any, ...]]]:
    """Table and columns for a statement, and how a row becomes values: what SQLAlchemy finds out anew for each row."""
    quote = dialect.identifier_preparer.quote
    columns = [table.c[name] for name in names]
    listed = f"{quote(table.name)} ({', '.join(quote(column.name) for column in columns)})"
    decorated = [(place, c.type) for place, c in enumerate(columns) if isinstance(c.type, sa.types.TypeDecorator)]
    processors = [(place, partial(of.process_bind_param, dialect=dialect)) for place, of in decorated]
    pick = itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)

    def values_of(row: Row) -> tuple[Any, ...]:
        values = pick(row)
        if not processors:
            return values
        changed = list(values)
        for place, process in processors:
            changed[place] = process(changed[place])
        return tuple(changed)

    return listed, values_of


def insert_new(conn: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """INSERT … ON CONFLICT DO NOTHING."""
    if rows:
        make = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
        conn.execute(make(table).on_conflict_do_nothing(), list(rows))
