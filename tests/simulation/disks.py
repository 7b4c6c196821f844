"""Where the databases of a world lie: in memory, or in real files that are written as the product writes them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from aidvisit.store.database import PRAGMAS
from tests.support.toy import memory, on, template


@dataclass
class Disks:
    """`folder`: None for memory."""

    folder: Path | None = None
    made: list[Engine] = field(default_factory=list)

    def new(self) -> Engine:
        return self.copy(template())

    def copy(self, original: Engine) -> Engine:
        """A copy as a backup makes it: of what was committed."""
        if self.folder is None:
            return self._keep(memory(original))
        engine = self._file()
        with original.connect() as source, engine.connect() as target:
            driver = target.connection.dbapi_connection
            assert isinstance(source.connection.dbapi_connection, sqlite3.Connection)
            assert isinstance(driver, sqlite3.Connection)
            source.connection.dbapi_connection.backup(driver)
        return self._keep(engine)

    def _file(self) -> Engine:
        assert self.folder is not None
        connection = sqlite3.connect(self.folder / f"{len(self.made)}.db", isolation_level=None)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        engine = on(connection)

        @sa.event.listens_for(engine, "begin")
        def begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        return engine

    def _keep(self, engine: Engine) -> Engine:
        self.made.append(engine)
        return engine

    def close(self) -> None:
        for engine in self.made:
            engine.dispose()
