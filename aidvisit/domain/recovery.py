"""Recovery keys: what people write on paper, and the X25519 pair that it stands for.

One key opens a laptop whose passwords are lost (store/vault.py) and the backups made for it (docs/operations.md): as an
age identity (https://age-encryption.org/v1: X25519, written in Bech32, BIP 173).
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pyrage.x25519 import Identity, Recipient

from aidvisit.errors import Problem
from sync.age import recipient_of
from sync.identity import CROCKFORD, plain_code

RECOVERY_BYTES = 20
GROUP = 4
"""A recovery key: 160 random bits and 20 bits of their SHA-256, as nine groups of four in Crockford's base32."""

_INFO = b"aidvisit-vault-1 recovery "
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def recovery_text(seed: bytes) -> str:
    """A recovery key as people write it down; the last group tells a slip of the pen."""
    number = int.from_bytes(seed + sha256(seed).digest()[:3]) >> 4
    letters = "".join(CROCKFORD[number >> shift & 31] for shift in range(35 * 5, -1, -5))
    return "-".join(letters[start : start + GROUP] for start in range(0, 36, GROUP))


def recovery_seed(text: str) -> bytes:
    """The random half of a recovery key. Raises: Problem `recovery-key-mistyped`."""
    letters = plain_code(text)
    if looks_like_recovery(text):
        number = 0
        for letter in letters:
            number = number << 5 | CROCKFORD.index(letter)
        seed = (number >> 20).to_bytes(RECOVERY_BYTES)
        if recovery_text(seed).replace("-", "") == letters:
            return seed
    raise Problem("recovery-key-mistyped")


def looks_like_recovery(text: str) -> bool:
    """Whether somebody typed a recovery key, right or wrong, and not a password."""
    letters = plain_code(text)
    return len(letters) == 36 and set(letters) <= set(CROCKFORD)


def pair(seed: bytes) -> X25519PrivateKey:
    """The pair that a recovery key stands for; its private half is nowhere but on paper."""
    return X25519PrivateKey.from_private_bytes(sha256(_INFO + seed).digest())


def identity(text: str) -> Identity:
    """What opens a backup: a recovery key, or an age identity (`AGE-SECRET-KEY-1…`).

    Raises: Problem `recovery-key-mistyped`.
    """
    typed = text.strip()
    if typed.upper().startswith("AGE-SECRET-KEY-1"):
        try:
            return Identity.from_str(typed.upper())
        except Exception as error:
            raise Problem("recovery-key-mistyped") from error
    return Identity.from_str(_bech32("age-secret-key-", pair(recovery_seed(text)).private_bytes_raw()).upper())


def recipient(public: bytes) -> Recipient:
    """Whom a backup is for, by the 32 bytes of a public half."""
    return Recipient.from_str(_bech32("age", public))


def check_recipient(text: str) -> str:
    """An age recipient as it was typed. Raises: Problem `recipient-invalid`."""
    typed = text.strip().lower()
    if recipient_of(typed) is None:
        raise Problem("recipient-invalid")
    return typed


def _bech32(prefix: str, data: bytes) -> str:
    number, bits = int.from_bytes(data), len(data) * 8
    padding = -bits % 5
    number <<= padding
    groups = [number >> shift & 31 for shift in range(bits + padding - 5, -1, -5)]
    spread = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    rest = _checksum([*spread, *groups, 0, 0, 0, 0, 0, 0]) ^ 1
    groups += [rest >> shift & 31 for shift in range(25, -1, -5)]
    return prefix + "1" + "".join(_BECH32[group] for group in groups)


def _checksum(values: list[int]) -> int:
    found = 1
    for value in values:
        top = found >> 25
        found = (found & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                found ^= generator
    return found
