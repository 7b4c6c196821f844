"""Who answered: a server's signature over the asker's nonce and the answer's bytes (docs/protocol.md section 7)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256

from sync import identity

NONCE = "Aidvisit-Nonce"
SIGNATURE = "Aidvisit-Signature"
_NONCE = re.compile(r"[A-Za-z0-9_-]{16}")


def new_nonce() -> str:
    """12 random bytes in base64url: an answer that was recorded earlier fits no nonce of now."""
    return identity.encode(secrets.token_bytes(12))


def is_nonce(text: str) -> bool:
    return _NONCE.fullmatch(text) is not None


def answered_text(nonce: str, body: bytes) -> str:
    """What a server signs; `body` is the answer before it is packed."""
    return f"aidvisit-answered-1:{nonce}:{sha256(body).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Proof:
    """What came with an answer: `text` as the asker knows it, and the signature, None where there was none."""

    text: str
    signature: str | None

    def by(self, public_key: str) -> bool:
        """Whether the holder of this key answered, and answered this request."""
        return self.signature is not None and identity.verify(public_key, self.text, self.signature)
