"""Passwords: argon2id hashes, the key pair that a password unwraps, and a brake on guessing. No SQL."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sync.identity import decode, encode

LEAST_LENGTH = 8
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
FREE_FAILURES = 5
LONGEST_WAIT_S = 15 * 60

# OWASP's argon2id profile for 19 MiB: a laptop of five years ago takes about 50 ms.
_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)


def hash_password(password: str) -> str:
    """The argon2id hash in its PHC form."""
    return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed; as slow when there is no hash, so as not to tell."""
    try:
        _hasher.verify(password_hash or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_hex(16))


def wrapped_key(password: str) -> dict[str, Any]:
    """A new X25519 pair {`public`, `wrapped`, `salt`, `params`}, its private half sealed with the password.

    `wrapped`: 12 bytes of nonce, then ChaCha20-Poly1305 over the 32 private bytes with the public ones as
    associated data; its key is argon2id of the password and `salt`. All base64url.
    Source: docs/facts.md "Stream team-<id>".
    """
    return _wrapped(X25519PrivateKey.generate(), password)


def rewrapped_key(key: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """The same pair sealed with another password. Raises: cryptography's InvalidTag when `old` does not open it."""
    return _wrapped(X25519PrivateKey.from_private_bytes(unwrap_key(key, old)), new)


def _wrapped(pair: X25519PrivateKey, password: str) -> dict[str, Any]:
    public = pair.public_key().public_bytes_raw()
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    params = {"kdf": "argon2id", "m": MEMORY_KIB, "t": PASSES, "p": LANES, "aead": "chacha20-poly1305"}
    sealed = ChaCha20Poly1305(_derive(password, salt, params)).encrypt(nonce, pair.private_bytes_raw(), public)
    return {"public": encode(public), "wrapped": encode(nonce + sealed), "salt": encode(salt), "params": params}


def unwrap_key(key: dict[str, Any], password: str) -> bytes:
    """The 32 private bytes. Raises: cryptography's InvalidTag for another password."""
    sealed = decode(key["wrapped"])
    cipher = ChaCha20Poly1305(_derive(password, decode(key["salt"]), key["params"]))
    return cipher.decrypt(sealed[:12], sealed[12:], decode(key["public"]))


def _derive(password: str, salt: bytes, params: dict[str, Any]) -> bytes:
    return hash_secret_raw(
        password.encode(), salt, time_cost=params["t"], memory_cost=params["m"], parallelism=params["p"],
        hash_len=32, type=Type.ID,
    )  # fmt: skip


@dataclass(slots=True)
class _Tries:
    failures: int = 0
    blocked_until_s: float = 0.0


class Brake:
    """Wrong passwords by login: some are free, then each doubles the wait. Forgotten when the process ends."""

    def __init__(self, most_logins: int = 10_000) -> None:
        self._tries: dict[str, _Tries] = {}
        self._most = most_logins
        self._lock = threading.Lock()

    def wait_s(self, login: str, now_s: float) -> int:
        """Whole seconds until the next try is looked at; 0: now."""
        with self._lock:
            tries = self._tries.get(login)
            return 0 if tries is None else max(0, -int(-(tries.blocked_until_s - now_s) // 1))

    def failed(self, login: str, now_s: float) -> None:
        with self._lock:
            if len(self._tries) >= self._most:
                self._tries.pop(next(iter(self._tries)))
            tries = self._tries.setdefault(login, _Tries())
            tries.failures += 1
            over = tries.failures - FREE_FAILURES
            if over >= 0:
                tries.blocked_until_s = now_s + min(2.0 ** min(over + 1, 20), LONGEST_WAIT_S)

    def succeeded(self, login: str) -> None:
        with self._lock:
            self._tries.pop(login, None)
