"""Opening and locking an encrypted laptop: who knows a password of its team opens it, as `docs/security.md` says."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import current_app

from aidvisit.domain.recovery import looks_like_recovery
from aidvisit.errors import Problem
from aidvisit.services import audit, passwords, sync, upgrade
from aidvisit.services.account import doors
from aidvisit.services.vault import reseal, vault
from aidvisit.store.database import db, reading
from aidvisit.store.queries import account
from aidvisit.store.queries.account import UserRow
from aidvisit.store.vault import Vault

_one = threading.Lock()


def unlock(login: str, password: str, address: str | None = None) -> UserRow:
    """Open the laptop as one person. Raises: Problem `wrong-password`, `too-many-sign-ins`, `laptop-revoked`."""
    if vault().revoked:
        raise Problem("laptop-revoked")
    with _trying("sign-in", login, address):
        found = vault().unlock(login, _with(password))
        if found is None:
            raise Problem("wrong-password")
        return _entered(found)


def unlock_any(secret: str) -> None:
    """Open for a command: by the password of anybody who may, or by the recovery key.

    Raises: Problem `wrong-password`, `too-many-sign-ins`, `recovery-key-mistyped`, `laptop-revoked` for a password.
    """
    if looks_like_recovery(secret):
        _recover(secret)
        return
    if vault().revoked:
        raise Problem("laptop-revoked")
    with _trying("unlock"):
        found = vault().unlock_any(_with(secret))
        if found is None:
            raise Problem("wrong-password")
        _entered(found)


def open_only(held: Vault, secret: str) -> None:
    """Open a vault for a look, by a password or the recovery key: nothing is brought up to date, nobody is told.

    Raises: Problem `wrong-password`, `recovery-key-mistyped`, `keys-unreadable`, `laptop-revoked`.
    """
    if looks_like_recovery(secret):
        if not held.recover(secret):
            raise Problem("wrong-password")
    elif held.revoked:
        raise Problem("laptop-revoked")
    elif held.unlock_any(_with(secret)) is None:
        raise Problem("wrong-password")


def recover(text: str) -> None:
    """Open with the recovery key, for nobody in particular: people then sign in as ever.

    Raises: Problem `recovery-key-mistyped`, `wrong-password`, `too-many-sign-ins`, `laptop-revoked`.
    """
    if vault().revoked:
        raise Problem("laptop-revoked")
    _recover(text)


@contextmanager
def _trying(what: str, who: str = "", address: str | None = None) -> Iterator[None]:
    """One at a time: who is refused after all locks the laptop again, and must not lock out who is right."""
    with doors().guarded(what, who, address), _one:
        yield


def _recover(text: str) -> None:
    with _trying("recover"):
        if not vault().recover(text):
            raise Problem("wrong-password")
    opened()
    audit.attempt(sync.own_device(), audit.RECOVERY)


def opened() -> None:
    """What every start does once the database can be read: bring it up to date, then go on syncing.

    Raises: Problem as `upgrade`, and the laptop is locked again; `database-unreadable` also where there is none: an
    empty new one would leave nobody a slot.
    """
    path = str(db.engine.url.database)
    try:
        if not Path(path).exists():
            raise Problem("database-unreadable", database=path)
        upgrade.upgrade(sync.current_settings(), vault())
    except Problem:
        # Left open, the next sign-in and the next sync would go on with what was not brought up to date.
        lock()
        raise
    sync.take_up()
    try:
        reseal()
    except Problem as problem:  # a full disk, or a list that is being imported, locks nobody out: the next sync does it
        if problem.name not in audit.PASSING:
            raise
    running = sync.agent()
    if running is not None:
        running.poke()


def lock() -> None:
    """锁机: drop the key and end every session; what was recorded is on the disk, encrypted."""
    vault().lock()
    db.engine.dispose()
    doors().close()
    current_app.secret_key = secrets.token_hex(32)


def _entered(identity: str) -> UserRow:
    """Who the database says it is: who left stays outside, and so does who edited the key file to be another."""
    shown = vault().opened_with
    opened()
    with reading() as conn:
        user = account.user(conn, identity)
    if user is None or not user.active or user.key != shown:
        lock()
        raise Problem("wrong-password")
    return user


def _with(password: str) -> Callable[[dict[str, Any]], bytes]:
    return lambda key: passwords.unwrap_key(key, password)
