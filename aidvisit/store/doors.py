"""Tries and sessions of one home: a plain file beside the database, for it is needed before that one is unlocked.

Nothing personal stands in it: who tried, and from where, are keyed hashes; of a session's id only the hash is kept.
The file may be lost: then everybody signs in again, and tries are counted from nought.
"""

from __future__ import annotations

import errno
import hmac
import ipaddress
import logging
import math
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

from aidvisit.errors import Problem

FILE: Final = "doors.db"
FREE_TRIES: Final = 5
FREE_TRIES_OF_ADDRESS: Final = 30  # an office shares one
LONGEST_WAIT_S: Final = 15 * 60
FORGOTTEN_AFTER_S: Final = 24 * 60 * 60
LIFETIME_S: Final = 12 * 60 * 60
"""A session ends by then, however busy: a working day."""
SEEN_EVERY_S: Final = 30
CLOCK_MAY_SLIP_S: Final = 60
LOCK_WAIT_S: Final = 10
MOST: Final = 10_000

_SCHEMA = (
    "CREATE TABLE secret (key BLOB NOT NULL)",
    "CREATE TABLE try (who BLOB PRIMARY KEY, failures INTEGER NOT NULL, at REAL NOT NULL) WITHOUT ROWID",
    "CREATE INDEX try_at ON try (at)",
    "CREATE TABLE session (id BLOB PRIMARY KEY, user TEXT NOT NULL, mark TEXT NOT NULL, started REAL NOT NULL,"
    " seen REAL NOT NULL) WITHOUT ROWID",
    "PRAGMA user_version = 1",
)
_VERSION = 1
# Damaged, another kind of file, or tables that are not ours (our statements are right, so SQLITE_ERROR means that).
_BROKEN = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR}

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in. `mark`: what the caller gave; it differs once the session shall not count any more."""

    user: str
    mark: str


class Doors:
    """The doors of one home; may be made as often as one likes, in any process and thread."""

    def __init__(self, home: Path, most: int = MOST) -> None:
        self._path = home / FILE
        self._most = most

    @contextmanager
    def guarded(self, what: str, who: str, address: str | None = None) -> Iterator[bool]:
        """Around one try of a secret: it is counted before it is made, so that a hundred at once are not let through.

        What is raised inside counts as a failure, but for a Problem that says nothing of the secret (a full disk, a
        database that is held, too much to do). No exception: it was right, and the failures before it are forgotten.
        `what`: the kind of door; `who`: the login as typed; `address`: from where, if from elsewhere.
        Yields whether this try is the last that was free: should it fail, there is a wait for the first time.
        Raises: Problem `too-many-sign-ins` (`retry_after` in seconds), `disk-full`, `not-writable`, `database-locked`.
        """
        tries = [(f"{what} {who.strip()}", FREE_TRIES)]
        if address is not None:
            tries.append((f"address {_network(address)}", FREE_TRIES_OF_ADDRESS))
        wait_s, number = self._run(lambda conn: self._reserve(conn, tries))
        if wait_s:
            raise Problem("too-many-sign-ins", retry_after=wait_s)
        try:
            yield number == FREE_TRIES
        except Problem as problem:
            if problem.status >= 500 or problem.kind.retry:
                self._run(lambda conn: _take_off(conn, tries, 1))
            raise
        self._run(lambda conn: _forgive(conn, tries))

    def _reserve(self, conn: sqlite3.Connection, tries: list[tuple[str, int]]) -> tuple[int, int]:
        """Count one failure for each, unless one of them has to wait: (seconds to wait, failures of the first)."""
        now_s = time.time()
        # A clock that was set back: the waits begin now; nobody is let in at once, and nobody is locked out for ever.
        conn.execute("UPDATE try SET at = ? WHERE at > ?", (now_s, now_s))
        conn.execute("DELETE FROM try WHERE at < ?", (now_s - FORGOTTEN_AFTER_S,))
        names = [(_hashed(conn, name), free) for name, free in tries]
        waits_s = [_wait_s(conn, name, free, now_s) for name, free in names]
        if any(waits_s):
            return max(waits_s), 0
        for name, _ in names:
            conn.execute(
                "INSERT INTO try VALUES (?, 1, ?) ON CONFLICT (who) DO UPDATE SET failures = failures + 1, at = ?",
                (name, now_s, now_s),
            )
        (number,) = conn.execute("SELECT failures FROM try WHERE who = ?", names[0][:1]).fetchone()
        conn.execute(
            "DELETE FROM try WHERE who IN (SELECT who FROM try ORDER BY at DESC LIMIT -1 OFFSET ?)", (self._most,)
        )
        return 0, number

    def begin(self, user: str, mark: str) -> str:
        """A new session; its id is for the browser alone. Raises: Problem, as `guarded`."""
        identity, now_s = secrets.token_urlsafe(32), time.time()

        def insert(conn: sqlite3.Connection) -> None:
            conn.execute("DELETE FROM session WHERE started < ?", (now_s - LIFETIME_S,))
            conn.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?)", (_digest(identity), user, mark, now_s, now_s))
            conn.execute(
                "DELETE FROM session WHERE id IN (SELECT id FROM session ORDER BY seen DESC LIMIT -1 OFFSET ?)",
                (self._most,),
            )

        self._run(insert)
        return identity

    def session(self, identity: str, idle_s: int, *, used: bool = True) -> Session | None:
        """The session of that id, unless it ended. `used`: somebody is there now, so it lasts from here on.

        Raises: Problem, as `guarded`.
        """
        now_s = time.time()
        query = "SELECT user, mark, started, seen FROM session WHERE id = ?"
        row = self._run(lambda conn: conn.execute(query, (_digest(identity),)).fetchone(), writes=False)
        if row is None:
            return None
        user, mark, started, seen = row
        # A clock that was set back must not make a session last.
        lasts = -CLOCK_MAY_SLIP_S <= now_s - seen <= idle_s and now_s - started <= LIFETIME_S
        with suppress(Problem):  # a full disk: pages are shown all the same, and what ended is not let in
            if not lasts:
                self.end(identity)
            elif used and now_s - seen > SEEN_EVERY_S:
                update = "UPDATE session SET seen = ? WHERE id = ?"
                self._run(lambda conn: conn.execute(update, (now_s, _digest(identity))))
        return Session(user, mark) if lasts else None

    def end(self, identity: str) -> None:
        """That session is over, in whatever browser its id is. Raises: Problem, as `guarded`."""
        self._run(lambda conn: conn.execute("DELETE FROM session WHERE id = ?", (_digest(identity),)))

    def close(self) -> None:
        """Every session is over, also where a full disk has no room to note it: the laptop was locked or revoked."""
        try:
            self._run(lambda conn: conn.execute("DELETE FROM session"))
        except Problem:
            self._remake()

    def _run(self, work: Callable[[sqlite3.Connection], T], *, writes: bool = True) -> T:
        """One transaction; a file that is no doors file is made anew. Raises: Problem."""
        try:
            try:
                return self._try_to_run(work, writes)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF not in _BROKEN:
                    raise
                logger.warning("%s was broken and is made anew: everybody signs in again", self._path)
                self._remake()
                return self._try_to_run(work, writes)
        except sqlite3.DatabaseError as error:
            raise self._in_words(error) from error
        except OSError as error:
            raise Problem(
                "disk-full" if error.errno == errno.ENOSPC else "not-writable", path=str(self._path)
            ) from error

    def _try_to_run(self, work: Callable[[sqlite3.Connection], T], writes: bool) -> T:
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(self._path, timeout=LOCK_WAIT_S, isolation_level=None)) as conn:
            if conn.execute("PRAGMA user_version").fetchone() != (_VERSION,):
                _make(conn)
            conn.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            result = work(conn)
            conn.execute("COMMIT")
            return result

    def _remake(self) -> None:
        for path in (self._path, self._path.with_name(f"{FILE}-journal")):
            path.unlink(missing_ok=True)

    def _in_words(self, error: sqlite3.DatabaseError) -> Problem:
        match error.sqlite_errorcode & 0xFF:
            case sqlite3.SQLITE_FULL:
                return Problem("disk-full", path=str(self._path))
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return Problem("database-locked", database=str(self._path))
            case _:
                return Problem("not-writable", path=str(self._path))


def _make(conn: sqlite3.Connection) -> None:
    conn.execute("BEGIN IMMEDIATE")
    if conn.execute("PRAGMA user_version").fetchone() == (_VERSION,):
        conn.execute("ROLLBACK")  # another process was first
        return
    for statement in _SCHEMA:
        conn.execute(statement)
    conn.execute("INSERT INTO secret VALUES (?)", (secrets.token_bytes(32),))
    conn.execute("COMMIT")


def _wait_s(conn: sqlite3.Connection, name: bytes, free: int, now_s: float) -> int:
    """Whole seconds until the next try is looked at: 2, 4, 8 … after the free ones."""
    row = conn.execute("SELECT failures, at FROM try WHERE who = ?", (name,)).fetchone()
    if row is None or row[0] < free:
        return 0
    wait_s = min(2.0 ** min(row[0] - free + 1, 20), LONGEST_WAIT_S)
    left_s: float = row[1] + wait_s - now_s
    return max(0, math.ceil(left_s))


def _forgive(conn: sqlite3.Connection, tries: list[tuple[str, int]]) -> None:
    """It was right: forget that person's failures, and at the address no more than those.

    An address would else be washed clean by whoever knows one password.
    """
    row = conn.execute("SELECT failures FROM try WHERE who = ?", (_hashed(conn, tries[0][0]),)).fetchone()
    _take_off(conn, tries, row[0] if row else 1)


def _take_off(conn: sqlite3.Connection, tries: list[tuple[str, int]], failures: int) -> None:
    for name, _ in tries:
        conn.execute("UPDATE try SET failures = failures - ? WHERE who = ?", (failures, _hashed(conn, name)))
    conn.execute("DELETE FROM try WHERE failures <= 0")


def _hashed(conn: sqlite3.Connection, text: str) -> bytes:
    (key,) = conn.execute("SELECT key FROM secret").fetchone()
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")


def _digest(identity: str) -> bytes:
    return sha256(identity.encode("utf-8", "surrogatepass")).digest()


def _network(address: str) -> str:
    """The address, or the /64 that one customer has of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address
