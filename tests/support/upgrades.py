"""Databases as older versions left them: rows in every table that a revision has, and pictures to compare.

`python -m tests.support.upgrades URL WORDS` upgrades a database and is killed at the first statement with these words.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event

from aidvisit.store import migrations
from aidvisit.store.database import open_engine, writing

NO_TABLES = ("alembic_version", "household_index")
"""What is not filled as a table: FTS5's are its own business, and on PostgreSQL the index is filled beside its rows."""

FULL, LEAN = 0, 1
"""Of each two rows: one has something in every column, the other only what it must."""

PHOTO = "ab" * 32
OPS = [
    {
        "kind": kind,
        "problem": problem,
        "applied": True,
        "body": json.dumps({"head": {"name": "覃“大'”山"}, "proofs": [{"sha256": PHOTO}]}),
    }
    for kind, problem in (("household.registered", None), ("household.registered", "{}"), ("delivery.recorded", None))
]
"""More of the log: what steps look for, and what they must not take for it."""

Row = dict[str, Any]
Rows = dict[str, dict[tuple[Any, ...], Row]]
"""By table and primary key."""


@dataclass(frozen=True, slots=True)
class Picture:
    """All that a database holds, and how its tables are made."""

    rows: Rows
    schema: list[tuple[Any, ...]]


def revisions(engine: Engine) -> list[str]:
    """All that there are, the oldest first."""
    with engine.connect() as conn:
        known = ScriptDirectory.from_config(migrations.config(conn)).walk_revisions()
        return [script.revision for script in known][::-1]


def tables(conn: Connection) -> list[sa.Table]:
    found = sa.MetaData()
    found.reflect(conn, only=lambda name, _: not name.startswith(NO_TABLES))
    return found.sorted_tables


# --- rows --------------------------------------------------------------------------------------------------------


def fill(engine: Engine, mark: int) -> None:
    """Two rows and more in each table that there is; `mark`: a number that no earlier call had."""
    with writing(engine) as conn:
        for table in tables(conn):
            rows = [_row(table, mark * 10 + each) for each in (FULL, LEAN)]
            if table.name == "op":
                rows += [_row(table, mark * 10 + number) | one for number, one in enumerate(OPS, start=2)]
            if table.name == "node":
                rows += [{"key": key, "value": json.dumps(f"2020-12-30T04:0{mark % 10}:00Z")} for key in _missing(conn)]
            conn.execute(sa.insert(table), rows)
            if table.name == "household_search":
                index(conn, {row["n"]: f"a{row['n']} b{row['n']}" for row in rows})


def _missing(conn: Connection) -> set[str]:
    """Keys of `node` that migrations look at."""
    return {"version", "synced_at"} - set(conn.execute(sa.text("SELECT key FROM node")).scalars())


def _row(table: sa.Table, number: int) -> Row:
    lean = number % 10 == LEAN
    return {column.name: None if lean and column.nullable else _value(column, number) for column in table.c}


def _value(column: sa.Column[Any], number: int) -> Any:
    """Another one for each number; the same in the row that refers and the row that is referred to."""
    if column.foreign_keys:
        return _value(next(iter(column.foreign_keys)).column, number)
    name = f"{column.table.name}.{column.name}"
    match column.type:
        case sa.Boolean():
            return number % 2 == 0
        case sa.BigInteger():
            return 2**40 + number
        case sa.Integer():
            return number
        case sa.LargeBinary():
            return b"\x00\xff" + name.encode() + bytes([number % 256])
        case sa.Text() if name == "op.body":
            return json.dumps({"head": {"name": "罗“%s”\n'春'和"}, "number": number})
        case sa.Text():
            return f"{name} 户'主'“%s”\n𠮷{number}"
        case sa.String(length=length):
            text = f"{number:04d}{crc32(name.encode()):08x}"
            return f"{text}-{name}" if length is None else (text * 30)[:length]
        case other:
            raise NotImplementedError(f"{name}: {other!r}")


def index(conn: Connection, held: Mapping[int, str]) -> None:
    """What a search finds rows by, as of any revision: tokens by number. It is no table to SQLAlchemy."""
    if conn.dialect.name == "sqlite":
        statement = "INSERT INTO household_index (rowid, tokens) VALUES (:n, :tokens)"
    else:
        others = {column["name"] for column in sa.inspect(conn).get_columns("household_index")} - {"tokens"}
        names = ", ".join(sorted(others))
        statement = (
            f"INSERT INTO household_index ({names}, tokens)"
            f" SELECT {names}, array_to_tsvector(string_to_array(:tokens, ' ')) FROM household_search WHERE n = :n"
        )
    if held:
        conn.execute(sa.text(statement), [{"n": n, "tokens": tokens} for n, tokens in held.items()])


# --- pictures ----------------------------------------------------------------------------------------------------


def picture(conn: Connection) -> Picture:
    rows: Rows = {}
    for (_, table), key in sa.inspect(conn).get_multi_pk_constraint().items():
        if not table.startswith(NO_TABLES):
            found = conn.exec_driver_sql(f'SELECT * FROM "{table}"').mappings()
            rows[table] = {tuple(row[column] for column in key["constrained_columns"]): dict(row) for row in found}
    if "household_search" in rows:
        rows["household_index"] = {(n, token): {} for n, token in _indexed(conn)}
    return Picture(rows, _schema(conn))


def _indexed(conn: Connection) -> Iterator[tuple[int, str]]:
    if conn.dialect.name == "postgresql":
        for n, tokens in conn.execute(sa.text("SELECT n, tsvector_to_array(tokens) FROM household_index")):
            yield from ((n, token) for token in tokens)
        return
    conn.exec_driver_sql("CREATE VIRTUAL TABLE temp.held USING fts5vocab(main, household_index, instance)")
    yield from conn.execute(sa.text("SELECT doc, term FROM temp.held")).tuples().all()
    conn.exec_driver_sql("DROP TABLE temp.held")


SCHEMA = {
    "sqlite": "SELECT type, name, sql FROM sqlite_master ORDER BY type, name",
    "postgresql": """
    SELECT 'column', table_name || '.' || column_name,
        concat_ws(' ', data_type, character_maximum_length, collation_name, is_nullable, column_default, is_identity)
        FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    ORDER BY 1, 2""",
}


def _schema(conn: Connection) -> list[tuple[Any, ...]]:
    made = conn.exec_driver_sql(SCHEMA[conn.dialect.name]).tuples().all()
    return [*map(tuple, made), ("revision", migrations.revision(conn))]


# --- interruptions -----------------------------------------------------------------------------------------------


Watcher = Callable[[int, str, Connection], None]
"""Hears of each statement that changes something, before it does: its number from 0; of the commit as `COMMIT`."""


@contextmanager
def watched(engine: Engine, watcher: Watcher) -> Iterator[None]:
    seen = 0

    def next_is(conn: Connection, statement: str) -> None:
        nonlocal seen
        if not statement.lstrip().upper().startswith(("SELECT", "PRAGMA", "BEGIN")):
            watcher(seen, statement, conn)
            seen += 1

    def executes(conn: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        next_is(conn, statement)

    def commits(conn: Connection) -> None:
        if conn.get_execution_options().get("writes"):
            next_is(conn, "COMMIT")

    event.listen(engine, "before_cursor_execute", executes)
    event.listen(engine, "commit", commits)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", executes)
        event.remove(engine, "commit", commits)


def main(url: str, words: str) -> None:
    """Upgrade, and be killed at the first statement with these words."""

    def watcher(_number: int, statement: str, _conn: Connection) -> None:
        if words in statement:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = open_engine(url)
    with watched(engine, watcher):
        migrations.migrate(engine)


if __name__ == "__main__":
    main(*sys.argv[1:])
