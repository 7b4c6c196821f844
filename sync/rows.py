"""Many rows with few statements, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Row = Mapping[str, Any]
Column = sa.ColumnElement[Any] | InstrumentedAttribute[Any]

MANY = 20
"""From so many rows on it is worth while to copy them."""


def among(conn: Connection, column: Column, values: Collection[Any]) -> sa.ColumnElement[bool]:
    """`column IN (values)` with one parameter however many values there are: no limit, and one text to prepare."""
    found = list(values)
    if conn.dialect.name == "postgresql":
        of: sa.types.TypeEngine[Any] = sa.BigInteger() if isinstance(next(iter(found), None), int) else sa.String()
        return column == sa.any_(sa.literal(found, postgresql.ARRAY(of)))
    each = sa.func.json_each(json.dumps(found)).table_valued("value")
    return column.in_(sa.select(each.c.value))


def one_of(column: Column, name: str) -> sa.ColumnElement[bool]:
    """`among`, for a statement that is put together once: the values are its parameter `name`, a list."""
    return _OneOf(column, sa.bindparam(name, type_=_Listed(isinstance(column.type, sa.Integer))))


class _Listed(sa.types.TypeDecorator[list[Any]]):
    """PostgreSQL's array, and for SQLite a JSON text."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, numbers: bool) -> None:
        super().__init__()
        self.numbers = numbers

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return postgresql.ARRAY(sa.BigInteger() if self.numbers else sa.String())
        return sa.Text()

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else json.dumps(value)


class _OneOf(FunctionElement[bool]):
    name = "one_of"
    type = sa.Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002 (SQLAlchemy's)
        """A condition by itself: SQLite would be asked whether it `= 1`, and then looks at every row for it."""
        return self


@compiles(_OneOf)
def _on_sqlite(element: _OneOf, compiler: SQLCompiler, **more: Any) -> str:
    column, values = (compiler.process(clause, **more) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - names of ours, and a parameter


@compiles(_OneOf, "postgresql")
def _on_postgresql(element: _OneOf, compiler: SQLCompiler, **more: Any) -> str:
    column, values = (compiler.process(clause, **more) for clause in element.clauses)
    return f"{column} = ANY ({values})"


def insert(conn: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """INSERT of rows that all name the same columns."""
    if not rows:
        return
    names, values_of = _prepared(table, tuple(rows[0]), conn.dialect)
    values = [values_of(row) for row in rows]
    if len(rows) >= MANY and conn.dialect.name == "postgresql":
        _copy(conn, f"COPY {names} FROM STDIN", values)
    else:
        _insert(conn, names, values)


def insert_new(conn: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """INSERT … ON CONFLICT DO NOTHING of rows that all name the same columns."""
    if rows:
        names, values_of = _prepared(table, tuple(rows[0]), conn.dialect)
        _insert(conn, names, [values_of(row) for row in rows], " ON CONFLICT DO NOTHING")


def _insert(conn: Connection, names: str, values: list[tuple[Any, ...]], otherwise: str = "") -> None:
    marks = ", ".join(["?" if conn.dialect.paramstyle == "qmark" else "%s"] * len(values[0]))
    conn.exec_driver_sql(f"INSERT INTO {names} VALUES ({marks}){otherwise}", values)  # noqa: S608 - our own tables' names


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
