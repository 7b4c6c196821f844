"""Keys, signatures, tokens, one-time codes and receipts (docs/protocol.md sections 1 and 3)."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 10
_LOOKALIKES = str.maketrans("OIL", "011")


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of base64url without padding. Raises: ValueError."""
    if "=" in text or "+" in text or "/" in text:
        raise ValueError("not base64url without padding")
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, UnicodeEncodeError) as error:
        raise ValueError("not base64url") from error
    if encode(data) != text:
        raise ValueError("not base64url")
    return data


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An Ed25519 key pair (RFC 8032); `private` and `public` are the 32 raw bytes in base64url."""

    private: str
    public: str

    @classmethod
    def generate(cls) -> KeyPair:
        return cls.from_private(encode(secrets.token_bytes(32)))

    @classmethod
    def from_private(cls, private: str) -> KeyPair:
        key = Ed25519PrivateKey.from_private_bytes(decode(private))
        return cls(private, encode(key.public_key().public_bytes_raw()))

    def sign(self, text: str) -> str:
        """The signature over the text's ASCII bytes, in base64url."""
        return encode(Ed25519PrivateKey.from_private_bytes(decode(self.private)).sign(text.encode("ascii")))


def is_public_key(text: object) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(decode(text if isinstance(text, str) else ""))
    except ValueError:
        return False
    return True


def verify(public: str, text: str, signature: str) -> bool:
    """Whether `signature` over `text` is by the key `public`; false for anything that is no signature."""
    try:
        Ed25519PublicKey.from_public_bytes(decode(public)).verify(decode(signature), text.encode("ascii"))
    except (InvalidSignature, ValueError):
        return False
    return True


def new_token() -> str:
    """A device token: 256 random bits in base64url."""
    return encode(secrets.token_bytes(32))


def hash_secret(secret: str) -> str:
    """What is stored of a token or a code: SHA-256, in hexadecimal digits."""
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()


def new_code() -> str:
    """A one-time enrolment code: 10 characters of Crockford base32, shown in two halves."""
    code = "".join(secrets.choice(CROCKFORD) for _ in range(CODE_LENGTH))
    return f"{code[:5]}-{code[5:]}"


def plain_code(code: str) -> str:
    """A code as stored: case and hyphens ignored, look-alikes read as Crockford says."""
    return code.replace("-", "").replace(" ", "").upper().translate(_LOOKALIKES)


def push_text(device: str, last_seq: int, head: str) -> str:
    return f"aidvisit-push-1:{device}:{last_seq}:{head}"


def earlier_text(device: str, public_key: str) -> str:
    """What an earlier device's key signs so that whoever has the new key is known to be the same laptop."""
    return f"aidvisit-earlier-1:{device}:{public_key}"


def answer_text(device: str, sha256: str) -> str:
    """What the server signs of an answer by bundle: whose it is, and the hash of what stands behind its header."""
    return f"aidvisit-answer-1:{device}:{sha256}"


def receipt_text(receipt: dict[str, Any]) -> str:
    return f"aidvisit-receipt-1:{receipt['device']}:{receipt['through']}:{receipt['head']}:{receipt['at']}"


def make_receipt(key: KeyPair, device: str, through: int, head: str, at: str) -> dict[str, Any]:
    """The server's signed word that it holds ops 1…`through` of `device`."""
    receipt: dict[str, Any] = {"device": device, "through": through, "head": head, "at": at}
    return {**receipt, "sig": key.sign(receipt_text(receipt))}


def check_receipt(public: str, receipt: dict[str, Any]) -> bool:
    """Whether a receipt is whole and signed by the server's key."""
    if not all(field in receipt for field in ("device", "through", "head", "at", "sig")):
        return False
    return verify(public, receipt_text(receipt), str(receipt["sig"]))
