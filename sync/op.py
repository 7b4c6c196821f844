"""The op: one immutable fact, its canonical bytes, digest and place in the chain (docs/protocol.md section 1)."""

from __future__ import annotations

import json
import os
import re
import threading
import time
import uuid
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


FIELDS = tuple(Op.__slots__)
TRAVELLING = tuple(f for f in FIELDS if f not in ("device", "seq"))


def canonical(op: Op) -> bytes:
    """RFC 8785 bytes over the nine fields."""
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
    where = f"op {op.seq}: "
    for field in ("device", "actor", "subject"):
        if not is_uuid(getattr(op, field)):
            raise malformed(f"{where}{field} is not a UUID in lower case with hyphens")
    for field in ("seq", "v"):
        value = getattr(op, field)
        if type(value) is not int or not 1 <= value <= MAX_INT:
            raise malformed(f"{where}{field} is not a whole number of 1 or more")
    for field in ("stream", "kind"):
        text: object = getattr(op, field)
        if not isinstance(text, str) or not text:
            raise malformed(f"{where}{field} is not a text")
    if not clock.is_hlc(op.hlc):
        raise malformed(f"{where}hlc is not YYYYMMDDTHHMMSSmmmZ-cccc of a real date")
    if not isinstance(op.body, dict):
        raise malformed(f"{where}body is not an object")
    _check_text(op.stream, where + "stream")
    _check_text(op.kind, where + "kind")
    _check_value(op.body, where + "body", 2)  # the op itself is the first level
    data = canonical(op)
    if len(data) > MAX_BYTES:
        raise malformed(f"{where}{len(data)} canonical bytes, at most {MAX_BYTES}")
    return data


def is_text(text: str) -> bool:
    """Whether a text can be stored and sent: no U+0000, no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _check_text(text: str, where: str) -> None:
    if not is_text(text):
        raise malformed(f"{where} holds U+0000 or a lone surrogate")


def _check_value(value: object, where: str, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value, where)
    elif value is None or isinstance(value, bool):
        return
    elif isinstance(value, int):
        if abs(value) > MAX_INT:
            raise malformed(f"{where} is a number beyond ±(2^53 − 1)")
    elif isinstance(value, (dict, list)):
        if depth > MAX_DEPTH:
            raise malformed(f"{where} is nested deeper than {MAX_DEPTH} levels")
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            if isinstance(value, dict):
                if not isinstance(key, str):
                    raise malformed(f"{where} has a key that is not a text")
                _check_text(key, where)
            _check_value(inner, f"{where}.{key}", depth + 1)
    else:
        raise malformed(f"{where} is {type(value).__name__}, which JSON ops do not hold")


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
