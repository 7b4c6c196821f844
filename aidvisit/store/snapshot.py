"""A database as parts of a backup, all of one moment while others write, and a database made of such parts again.

SQLite gives its file, encrypted as it is; PostgreSQL gives its tables, as COPY writes them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, column, create_engine, delete, func, inspect, select, table, text
from sqlalchemy.schema import CreateSchema, DropSchema

from aidvisit.store import migrations
from aidvisit.store.backup_file import PIECE, Part, pieces_of
from aidvisit.store.database import engine_options, in_words, open_engine, sqlite_at, viewing
from aidvisit.store.vault import Vault

DATABASE, COLUMNS, TABLES = "aidvisit.db", "columns.json", "tables"


def parts(conn: Connection, folder: Path, vault: Vault) -> Iterator[Part]:
    """The database as `conn` sees it. `folder`: where a copy of a SQLite file may stand meanwhile."""
    if conn.dialect.name == "postgresql":
        yield from _tables(conn)
        return
    copy = folder / DATABASE
    with closing(sqlite_at(copy, vault)) as target:
        driver: Any = conn.connection.driver_connection
        driver.backup(target)
    try:
        yield from pieces_of(DATABASE, copy)
    finally:
        copy.unlink()


def _tables(conn: Connection) -> Iterator[Part]:
    names = [name for name, _ in inspect(conn).get_sorted_table_and_fkc_names() if name is not None]
    columns = {name: _columns(conn, name) for name in names if name != "alembic_version"}
    yield COLUMNS, json.dumps(columns).encode()
    driver: Any = conn.connection.driver_connection
    for name, listed in columns.items():
        held = bytearray()
        with driver.cursor() as cursor, cursor.copy(f"COPY {_place(conn, name, listed)} TO STDOUT") as copy:
            for row in copy:
                held += row
                if len(held) >= PIECE:
                    yield f"{TABLES}/{name}", bytes(held)
                    held.clear()
        yield f"{TABLES}/{name}", bytes(held)


def _columns(conn: Connection, table: str) -> list[str]:
    """Those that are written, in their order; what the database makes by itself is made again."""
    query = text(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND table_name = :table AND is_generated = 'NEVER' ORDER BY ordinal_position"
    )
    return list(conn.execute(query, {"table": table}).scalars())


def _place(conn: Connection, name: str, columns: list[str]) -> str:
    quoted = conn.dialect.identifier_preparer.quote_identifier
    return f"{quoted(name)} ({', '.join(map(quoted, columns))})"


def load(engine: Engine, folder: Path, revision: str) -> None:
    """Fill an empty PostgreSQL database with the unpacked parts of a backup, at the revision that it has.

    Raises: Problem `database-from-future`, `disk-full`, `database-unreachable`.
    """
    columns: dict[str, list[str]] = json.loads((folder / COLUMNS).read_bytes())
    migrations.make(engine, revision)
    with in_words(engine), engine.begin() as conn:
        driver: Any = conn.connection.driver_connection
        for name in reversed(columns):
            conn.execute(delete(table(name)))  # what a migration itself puts there is in the backup
        for name, listed in columns.items():
            with (
                (folder / TABLES / name).open("rb") as file,
                driver.cursor() as cursor,
                cursor.copy(f"COPY {_place(conn, name, listed)} FROM STDIN") as copy,
            ):
                while piece := file.read(PIECE):
                    copy.write(piece)
            _go_on(conn, name, listed)


def _go_on(conn: Connection, of: str, columns: list[str]) -> None:
    """Numbers that the database gives by itself continue after the last one."""
    for name in columns:
        found = func.pg_get_serial_sequence(func.quote_ident(of), name)
        sequence = conn.execute(select(found)).scalar()
        if sequence:
            last = select(func.coalesce(func.max(column(name)), 0) + 1).select_from(table(of)).scalar_subquery()
            conn.execute(select(func.setval(sequence, last, False)))


def clear(folder: Path) -> None:
    """Remove the parts that `load` has taken."""
    shutil.rmtree(folder / TABLES)
    (folder / COLUMNS).unlink()


def is_empty(engine: Engine) -> bool:
    """Whether nothing stands in a database yet."""
    with in_words(engine), engine.connect() as conn:
        return not inspect(conn).get_table_names()


@contextmanager
def restored(folder: Path, header: Mapping[str, Any], url: str, vault: Vault) -> Iterator[Connection]:
    """A view of what the unpacked parts of a backup make, beside the database at `url`; it is gone afterwards.

    On PostgreSQL in a schema of its own. `vault`: open, as the home is that the backup is of.
    """
    if header["database"] == "postgresql":
        with _apart(url) as engine:
            load(engine, folder, header["revision"])
            with viewing(engine) as conn:
                yield conn
        return
    copied = Vault(folder)
    if copied.exists:
        copied.open_as(vault)
    engine = open_engine(f"sqlite:///{(folder / DATABASE).as_posix()}", copied)
    try:
        with viewing(engine) as conn:
            yield conn
    finally:
        engine.dispose()


@contextmanager
def _apart(url: str) -> Iterator[Engine]:
    schema = f"aidvisit_proof_{uuid4().hex[:16]}"
    options = engine_options(url)
    arguments = {"options": f"{options['connect_args']['options']} -c search_path={schema}"}
    engine = create_engine(url, **(options | {"connect_args": arguments}))
    with in_words(engine), engine.begin() as conn:
        conn.execute(CreateSchema(schema))
    try:
        yield engine
    finally:
        with in_words(engine), engine.begin() as conn:
            conn.execute(DropSchema(schema, cascade=True))
        engine.dispose()


def size(conn: Connection) -> int:
    """About how many bytes a database takes."""
    if conn.dialect.name == "postgresql":
        return int(conn.execute(select(func.pg_database_size(func.current_database()))).scalar_one())
    pages = int(conn.exec_driver_sql("PRAGMA page_count").scalar_one())
    return pages * int(conn.exec_driver_sql("PRAGMA page_size").scalar_one())  # SQLCipher says it as text
