"""What a laptop is invited with: where the centre is, a one-time code, and by which key the centre is known.

As text, and in the QR code of a printed card: `aidvisit:enrol?server=…&code=…&key=…`, every value percent-encoded;
`key` is the fingerprint of the server's key (docs/protocol.md section 7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from urllib.parse import parse_qs, quote, urlsplit

from sync import identity
from sync.problem import Problem

PREFIX = "aidvisit:enrol?"
LONGEST = 2000
GROUPS = 8
_READ = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Invitation:
    """`server`: its address. `code`: as it is shown. `fingerprint`: of the server's key, 43 characters."""

    server: str
    code: str
    fingerprint: str

    def text(self) -> str:
        return f"{PREFIX}server={quote(self.server, safe='')}&code={quote(self.code, safe='')}&key={self.fingerprint}"


def parse(text: str) -> Invitation:
    """The invitation that a text holds; blanks around it go. Raises: Problem `invitation-invalid`."""
    text = text.strip()
    if not text.startswith(PREFIX) or len(text) > LONGEST:
        raise Problem("invitation-invalid")
    try:
        found = parse_qs(text.removeprefix(PREFIX), strict_parsing=True, max_num_fields=20, errors="strict")
        values = [found[name] for name in ("server", "code", "key")]
    except (ValueError, KeyError):
        raise Problem("invitation-invalid") from None
    if any(len(given) != 1 for given in values):
        raise Problem("invitation-invalid")
    server, code, key = (given[0] for given in values)
    if not (is_address(server) and is_code(code) and is_fingerprint(key)):
        raise Problem("invitation-invalid")
    return Invitation(server, code, key)


def is_address(url: str) -> bool:
    """Whether a text is a server's address: http or https, a host, nobody's name and password."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False
    plain = url.isprintable() and not re.search(r"[\s\\]", url) and not parts.query and not parts.fragment
    return parts.scheme in ("http", "https") and named and plain


def is_code(text: str) -> bool:
    """Whether a text may be a one-time code; only the server knows whether it is one."""
    plain = identity.plain_code(text)
    return len(plain) == identity.CODE_LENGTH and set(plain) <= set(identity.CROCKFORD)


def fingerprint(public_key: str) -> str:
    """Of a server's key: SHA-256 over its 32 raw bytes, in base64url (43 characters)."""
    return identity.encode(sha256(identity.decode(public_key)).digest())


def is_fingerprint(text: str) -> bool:
    try:
        return len(identity.decode(text)) == 32
    except ValueError:
        return False


def in_groups(fingerprint_: str) -> str:
    """A fingerprint for people to read aloud: its first 128 bits as 8 groups of 4 hexadecimal digits."""
    digits = identity.decode(fingerprint_).hex()
    return " ".join(digits[at : at + 4] for at in range(0, GROUPS * 4, 4))


def read_fingerprint(text: str) -> str:
    """What somebody typed: the 43 characters as they are, or the groups, blanks and hyphens ignored.

    Raises: Problem `fingerprint-invalid`.
    """
    text = text.strip()
    if is_fingerprint(text):
        return text
    digits = re.sub(r"[\s-]", "", text).lower()
    if not _READ.fullmatch(digits):
        raise Problem("fingerprint-invalid")
    return digits


def is_of(fingerprint_: str, public_key: str) -> bool:
    """Whether a fingerprint, whole or as people read it, is that of a key."""
    whole = fingerprint(public_key)
    right = in_groups(whole).replace(" ", "") if _READ.fullmatch(fingerprint_) else whole
    return compare_digest(fingerprint_.encode(), right.encode())
