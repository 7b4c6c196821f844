"""A home made of a backup: a laptop that is a copy then, a centre that goes on under a new epoch (ADR 22)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pyrage.x25519 import Identity

from aidvisit import config
from aidvisit.config import Settings
from aidvisit.domain import recovery
from aidvisit.errors import Problem
from aidvisit.store import backup_file, ledger, migrations, snapshot
from aidvisit.store.backup_file import Unpacked
from aidvisit.store.database import open_engine, viewing, writing
from aidvisit.store.queries import backup as queries
from aidvisit.store.queries import health
from aidvisit.store.vault import Vault
from sync import clock, log, server


@dataclass(frozen=True, slots=True)
class Restored:
    """`ops`: how many facts it holds, None of a laptop that this key does not open. `epoch`: of a centre."""

    role: config.Role
    made_at: str
    program: str
    ops: int | None
    epoch: str | None


def opener(secret: str) -> Identity:
    """What opens a backup, as somebody typed it. Raises: Problem `recovery-key-mistyped`."""
    return recovery.identity(secret)


def restore(file: Path, secret: str, home: Path, database: str = "") -> Restored:
    """Make an empty folder the home that a backup is of, at this version. `database`: where a PostgreSQL one goes.

    Raises: Problem `backup-not-ours`, `backup-damaged`, `backup-from-future`, `database-needed`,
    `database-not-empty`, `recovery-key-mistyped`, `not-writable`, `disk-full`.
    """
    identity = opener(secret)
    try:
        with file.open("rb") as held:
            unpacked = backup_file.unpack(held, identity, home)
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise Problem("no-such-file", path=str(file)) from None
    settings = _settled(home, unpacked, database)
    vault = Vault(home)
    if vault.exists and recovery.looks_like_recovery(secret):
        vault.recover(secret)  # it may be for another key than the laptop's own: then its people open it
    ops, epoch = (None, None) if vault.locked else _begun(settings, unpacked, vault)
    return Restored(settings.role, unpacked.header["made_at"], unpacked.header["program"], ops, epoch)


def _settled(home: Path, unpacked: Unpacked, database: str) -> Settings:
    """Settings as they were, but for the database, which is this home's own now."""
    values = config.values_of(home)
    values.pop("database", None)
    role: config.Role = "central" if values.pop("role") == "central" else "field"
    if unpacked.header["database"] == "postgresql":
        if not database.startswith("postgres"):
            raise Problem("database-needed")
        values["database"] = database
    return config.write(home, role=role, **values)


def _begun(settings: Settings, unpacked: Unpacked, vault: Vault) -> tuple[int, str | None]:
    """The database, filled and brought up to date: (ops, epoch).

    A centre that goes on from an old moment under its old epoch would give numbers twice (protocol, section 2).
    """
    engine = open_engine(settings.database_url, vault)
    try:
        if unpacked.header["database"] == "postgresql":
            if not snapshot.is_empty(engine):
                raise Problem("database-not-empty", database=engine.url.render_as_string())
            snapshot.load(engine, settings.home, unpacked.header["revision"])
            snapshot.clear(settings.home)
        with viewing(engine) as conn:
            wrong = health.broken_pages(conn)
        if wrong:
            raise backup_file.damaged(wrong[0], wrong[0])
        migrations.migrate(engine)
        with writing(engine) as conn:
            log.remember(conn, **{queries.LAST: None, queries.FAILED: None, queries.STARTED: None})
            epoch = server.new_epoch(conn, clock.wall()) if settings.role == "central" else None
            return ledger.count(conn), epoch
    finally:
        engine.dispose()
