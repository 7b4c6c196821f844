"""The way back from an upgrade: a backup before anything is changed (docs/operations.md, “Upgrades”)."""

from __future__ import annotations

import os
from pathlib import Path

from pyrage.x25519 import Identity
from sqlalchemy import Connection

from aidvisit.config import Settings
from aidvisit.services import backup
from aidvisit.store import backup_file, migrations, snapshot
from aidvisit.store.queries import health
from aidvisit.store.vault import Vault
from sync import clock

FOLDER = "before-upgrades"
KEY = "opens.key"
KEPT = 2


def keep(conn: Connection, found: str, settings: Settings, vault: Vault) -> None:
    """A backup of a database at revision `found`, for a key that lies beside it, for the home has the same data.

    A laptop's database in it is encrypted as it is in the home. Raises: Problem `backup-no-room`, `not-writable`.
    """
    folder = settings.home / FOLDER
    path = folder / f"{found}-to-{migrations.HEAD}-{clock.wall():%Y%m%dT%H%M%SZ}-{os.getpid()}{backup.SUFFIX}"
    with backup.work(settings) as work:
        key = _key(folder)
        backup.check_room(conn, settings, path)
        made = backup.write(conn, settings, vault, path, [key.to_public()], work, clock.wall())
        with made.open("rb") as file:
            unpacked = backup_file.unpack(file, key, work)
        with snapshot.restored(work, unpacked.header, settings.database_url, vault) as copy:
            wrong = health.broken_pages(copy)
        if wrong:
            raise backup_file.damaged(wrong[0], wrong[0])
        made.replace(path)
    for old in sorted(folder.glob(f"*{backup.SUFFIX}"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
        old.unlink(missing_ok=True)


def _key(folder: Path) -> Identity:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / KEY
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return Identity.from_str(path.read_text(encoding="ascii").strip())
    made = Identity.generate()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{made}\n")
        file.flush()
        os.fsync(file.fileno())
    return made
