"""A centre and laptops of this process whose files can be put back as they were."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import make_url

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.services.device import enrolment_codes
from aidvisit.services.vault import acting
from aidvisit.store import ledger
from aidvisit.store.database import db, reading, transaction
from aidvisit.store.ledger import HOUSE, Fact, House
from aidvisit.store.vault import Vault
from sync import client, clock, joining, log
from sync.link import Link
from sync.log import Draft
from sync.op import uuid7
from tests.support.holding import delivery, registered
from tests.support.homes import TOWN, VILLAGE, Centre
from tests.support.pages import DEAD, InProcess


@dataclass
class Laptop:
    """`node`: the application of a home."""

    home: Path
    node: Flask

    def link(self, office: Flask) -> Link:
        return Link(transaction, House(), InProcess(office), clock.wall)

    def sync(self, office: Flask) -> None:
        with self.node.app_context():
            client.sync_once(self.link(office))

    def record(self, *facts: Fact, actor: str = "") -> None:
        with self.node.app_context(), transaction() as conn:
            ledger.record(conn, actor or acting(), *facts)

    def author(self, kind: str, body: dict[str, Any], subject: str) -> tuple[str, int]:
        """Without asking whether it may: what the centre will hold."""
        with self.node.app_context(), transaction() as conn:
            (entry,) = log.author(conn, HOUSE, [Draft(TOWN, log.own(conn), kind, 1, subject, body)], clock.wall())
        return entry.op.device, entry.op.seq

    def household(self, name: str) -> str:
        """Registered, and given a bag."""
        household = uuid7()
        self.record(Fact(TOWN, "household.registered", household, registered(name, VILLAGE)))
        self.record(Fact(TOWN, "delivery.recorded", uuid7(), delivery(household)))
        return household


@contextmanager
def laptop(folder: Path, name: str, office: Centre, *, encrypted: bool = False) -> Iterator[Laptop]:
    with office.app.app_context():
        code = enrolment_codes(actor=office.device, team=office.team)[0].code
    settings = config.write(folder / name, role="field", server_url=DEAD)
    vault = Vault(folder / name)
    if encrypted:
        vault.create()
    with opened(settings, vault) as node:
        made = Laptop(folder / name, node)
        with node.app_context():
            joining.enrol(made.link(office.app), name=name, code=code)
        made.sync(office.app)
        yield made


class Backup:
    """A copy of the centre's database, taken and put back as an administrator does: files, or a database's template."""

    def __init__(self, url: str, folder: Path, server: str) -> None:
        self.url, self.server = url, server
        self.file, self.copy = folder / "aidvisit.db", folder / "backup.db"
        self.name = make_url(url).database
        if url.startswith("sqlite"):
            shutil.copy(self.file, self.copy)
        else:
            self._sql(f"CREATE DATABASE {self.name}_backup TEMPLATE {self.name}")

    def put_back(self) -> None:
        if self.url.startswith("sqlite"):
            for path in self.file.parent.glob("aidvisit.db-*"):
                path.unlink()
            shutil.copy(self.copy, self.file)
        else:
            self._sql(
                f"DROP DATABASE {self.name} WITH (FORCE)", f"ALTER DATABASE {self.name}_backup RENAME TO {self.name}"
            )

    def _sql(self, *statements: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


def quiet(office: Centre) -> None:
    """Nobody holds the database open: as when the node is stopped."""
    with office.app.app_context():
        db.engine.dispose()


def rows(node: Flask, table: str) -> list[str]:
    with node.app_context(), reading() as conn:
        return sorted(row[0] for row in conn.exec_driver_sql(f"SELECT id FROM {table}"))


def digests(node: Flask, streams: list[str]) -> dict[str, str]:
    with node.app_context(), reading() as conn:
        return {stream: log.digest(conn, stream) for stream in streams}
