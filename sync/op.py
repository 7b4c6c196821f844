"""The op: one immutable fact, its canonical bytes, digest and place in the chain (docs/protocol.md section 1)."""

from __future__ import annotations

import json
import os
import re
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn

import rfc8785

from sync import clock
from sync.problem import Problem

ZERO = "00" * 32
MAX_BYTES = 64 * 1024
MAX_DEPTH = 16
MAX_INT = 2**53 - 1
NO_TEXT = " holds U+0000 or a lone surrogate"
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
HEX64 = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Op:
    """The nine fields. `body` is JSON: objects, arrays, strings, integers, booleans, null."""

    device: str
    seq: int
    stream: str
    hlc: str
    actor: str
    kind: str
    v: int
    subject: str
    body: Body

    @property
    def name(self) -> str:
        return f"{self.device}/{self.seq}"


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode

FIELDS = tuple(Op.__slots__)
TRAVELLING = tuple(f for f in FIELDS if f not in ("device", "seq"))


def canonical(op: Op) -> bytes:
    """RFC 8785 bytes over the nine fields.

    The standard library writes them as well, and quickly, where all numbers are integers, but for the order of keys
    beyond the BMP.
    """
    text = _encode({field: getattr(op, field) for field in FIELDS})
    if text.isascii() or len(text.encode("utf-16-le")) == 2 * len(text):  # nothing is beyond the BMP
        return text.encode()
    return rfc8785.dumps({field: getattr(op, field) for field in FIELDS})


def digest_of(op: Op) -> str:
    """SHA-256 of the canonical bytes, as 64 lower-case hexadecimal digits."""
    return sha256(canonical(op)).hexdigest()


def chain(previous: str, digest: str) -> str:
    """`hash(seq) = SHA-256(hash(seq-1) ‖ digest)`; both in and out as hexadecimal digits."""
    return sha256(bytes.fromhex(previous) + bytes.fromhex(digest)).hexdigest()


def malformed(detail: str) -> Problem:
    return Problem("malformed", detail)


def is_uuid(value: object) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def check_op(op: Op) -> bytes:
    """Return the canonical bytes of a well-formed op.

    Raises: Problem `malformed`, which names the op and what is wrong.
    Source: docs/protocol.md section 1, "Well formed".
    """
    wrong = _wrong(op)
    if wrong is not None:
        raise malformed(f"op {op.seq}: {wrong}")
    data = canonical(op)
    if len(data) > MAX_BYTES:
        raise malformed(f"op {op.seq}: {len(data)} canonical bytes, at most {MAX_BYTES}")
    return data


def _wrong(op: Op) -> str | None:
    for name, identity in (("device", op.device), ("actor", op.actor), ("subject", op.subject)):
        if not is_uuid(identity):
            return f"{name} is not a UUID in lower case with hyphens"
    for name, number in (("seq", op.seq), ("v", op.v)):
        if type(number) is not int or not 1 <= number <= MAX_INT:
            return f"{name} is not a whole number of 1 or more"
    texts: tuple[tuple[str, object], ...] = (("stream", op.stream), ("kind", op.kind))
    for name, text in texts:
        if not isinstance(text, str) or not text:
            return f"{name} is not a text"
    if not clock.is_hlc(op.hlc):
        return "hlc is not YYYYMMDDTHHMMSSmmmZ-cccc of a real date"
    body: object = op.body
    if not isinstance(body, dict):
        return "body is not an object"
    parts = (("stream", op.stream), ("kind", op.kind), ("body", body))
    faults = ((name, _fault(value, 2)) for name, value in parts)  # the op itself is the first level
    return next((f"{name}{fault}" for name, fault in faults if fault is not None), None)


def is_text(text: str) -> bool:
    """Whether a text can be stored and sent: no U+0000, no lone surrogate."""
    return (text.isascii() and "\x00" not in text) or _NO_TEXT.search(text) is None


def _fault(value: object, depth: int) -> str | None:
    """What is wrong with a value, after the path to it; None when nothing is."""
    if isinstance(value, str):
        return None if is_text(value) else NO_TEXT
    if isinstance(value, dict):
        return _fault_of_keys(value) or _fault_within(value.items(), depth)
    if isinstance(value, list):
        return _fault_within(enumerate(value), depth)
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if -MAX_INT <= value <= MAX_INT else " is a number beyond ±(2^53 − 1)"
    return f" is {type(value).__name__}, which JSON ops do not hold"


def _fault_of_keys(value: dict[Any, Any]) -> str | None:
    try:
        return None if is_text("".join(value)) else NO_TEXT
    except TypeError:
        return " has a key that is not a text"


def _fault_within(items: Iterable[tuple[object, object]], depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f" is nested deeper than {MAX_DEPTH} levels"
    for key, inner in items:
        if type(inner) is str and inner.isascii() and "\x00" not in inner:  # most are, so this saves a call
            continue
        fault = _fault(inner, depth + 1)
        if fault is not None:
            return f".{key}{fault}"
    return None


def loads(data: bytes) -> Any:
    """Parse JSON as the protocol allows it: UTF-8, no key twice. Which numbers an op may hold, `check_op` says.

    Raises: Problem `malformed`.
    """

    def refuse(text: str) -> NoReturn:
        raise malformed(f"{text} is not JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise malformed("a key stands twice in one object")
        return found

    try:
        return json.loads(data.decode("utf-8"), parse_constant=refuse, object_pairs_hook=unique)
    except UnicodeDecodeError as error:
        raise malformed("not UTF-8") from error
    except RecursionError as error:
        raise malformed(f"nested deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise malformed(f"not JSON: {error}") from error


_last_id = 0
_lock = threading.Lock()


def uuid7() -> str:
    """A new id that sorts by time, strictly rising in this process. Source: RFC 9562 section 5.7."""
    global _last_id
    with _lock:
        ns = time.time_ns()
        stamp = max((ns // 1_000_000 << 12) | (ns % 1_000_000) * 4096 // 1_000_000, _last_id + 1)
        _last_id = stamp
    tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    top = (stamp >> 12 & ((1 << 48) - 1)) << 80
    return str(uuid.UUID(int=top | 7 << 76 | (stamp & 0xFFF) << 64 | 2 << 62 | tail))
