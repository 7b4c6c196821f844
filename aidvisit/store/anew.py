"""The files of a database written anew, so that nothing that was erased is left in free pages or old segments."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, inspect

from aidvisit.errors import Problem
from aidvisit.store import inbox, tokens, uploads
from aidvisit.store.database import in_words, writing
from aidvisit.store.tables import metadata
from sync import erasing, log

OTHERS = (uploads.metadata, tokens.metadata, inbox.metadata)


def due(conn: Connection) -> str | None:
    """A name for what was erased since the files were last written anew; None when nothing was."""
    return erasing.anew_is_due(conn)


def write_anew(engine: Engine, name: str) -> None:
    """Write all files of the database anew, and remember it; `name`: of `due`. What is erased meanwhile stays due.

    Needs as much room again as the database has. Others go on reading; who writes waits.
    Raises: Problem `database-locked` while somebody reads on, `disk-full`: then it stays due.
    """
    with in_words(engine):
        if engine.dialect.name == "sqlite":
            _sqlite(engine)
        else:
            _postgresql(engine)
    with writing(engine) as conn:
        if erasing.anew_is_due(conn) == name:
            log.remember(conn, **{erasing.ANEW: None})


def _sqlite(engine: Engine) -> None:
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        # Old segments of the search keep the tokens of rows that are gone until they are joined.
        driver.execute("INSERT INTO household_index (household_index) VALUES ('optimize')")
        driver.execute("VACUUM")
        busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise Problem("database-locked", database=engine.url.database)


def _postgresql(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        held = set(inspect(connection).get_table_names())
        named = [table for one in (metadata, *OTHERS) for table in one.tables]
        for table in sorted(held & {*named, *erasing.tables_touched(), "household_index"}):
            connection.exec_driver_sql(f'VACUUM (FULL, ANALYZE) "{table}"')
        # What a planner remembers of columns are values of them.
        connection.exec_driver_sql("VACUUM FULL pg_statistic")
