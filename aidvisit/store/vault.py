"""The key of a laptop's encrypted database: random, never stored in the clear, sealed to whoever may open it.

`keys.json` in the home holds one slot for each active person of the laptop's team, as LUKS does, and one for the
recovery key. A slot is the database key sealed (HPKE, RFC 9180, X25519 / HKDF-SHA256 / ChaCha20-Poly1305) to that
person's `key.public`, beside a copy of the private half that only their password unwraps (docs/facts.md, "Stream
team-<id>"). No name stands in the file: a login is kept as a keyed hash.
"""

from __future__ import annotations

import errno
import hmac
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from aidvisit.domain import recovery
from aidvisit.errors import Problem
from sync.identity import decode, encode

FILE = "keys.json"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_INFO = b"aidvisit-vault-1"
_PARTS = {"name", "user", "key", "sealed"}

OpenKey = Callable[[dict[str, Any]], bytes]
"""A person's private half out of their `key`, by the password. Raises: InvalidTag when it is another password."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A person who may open the laptop; `key` as in `user.defined`."""

    user: str
    login: str
    key: dict[str, Any]


class Vault:
    """The vault of one home. Its key is in this object's memory while it is open, and nowhere else.

    `opened_by`: the person whose password opened it, `opened_with`: their `key` as the file has it, which anybody may
    have edited; None with the recovery key.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / FILE
        self._key: bytes | None = None
        self.opened_by: str | None = None
        self.opened_with: dict[str, Any] | None = None
        self._lock = threading.Lock()

    @property
    def exists(self) -> bool:
        """Whether the home's database is encrypted."""
        return self._path.exists()

    @property
    def locked(self) -> bool:
        return self._key is None and self.exists

    @property
    def revoked(self) -> bool:
        """Whether the centre took this laptop out of service: only the recovery key opens it."""
        return self.exists and bool(self._read()["revoked"])

    @property
    def slots(self) -> int:
        """How many people's passwords open it."""
        return len(self._read()["slots"])

    @property
    def openers(self) -> set[str]:
        """Ids of the people whose passwords open it."""
        return {str(slot["user"]) for slot in self._read()["slots"]}

    def key(self) -> bytes:
        """The 32 bytes of the database key. Raises: Problem `locked`, `laptop-revoked`."""
        key = self._key  # another thread may lock meanwhile
        if key is None:
            raise Problem("laptop-revoked" if self.revoked else "locked")
        return key

    def create(self) -> str:
        """Make a key and its file, and leave the vault open; returns the recovery key, which is kept nowhere.

        Raises: Problem `not-writable`, `disk-full`.
        """
        key, seed = secrets.token_bytes(32), secrets.token_bytes(recovery.RECOVERY_BYTES)
        public = recovery.pair(seed).public_key().public_bytes_raw()
        recoverable = {"public": encode(public), "sealed": _seal(key, public)}
        document = {"version": 1, "salt": encode(secrets.token_bytes(16)), "revoked": False}
        self._write(document | {"recovery": recoverable, "slots": []})
        self._key = key
        return recovery.recovery_text(seed)

    def unlock(self, login: str, open_key: OpenKey) -> str | None:
        """Open with one person's password; their id, or None. One key is derived, whether or not there is a slot."""
        document = self._read()
        name = _name(document, login)
        slot = next((one for one in document["slots"] if hmac.compare_digest(one["name"], name)), None)
        shown = slot or next(iter(document["slots"]), None)
        key = self._open(shown, open_key) if shown else None
        if slot is None or key is None:
            return None
        return self._opened(key, slot)

    def unlock_any(self, open_key: OpenKey) -> str | None:
        """Open with a password whose owner was not said: every slot is tried. The id of whose it is, or None."""
        for slot in self._read()["slots"]:
            key = self._open(slot, open_key)
            if key is not None:
                return self._opened(key, slot)
        return None

    def recover(self, text: str) -> bool:
        """Open with the recovery key; false when it is another laptop's.

        Raises: Problem `recovery-key-mistyped`.
        """
        pair = recovery.pair(recovery.recovery_seed(text))
        kept = self._read()["recovery"]
        if encode(pair.public_key().public_bytes_raw()) != kept["public"]:
            return False
        self._key = _SUITE.decrypt(decode(kept["sealed"]), pair, _INFO)
        self.opened_by = self.opened_with = None
        return True

    @property
    def recovery_public(self) -> bytes:
        """The public half of the recovery key, 32 bytes: whom backups are for. Raises: Problem `keys-unreadable`."""
        return decode(self._read()["recovery"]["public"])

    def open_as(self, other: Vault) -> None:
        """Open with the key of another home, of which this one is a copy. Raises: Problem `locked`."""
        self._key = other.key()

    def lock(self) -> None:
        """Drop the key: who has no slot opens nothing."""
        self._key = self.opened_by = self.opened_with = None

    def seal_to(self, holders: Iterable[Holder]) -> bool:
        """One slot for each of these people and for nobody else; whether anything changed.

        Raises: Problem `locked`, `not-writable`, `disk-full`.
        """
        with self._lock:
            key, document = self.key(), self._read()
            if document["revoked"]:
                return False
            held = {slot["user"]: slot for slot in document["slots"]}
            made = (_slot(document, key, holder, held.get(holder.user)) for holder in holders)
            slots = [slot for slot in made if slot]
            if slots == document["slots"]:
                return False
            self._write(document | {"slots": slots})
            return True

    def seal_off(self) -> None:
        """The laptop was revoked: every person's slot goes, the recovery key's stays, and the key is dropped."""
        with self._lock:
            try:
                self._write(self._read() | {"slots": [], "revoked": True})
            finally:
                self.lock()  # also where the disk is full: whoever opens it learns it again with the next sync

    def readmit(self) -> None:
        """The centre took the laptop in again: slots may be made once more. Raises: Problem as `seal_to`."""
        with self._lock:
            self.key()
            self._write(self._read() | {"revoked": False})

    def _opened(self, key: bytes, slot: dict[str, Any]) -> str:
        self._key, self.opened_by, self.opened_with = key, str(slot["user"]), slot["key"]
        return self.opened_by

    def _open(self, slot: dict[str, Any], open_key: OpenKey) -> bytes | None:
        try:
            private = X25519PrivateKey.from_private_bytes(open_key(slot["key"]))
            return _SUITE.decrypt(decode(slot["sealed"]), private, _INFO)
        except (InvalidTag, ValueError):
            return None

    def _read(self) -> dict[str, Any]:
        try:
            document: dict[str, Any] = json.loads(self._path.read_text(encoding="ascii"))
            if document["version"] != 1:
                raise Problem("database-from-future", found=f"{FILE} {document['version']}")
            decode(document["salt"])
            if not all(isinstance(slot, dict) and slot.keys() >= _PARTS for slot in document["slots"]):
                raise LookupError("a slot lacks a part")
            return {part: document[part] for part in ("version", "salt", "revoked", "recovery", "slots")}
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise Problem("keys-unreadable", path=str(self._path)) from error

    def _write(self, document: dict[str, Any]) -> None:
        """Beside, flushed, and renamed: a flat battery leaves the old file or the new one, never half of one."""
        beside = self._path.with_suffix(".tmp")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                json.dump(document, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
            flush_folder(self._path.parent)
        except OSError as error:
            name = "disk-full" if error.errno == errno.ENOSPC else "not-writable"
            raise Problem(name, path=str(self._path.parent)) from error


def _name(document: dict[str, Any], login: str) -> str:
    return hmac.new(decode(document["salt"]), login.strip().encode(), sha256).hexdigest()[:32]


def _slot(document: dict[str, Any], key: bytes, holder: Holder, held: dict[str, Any] | None) -> dict[str, Any]:
    """The slot as it stands when the person's key is the same, sealed anew for a new one.

    Empty when nothing can be sealed to them: a key of another make leaves the others their slots.
    """
    slot = {"name": _name(document, holder.login), "user": holder.user, "key": holder.key}
    try:
        if held is not None and held["key"]["public"] == holder.key["public"]:
            return slot | {"sealed": held["sealed"]}
        return slot | {"sealed": _seal(key, decode(holder.key["public"]))}
    except (LookupError, TypeError, ValueError):
        return {}


def _seal(key: bytes, public: bytes) -> str:
    return encode(_SUITE.encrypt(key, X25519PublicKey.from_public_bytes(public), _INFO))


def flush_folder(folder: Path) -> None:
    """What was renamed in a folder is so after a flat battery too."""
    if os.name != "posix":
        return  # elsewhere a folder cannot be opened, and the rename is journalled
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
