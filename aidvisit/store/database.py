"""The database: SQLite, at the centre also PostgreSQL. One transaction is one Core connection."""

from __future__ import annotations

import math
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, InvalidatePoolError, OperationalError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import StaticPool

from aidvisit.errors import Problem
from aidvisit.store.vault import Vault

try:
    from sqlcipher3 import dbapi2 as sqlcipher
except ImportError:  # no wheel for this machine: `encryption_here`
    sqlcipher = None

LOCK_WAIT_MS = 10_000
# The text of an error goes to the log: the statement may, what was to be written not.
HIDDEN: dict[str, Any] = {"hide_parameters": True}
# Whoever came back last is taken first: one connection's pages, and what it has prepared, stay in memory, not a part of
# them in each.
WARM: dict[str, Any] = {"pool_use_lifo": True}

PRAGMAS = (
    # A second writer waits its turn instead of failing at once; first, because the next one may wait too.
    f"busy_timeout={LOCK_WAIT_MS}",
    # Readers go on with the last commit while a writer writes: a page never waits for the sync agent.
    "journal_mode=WAL",
    # "Saved" survives a flat battery: in WAL only FULL flushes the log at every commit.
    "synchronous=FULL",
    # Off by default in SQLite, for each connection anew.
    "foreign_keys=ON",
    # KiB: pages that stay decrypted. A search reads 200 rows from all over; with the default of 2 MB each costs a page.
    "cache_size=-32000",
    # What a sort spills would otherwise stand in the system's folder for temporary files, readable.
    "temp_store=MEMORY",
)

# A scratch is never undone and outlives nothing: no journal, no flush; what does not fit into 64 MB goes to its file.
SCRATCH = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-64000")


class Base(DeclarativeBase):
    """Tables of the projection; named constraints, because SQLite can only drop what has a name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


WORK_MEM = "64MB"
QUIET_S = 1
"""A connection to PostgreSQL that was not used for longer is asked first whether it is alive."""

db = SQLAlchemy(model_class=Base)


def encryption_here() -> bool:
    """Whether this machine has SQLCipher."""
    return sqlcipher is not None


def engine_options(url: str, vault: Vault | None = None) -> dict[str, Any]:
    """Options of `create_engine` for a URL of either database; with a vault the file is encrypted by its key.

    Raises: Problem `no-encryption-here`.
    """
    parsed = make_url(url)
    if vault is not None and vault.exists:
        if not encryption_here():
            raise Problem("no-encryption-here")
        return HIDDEN | WARM | {"module": sqlcipher, "creator": _opener(str(parsed.database), vault)}
    if parsed.get_backend_name() == "postgresql":
        # A statement that waits for a lock gives up with an error that we can put in words. None of ours runs as long
        # as it takes to compile it; to count years of households takes more memory than a sort is given by default.
        return (
            HIDDEN
            | WARM
            | {
                "isolation_level": "READ COMMITTED",
                "connect_args": {"options": f"-c lock_timeout={LOCK_WAIT_MS} -c jit=off -c work_mem={WORK_MEM}"},
            }
        )
    if parsed.database in (None, "", ":memory:"):
        return HIDDEN | {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    return HIDDEN | WARM


def _opener(path: str, vault: Vault) -> Callable[[], Any]:
    """Connections with the key set before anything else; raises Problem `locked` while there is none."""

    return lambda: _keyed(path, vault.key())


def _keyed(path: str, key: bytes) -> Any:
    connection = sqlcipher.connect(path, check_same_thread=False)
    # A raw key: a passphrase would cost half a second of PBKDF2 for every connection.
    connection.execute(f"""PRAGMA key = "x'{key.hex()}'\"""")
    return connection


def prepare(engine: Engine) -> Engine:
    """Settings of each new connection, and how a transaction begins on SQLite. Once for an engine."""
    if engine.dialect.name != "sqlite":
        _ask_whether_alive(engine)
        return engine

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        # The driver would begin by itself, late and only before a write: reads would not be one snapshot.
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: a read that turns into a write later cannot wait, only fail.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _ask_whether_alive(engine: Engine) -> None:
    """A connection that nobody used for a while: its server may have restarted since. One page takes several."""

    @event.listens_for(engine, "checkin")
    def left(_connection: Any, record: Any) -> None:
        record.info["left"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def taken(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("left", math.inf) > QUIET_S:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError from error  # the pool opens others


def open_engine(url: str, vault: Vault | None = None) -> Engine:
    """An engine outside of Flask: for migrations, a scratch copy, tests."""
    return prepare(create_engine(url, **engine_options(url, vault)))


def init_app(app: Flask, url: str, vault: Vault | None = None) -> None:
    """Give a Flask application its database. `url`: `sqlite:////absolute/path` or `postgresql+psycopg://…`."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url, vault)
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed, durably, at the end; undone when anything is raised.

    Raises: Problem, as `in_words`.
    """
    with in_words(engine), engine.connect() as connection:
        conn = connection.execution_options(writes=True)
        with conn.begin():
            yield conn


_joined: ContextVar[Connection | None] = ContextVar("joined", default=None)


@contextmanager
def transaction() -> Iterator[Connection]:
    """`writing` on the application's database. Needs an application context, in any thread."""
    joined = _joined.get()
    if joined is not None:
        yield joined
        return
    try:
        with writing(db.engine) as conn:
            yield conn
    finally:
        # What the session read before is older than this commit.
        db.session.remove()


@contextmanager
def together() -> Iterator[Connection]:
    """One transaction of all that is done inside: every `transaction()` there is a part of it; none commits alone."""
    with transaction() as conn:
        token = _joined.set(conn)
        try:
            yield conn
        finally:
            _joined.reset(token)


@contextmanager
def reading() -> Iterator[Connection]:
    """`viewing` on the application's database. Needs an application context, in any thread."""
    with viewing(db.engine) as conn:
        yield conn


@contextmanager
def viewing(engine: Engine) -> Iterator[Connection]:
    """One consistent view of a database; nothing is written through it. Raises: Problem, as `in_words`."""
    with in_words(engine), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # READ COMMITTED would show each statement of one page another moment.
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin() as moment:
            yield connection
            moment.rollback()  # a commit would fail on a damaged file, after everything was read


@contextmanager
def scratch(folder: Path | None = None) -> Iterator[Connection]:
    """A SQLite database that is gone afterwards, in one transaction: a file in `folder`, else in memory.

    A file is encrypted by a key that nobody keeps, where this machine can: it may hold what a laptop does.
    Raises: Problem, as `in_words`.
    """
    path = None if folder is None else folder / f"scratch-{secrets.token_hex(8)}.db"
    if path is None:
        engine = open_engine("sqlite://")
    elif encryption_here():
        key = secrets.token_bytes(32)
        options = HIDDEN | {"module": sqlcipher, "creator": lambda: _keyed(str(path), key)}
        engine = prepare(create_engine("sqlite://", poolclass=StaticPool, **options))
    else:
        engine = open_engine(f"sqlite:///{path.as_posix()}")
    try:
        with in_words(engine), engine.connect() as conn:
            driver: Any = conn.connection.driver_connection
            for pragma in SCRATCH:
                driver.execute(f"PRAGMA {pragma}")
            with conn.begin():
                yield conn
    finally:
        engine.dispose()
        if path is not None:
            path.unlink(missing_ok=True)


def sqlite_at(path: Path, vault: Vault) -> Any:
    """The driver's own connection to a SQLite file, encrypted as the vault's home is."""
    return _opener(str(path), vault)() if vault.exists else sqlite3.connect(path)


def replace_database(source: Path, target: Path) -> None:
    """A plain SQLite database becomes what another one is, in one transaction, also while others read it."""
    with closing(sqlite3.connect(source)) as new, closing(sqlite3.connect(target, timeout=LOCK_WAIT_MS / 1000)) as old:
        new.backup(old)


@contextmanager
def in_words(engine: Engine) -> Iterator[None]:
    """What a person can do something about becomes a Problem; every other database error stays what it is.

    Raises: Problem `disk-full`, `database-locked`, `database-unreadable`, `database-unreachable`.
    """
    try:
        yield
    except DatabaseError as error:
        name = problem_of(error)
        if name is None:
            raise
        shown = engine.url.database if engine.dialect.name == "sqlite" else engine.url.render_as_string()
        raise Problem(name, database=shown) from error


DatabaseFault = DatabaseError
"""What a database raises, for those who may not know its library; `in_words` has no words for every one."""

SQLITE_WORDS = {
    "disk is full": "disk-full",
    "is locked": "database-locked",
    "not a database": "database-unreadable",
    "malformed": "database-unreadable",
    "unable to open": "database-unreachable",
}
SQLITE_ERRORS = (sqlite3.Error,) if sqlcipher is None else (sqlite3.Error, sqlcipher.Error)
SQLSTATES = {
    "53100": "disk-full",
    "55P03": "database-locked",
    "40P01": "database-locked",
    "57P03": "database-unreachable",
}


def problem_of(error: DatabaseError) -> str | None:
    """The catalogued name of a database error: SQLite tells by its text, PostgreSQL by its SQLSTATE.

    A PostgreSQL that cannot be reached, or does not let us in, has not even got one.
    """
    if isinstance(error.orig, SQLITE_ERRORS):
        return next((name for words, name in SQLITE_WORDS.items() if words in str(error.orig)), None)
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is None and isinstance(error, OperationalError):
        return "database-unreachable"
    return SQLSTATES.get(sqlstate or "")
