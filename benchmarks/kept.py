"""A PostgreSQL for one run, or one that a folder keeps for the next: filling a million households takes minutes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import postgres


@contextmanager
def database(folder: Path, *, keep: bool) -> Iterator[str]:
    """The address of an empty database that is removed afterwards; with `keep`, of the one in `folder`."""
    if not keep:
        postgres.reserve()
        try:
            with postgres.database(postgres.start()) as url:
                yield url
        finally:
            postgres.remove()
        return
    (folder / "postgres").mkdir(exist_ok=True)
    os.environ[postgres.PLACE] = str(folder / "postgres")
    address = postgres.start()
    yield address.replace("postgresql://", "postgresql+psycopg://")
