"""Where the databases of a world lie: in memory, or in real files that are written as the product writes them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from aidvisit.store.database import PRAGMAS
from tests.support.toy import make_tables, memory


@dataclass
class Disks:
    """`folder`: None for memory."""

    folder: Path | None = None
    made: list[Engine] = field(default_factory=list)

    def new(self) -> Engine:
        return self._keep(memory() if self.folder is None else make_tables(self._file()))

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
        path = self.folder / f"{len(self.made)}.db"
        engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.StaticPool)

        @sa.event.listens_for(engine, "connect")
        def connected(connection: sqlite3.Connection, _: object) -> None:
            connection.isolation_level = None
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")

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
