"""A PostgreSQL for one run, or one that a folder keeps for the next: filling a million households takes minutes.

It has the memory that docs/operations.md tells an administrator to give it; its default of 128 MB holds none of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support import postgres

MEMORY = "4GB"


@contextmanager
def database(folder: Path, *, keep: bool) -> Iterator[str]:
    """The address of an empty database that is removed afterwards; with `keep`, of the one in `folder`."""
    if not keep:
        postgres.reserve()
        try:
            with postgres.database(_start()) as url:
                yield url
        finally:
            postgres.remove()
        return
    (folder / "postgres").mkdir(exist_ok=True)
    os.environ[postgres.PLACE] = str(folder / "postgres")
    address = _start()
    yield address.replace("postgresql://", "postgresql+psycopg://")


def _start() -> str:
    address = postgres.start()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET shared_buffers = '{MEMORY}'")
    postgres.stop()  # it is taken at the start
    postgres.start_again()
    return address
