"""Bringing a database up to what this version expects, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from aidvisit.errors import Problem
from aidvisit.store.database import in_words, open_engine, viewing
from aidvisit.store.vault import Vault

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0021"
"""The newest revision, written here so that a start that has nothing to do needs no Alembic."""

_LOCK = 7_240_831


Before = Callable[[Connection, str], None]
"""Called with a view of the database and the revision that it has, before anything is changed."""


def upgrade(url: str, vault: Vault | None = None, before: Before | None = None) -> None:
    """`migrate` for a database by its URL, and the vault that holds its key."""
    engine = open_engine(url, vault)
    try:
        migrate(engine, before)
    finally:
        engine.dispose()


def migrate(engine: Engine, before: Before | None = None) -> None:
    """Run what is missing, in one transaction; two processes that start at once wait for each other.

    `before` is called when a database that is in use is about to be changed; what it raises leaves all as it is.

    Raises: Problem `database-from-future` when a newer version made the database, which is then left as it is;
    `database-locked`, `disk-full`, `database-unreadable`, `database-unreachable`.
    """
    with in_words(engine), engine.connect() as connection:
        with connection.begin():
            found = revision(connection)
            if found == HEAD:
                return
            check_known(connection, found)
        if found is not None and before is not None:
            with viewing(engine) as view:
                before(view, found)
        with _without_foreign_keys(connection), connection.execution_options(writes=True).begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            _upgrade(connection)


def revision(conn: Connection) -> str | None:
    """What the database says it is; None when it is new."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()


def config(conn: Connection) -> Config:
    """How Alembic finds the scripts inside this package, wherever it is installed."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", "aidvisit.store:migrations")
    settings.attributes["connection"] = conn
    return settings


def make(engine: Engine, target: str) -> None:
    """The tables of a revision in an empty database. Raises: Problem as `migrate`."""
    with in_words(engine), engine.connect() as connection:
        with connection.begin():
            check_known(connection, target)
        with _without_foreign_keys(connection), connection.execution_options(writes=True).begin():
            _upgrade(connection, target)


def check_known(conn: Connection, found: str | None) -> None:
    """Raises: Problem `database-from-future` for a revision that this version does not know."""
    from alembic.script import ScriptDirectory

    if found is None:
        return
    known = {script.revision for script in ScriptDirectory.from_config(config(conn)).walk_revisions()}
    if found not in known:
        raise Problem("database-from-future", found=found)


def _upgrade(conn: Connection, target: str = "head") -> None:
    from alembic import command

    check_known(conn, revision(conn))  # asked again: somebody else may have changed it meanwhile
    command.upgrade(config(conn), target)
    if conn.dialect.name == "sqlite":
        broken = conn.exec_driver_sql("PRAGMA foreign_key_check").all()
        assert not broken, broken


@contextmanager
def _without_foreign_keys(conn: Connection) -> Iterator[None]:
    """SQLite changes a table by copying and dropping it, and a drop would cascade to all rows that refer to it.

    Inside of a transaction the setting does nothing, so it is made on the driver's connection before one begins.
    """
    if conn.dialect.name != "sqlite":
        yield
        return
    driver = conn.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
