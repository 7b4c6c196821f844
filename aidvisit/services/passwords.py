"""Passwords: which are taken, their argon2id hashes, and the key pair that one unwraps. No SQL."""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from argon2 import low_level
from argon2.exceptions import HashingError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from aidvisit.errors import Problem
from sync.identity import decode, encode

LEAST_LENGTH: Final = 8
MOST_LENGTH: Final = 256
COMMON: Final = Path(__file__).resolve().parents[1] / "data" / "common_passwords.txt"
AT_ONCE: Final = 2
"""Computations of argon2id at the same time in one process: each holds 64 MiB."""
TURN_COMES_WITHIN_S: Final = 10
HASH_BYTES: Final = 32
MOST_KIB: Final = 1 << 20
MOST_PASSES: Final = 64
"""What a person's key may ask of this machine: whoever made it, a sign-in ends."""
_HASH = re.compile(r"\$argon2id\$v=19\$m=\d{1,6},t=\d{1,2},p=\d\$")  # no more than a gigabyte, whoever wrote it


@dataclass(frozen=True, slots=True)
class Profile:
    """Parameters of argon2id, for the hash as for the key.

    Half a second on a laptop of five years ago, and memory that makes guessing on graphics cards dear (RFC 9106
    section 4 has 64 MiB and 3 passes for its second choice).
    """

    memory_kib: int = 64 * 1024
    passes: int = 8
    lanes: int = 1


PROFILE = Profile()
_turns = threading.BoundedSemaphore(AT_ONCE)


def check(password: str, login: str) -> None:
    """Whether it may become the password of that login. Raises: Problem `weak-password`, why in `reason`.

    Source: OWASP ASVS 5.0 section 6.2: length and known words decide, not kinds of characters.
    """
    plain = _normal(password)
    if len(plain) < LEAST_LENGTH:
        raise _weak(f"不到 {LEAST_LENGTH} 个字符", f"less than {LEAST_LENGTH} characters")
    if len(plain) > MOST_LENGTH:
        raise _weak(f"超过 {MOST_LENGTH} 个字符", f"more than {MOST_LENGTH} characters")
    if plain.casefold() in _common() or len(set(plain)) < 3:
        raise _weak("太常见,很容易猜到", "too common, easy to guess")
    if _normal(login).casefold() in (plain.casefold(), plain.casefold()[::-1]):
        raise _weak("和登录名一样", "the same as the login")


def check_change(old: str, new: str) -> None:
    """Whether a change is one. Raises: Problem `weak-password`."""
    if _normal(old) == _normal(new):
        raise _weak("和现在的一样", "the same as the present one")


def _weak(zh: str, en: str) -> Problem:
    return Problem("weak-password", reason={"zh": zh, "en": en})


@cache
def _common() -> frozenset[str]:
    return frozenset(COMMON.read_text(encoding="utf-8").split())


def made(password: str, wrap: Callable[[], dict[str, Any]] | None = None) -> dict[str, Any]:
    """`password_hash` and `key` (by `wrap`, else a new pair) as a person's fact has them, computed side by side.

    Raises: Problem `too-many-sign-ins`.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:  # argon2 lets other threads run meanwhile
        password_hash = pool.submit(hash_password, password)
        key = pool.submit(wrap or (lambda: wrapped_key(password)))
    return {"password_hash": password_hash.result(), "key": key.result()}


def hash_password(password: str) -> str:
    """The argon2id hash in its PHC form. Raises: Problem `too-many-sign-ins`."""
    with _turn():
        return low_level.hash_secret(
            _bytes(password), secrets.token_bytes(16), time_cost=PROFILE.passes, memory_cost=PROFILE.memory_kib,
            parallelism=PROFILE.lanes, hash_len=HASH_BYTES, type=low_level.Type.ID,
        ).decode("ascii")  # fmt: skip


def matches(password_hash: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed; as slow when there is no hash, so as not to tell.

    Raises: Problem `too-many-sign-ins` when too many others wait for the same.
    """
    known = password_hash is not None and _HASH.match(password_hash) is not None
    shown = password_hash if known and password_hash else _nobodys_hash()
    try:
        with _turn():
            low_level.verify_secret(shown.encode("ascii"), _bytes(password), low_level.Type.ID)
    except VerificationError:
        return False
    return known


def _nobodys_hash() -> str:
    """A hash of nothing, without computing it."""
    salt, tag = (b64encode(secrets.token_bytes(size)).decode("ascii").rstrip("=") for size in (16, HASH_BYTES))
    return f"$argon2id$v=19$m={PROFILE.memory_kib},t={PROFILE.passes},p={PROFILE.lanes}${salt}${tag}"


def wrapped_key(password: str) -> dict[str, Any]:
    """A new X25519 pair {`public`, `wrapped`, `salt`, `params`}, its private half sealed with the password.

    `wrapped`: 12 bytes of nonce, then ChaCha20-Poly1305 over the 32 private bytes with the public ones as
    associated data; its key is argon2id of the password and `salt`. All base64url.
    Raises: Problem `too-many-sign-ins`.
    Source: docs/facts.md "Stream team-<id>".
    """
    return _wrapped(X25519PrivateKey.generate(), password)


def rewrapped_key(key: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """The same pair sealed with another password. Raises: cryptography's InvalidTag when `old` does not open it."""
    return _wrapped(X25519PrivateKey.from_private_bytes(unwrap_key(key, old)), new)


def _wrapped(pair: X25519PrivateKey, password: str) -> dict[str, Any]:
    public = pair.public_key().public_bytes_raw()
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    params = {
        "kdf": "argon2id",
        "m": PROFILE.memory_kib,
        "t": PROFILE.passes,
        "p": PROFILE.lanes,
        "aead": "chacha20-poly1305",
    }
    sealed = ChaCha20Poly1305(_derive(password, salt, params)).encrypt(nonce, pair.private_bytes_raw(), public)
    return {"public": encode(public), "wrapped": encode(nonce + sealed), "salt": encode(salt), "params": params}


def unwrap_key(key: dict[str, Any], password: str) -> bytes:
    """The 32 private bytes. Raises: cryptography's InvalidTag for another password, and for a key that was made
    in a way that this program does not know; Problem `too-many-sign-ins`.
    """
    try:
        sealed, params = decode(key["wrapped"]), key["params"]
        if params["m"] > MOST_KIB or params["t"] > MOST_PASSES:
            raise InvalidTag
        cipher = ChaCha20Poly1305(_derive(password, decode(key["salt"]), params))
        return cipher.decrypt(sealed[:12], sealed[12:], decode(key["public"]))
    except (LookupError, TypeError, ValueError, OverflowError, HashingError) as error:
        raise InvalidTag from error


def _derive(password: str, salt: bytes, params: dict[str, Any]) -> bytes:
    with _turn():
        return low_level.hash_secret_raw(
            _bytes(password), salt, time_cost=params["t"], memory_cost=params["m"], parallelism=params["p"],
            hash_len=32, type=low_level.Type.ID,
        )  # fmt: skip


@contextmanager
def _turn() -> Iterator[None]:
    """One of the few computations at a time; who comes when many wait is sent away instead of filling the memory."""
    if not _turns.acquire(timeout=TURN_COMES_WITHIN_S):
        raise Problem("too-many-sign-ins", retry_after=TURN_COMES_WITHIN_S)
    try:
        yield
    finally:
        _turns.release()


def _normal(password: str) -> str:
    """The same characters are the same password, however a keyboard composes them (NIST SP 800-63B section 3.1.1.2)."""
    return unicodedata.normalize("NFC", password)


def _bytes(password: str) -> bytes:
    return _normal(password).encode("utf-8", "surrogatepass")
