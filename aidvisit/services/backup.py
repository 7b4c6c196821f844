"""Backups of this home: made while it runs, encrypted, and proved by restoring them (ADR 22)."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyrage.x25519 import Identity, Recipient
from sqlalchemy import Connection

from aidvisit import __version__, config
from aidvisit.config import Settings
from aidvisit.domain import recovery
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.services.erasing import write_anew
from aidvisit.services.sync import current_settings, own_device
from aidvisit.services.vault import vault
from aidvisit.store import backup_file, ledger, migrations, snapshot
from aidvisit.store.backup_file import Part, Unpacked, pieces_of
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import backup as queries
from aidvisit.store.queries import health
from aidvisit.store.queries.backup import BackupState, Kept, backup_state
from aidvisit.store.vault import FILE as KEYS
from aidvisit.store.vault import Vault, flush_folder
from sync import clock, log

SUFFIX, UNPROVED = ".aidbackup", ".unproved"
WORK = ".backup-"
LEFT_OVER_S = 24 * 60 * 60
ROOM = 2.5
"""So many times what the database takes must be free: its copy or its file, and what is restored from it."""


def state() -> BackupState:
    with reading() as conn:
        return backup_state(conn, clock.wall())


def new_key(actor: str | None = None) -> tuple[str, str]:
    """A recovery key for backups: (what people write down, its recipient). It is kept nowhere; its public half is."""
    audit.record(actor or own_device(), audit.BACKUP_KEY)
    seed = secrets.token_bytes(recovery.RECOVERY_BYTES)
    recipient = str(recovery.recipient(recovery.pair(seed).public_key().public_bytes_raw()))
    use_key(recipient)
    return recovery.recovery_text(seed), recipient


def use_key(recipient: str) -> str:
    """Backups are for this age recipient from now on. Raises: Problem `recipient-invalid`."""
    checked = recovery.check_recipient(recipient)
    with transaction() as conn:
        log.remember(conn, **{queries.RECIPIENT: checked})
    return checked


def recipient(conn: Connection) -> Recipient:
    """Whom backups are for: who was chosen, else a laptop's recovery key. Raises: Problem `no-backup-key`."""
    chosen = log.recall(conn, queries.RECIPIENT)
    if chosen is not None:
        return Recipient.from_str(chosen)
    if vault().exists:
        return recovery.recipient(vault().recovery_public)
    raise Problem("no-backup-key")


def has_key() -> bool:
    """Whether there is somebody whom backups are for."""
    with reading() as conn:
        return log.recall(conn, queries.RECIPIENT) is not None or vault().exists


def said(actor: str) -> None:
    """Somebody asked for a backup: that is in the audit. Raises: Problem `no-backup-key`, as `audit.record`."""
    with reading() as conn:
        recipient(conn)
    audit.record(actor, audit.BACKUP)


def is_late(found: BackupState) -> bool:
    """Whether the last good one is older than two of them lie apart: whoever looks should know."""
    hours = current_settings().backup_hours
    last = found.last.at if found.last else found.since
    return bool(hours) and clock.wall() - last >= timedelta(hours=2 * hours)


@dataclass(frozen=True, slots=True)
class File:
    """A backup of this node in the folder of backups."""

    name: str
    bytes: int
    at: datetime


def kept() -> list[File]:
    """The latest first; none where the folder cannot be read."""
    settings = current_settings()
    found = []
    for path in settings.backups.glob(f"{_stem(settings, own_device())}*{SUFFIX}"):
        with suppress(OSError):  # it went meanwhile
            status = path.stat()
            found.append(File(path.name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC)))
    return sorted(found, key=lambda one: one.name, reverse=True)


def _stem(settings: Settings, device: str) -> str:
    return f"aidvisit-{settings.role}-{device[-12:]}-"


def make(target: Path | None = None) -> Kept:
    """Write a backup of all there is now, prove it, and remember it; nothing acknowledged before the call is missing.

    `target`: where to; else a name of its own in the folder of backups, where the oldest beyond `backup_keep` then go.
    Raises: Problem `no-backup-key`, `backup-exists`, `backup-no-room`, `backup-not-proved`, `not-writable`, `locked`.
    """
    settings, began = current_settings(), time.monotonic()
    write_anew()  # a copy has free pages, too
    with transaction() as conn:
        for_whom, device = recipient(conn), log.own(conn)
        log.remember(conn, **{queries.STARTED: clock.wall().isoformat()})
    stem = _stem(settings, device)
    path = target or settings.backups / f"{stem}{clock.wall():%Y%m%dT%H%M%SZ}{SUFFIX}"
    try:
        at, size, ops = _written(settings, path, for_whom)
    except Problem as problem:
        _remember(**{queries.FAILED: problem.to_dict() | {"name": problem.name, "at": clock.wall().isoformat()}})
        raise
    made = Kept(str(path), at, size, round(time.monotonic() - began, 1), ops)
    document = {name: getattr(made, name) for name in ("path", "bytes", "seconds", "ops")} | {"at": at.isoformat()}
    _remember(**{queries.LAST: document, queries.FAILED: None})
    if target is None:
        for old in sorted(settings.backups.glob(f"{stem}*{SUFFIX}"))[: -settings.backup_keep]:
            old.unlink(missing_ok=True)
    return made


def _remember(**values: Any) -> None:
    with transaction() as conn:
        log.remember(conn, **values, **{queries.STARTED: None})


def _written(settings: Settings, path: Path, for_whom: Recipient) -> tuple[datetime, int, int]:
    """(of when it is, bytes, ops). For the proof it is also for a key that is forgotten right afterwards."""
    once = Identity.generate()
    with work(settings) as folder:
        with reading() as conn:
            check_room(conn, settings, path)
            at = clock.wall()
            made = write(conn, settings, vault(), path, [for_whom, once.to_public()], folder, at)
            digests, ops = ledger.digest(conn), ledger.count(conn)
        with made.open("rb") as file:
            found = _proved(settings, backup_file.unpack(file, once, folder), folder, digests)
        if found:
            kept = path.with_name(path.name + UNPROVED)
            made.replace(kept)
            raise Problem("backup-not-proved", finding=found[0], findings=found[:20], path=str(kept))
        made.replace(path)
        flush_folder(path.parent)
        return at, path.stat().st_size, ops


def write(
    conn: Connection, settings: Settings, held: Vault, path: Path, recipients: Sequence[Recipient], folder: Path,
    at: datetime,
) -> Path:  # fmt: skip
    """Write what `conn` sees beside `path`, flushed; where it stands. A name of its own: half a file has none.

    Raises: Problem `backup-exists`, `backup-no-room`, `not-writable`.
    """
    if path.exists():
        raise Problem("backup-exists", path=str(path))
    beside = path.with_name(f".{path.name}.part")
    header = {
        "program": __version__, "role": settings.role, "database": conn.dialect.name, "made_at": at.isoformat(),
        "revision": migrations.revision(conn), "encrypted": held.exists,
    }  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            backup_file.write(file, recipients, header, _parts(conn, settings, held, folder), dict)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _in_words(error, path) from error
        raise
    return beside


def _parts(conn: Connection, settings: Settings, held: Vault, folder: Path) -> Iterator[Part]:
    for name in (config.FILE, KEYS):
        if (settings.home / name).exists():
            yield from pieces_of(name, settings.home / name)
    yield from snapshot.parts(conn, folder, held)


def _proved(settings: Settings, unpacked: Unpacked, folder: Path, digests: dict[str, str]) -> list[str]:
    """What is wrong with what was restored, none when all is well."""
    with snapshot.restored(folder, unpacked.header, settings.database_url, vault()) as conn:
        found = health.broken_pages(conn) + ledger.verify(conn, folder)
        if ledger.digest(conn) != digests:
            found.append("digest")
        return found


@contextmanager
def work(settings: Settings) -> Iterator[Path]:
    """A folder in the home, for its owner alone, gone at the end; what a crash left behind goes too."""
    for left in settings.home.glob(f"{WORK}*"):
        if time.time() - left.stat().st_mtime > LEFT_OVER_S:
            shutil.rmtree(left, ignore_errors=True)
    try:
        folder = Path(tempfile.mkdtemp(prefix=WORK, dir=settings.home))
    except OSError as error:
        raise _in_words(error, settings.home) from error
    try:
        yield folder
    except OSError as error:
        raise _in_words(error, folder) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def room_to_replay(conn: Connection, settings: Settings) -> Iterator[Path | None]:
    """Where the log may be replayed to be compared with the tables: a folder in the home, if there is plenty of room.

    None where there is not, or where nothing can be written: then that is done in memory, as much as the tables take.
    """
    with ExitStack() as stack:
        folder = None
        if shutil.disk_usage(settings.home).free > 2 * ROOM * snapshot.size(conn):
            with suppress(Problem):
                folder = stack.enter_context(work(settings))
        yield folder


def check_room(conn: Connection, settings: Settings, path: Path) -> None:
    """Raises: Problem `backup-no-room`, `not-writable`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _in_words(error, path) from error
    size = snapshot.size(conn)
    for folder, needed in ((settings.home, size * ROOM), (path.parent, size)):
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise _no_room(folder, needed, free)


def _no_room(path: Path, needed: float, free: int) -> Problem:
    return Problem("backup-no-room", path=str(path), needed_mb=int(needed / 2**20) + 1, free_mb=free // 2**20)


def _in_words(error: OSError, path: Path) -> Problem:
    if error.errno == errno.ENOSPC:
        free = shutil.disk_usage(path.parent if path.parent.exists() else path.anchor).free
        return _no_room(path.parent, free + 2**20, free)
    return Problem("not-writable", path=str(path.parent))
