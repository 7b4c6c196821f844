"""Identifiers, hashes, keys and clocks out of a JSON text and back: as bytes they take half of what their letters do.

zstd packs a random UUID of 36 letters into some 20 bytes; it holds 16. So a text is parted into what has patterns and
what has none: `lift` puts a control character, which no JSON text holds, in the place of each such value, and the value
as bytes beside the text. One that was there before is named by its number (docs/protocol.md section 7).
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator

from sync import clock

_UUID, _HEX64, _AGAIN, _TIME, _TIMED = 1, 2, 6, 7, 8
_BASE64 = {11: 3, 43: 4, 86: 5}  # letters → mark
_SIZES = {_UUID: 16, _HEX64: 32, 3: 8, 4: 32, 5: 64}
_MARKS = re.compile(rb"[\x01-\x08]")
_VALUES = re.compile(
    rb"(?<![0-9a-f-])(?:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|([0-9a-f]{64}))(?![0-9a-f-])"
    rb'|(?<=")(?:([A-Za-z0-9_-]{86}|[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{11})(?=")|(\d{8}T\d{9}Z)(?=-))'
)
_PLACES = re.compile(rb"\x06([0-9]{1,7})|[\x01-\x05\x07\x08]")


def lift(text: bytes) -> tuple[bytes, bytes]:
    """(the text without, what was lifted out). Raises: ValueError for one that holds marks, which is no JSON."""
    if _MARKS.search(text):
        raise ValueError("a control character in the text")
    beside = bytearray()
    known: dict[bytes, int] = {}
    ms = 0

    def place(found: re.Match[bytes]) -> bytes:
        nonlocal ms
        value, group = found.group(), found.lastindex
        if group == 4:
            try:
                now = clock.parse(value.decode() + "-0000")[0]
            except ValueError:
                return value
            beside.extend(_number(_zigzag(now - ms)))
            ms = now
            return bytes([_TIME])
        if value in known:
            return b"%c%d" % (_AGAIN, known[value])
        mark, raw = _raw(value, group, ms)
        if mark == 0:
            return value
        known[value] = len(known)
        beside.extend(raw)
        return bytes([mark])

    return _VALUES.sub(place, text), bytes(beside)


def _raw(value: bytes, group: int | None, ms: int) -> tuple[int, bytes]:
    """A value's mark and bytes; mark 0 for what only looks like base64url. `ms`: the clock last seen."""
    if group == 1:
        raw = bytes.fromhex(value.replace(b"-", b"").decode())
        if value[14] == ord("7"):  # its first 48 bits are a time (RFC 9562), mostly not far from that clock
            return _TIMED, _number(_zigzag(int.from_bytes(raw[:6], "big") - ms)) + raw[6:]
        return _UUID, raw
    if group == 2:
        return _HEX64, bytes.fromhex(value.decode())
    raw = urlsafe_b64decode(value + b"=" * (-len(value) % 4))
    return (_BASE64[len(value)] if _base64(raw) == value else 0), raw


def lower(text: bytes, beside: bytes, limit: int) -> bytes:
    """What `lift` parted, whole again; stops where it would be longer than `limit` bytes (then the answer is longer).

    Raises: ValueError for what `lift` did not make.
    """
    rest = _Rest(beside)
    known: list[bytes] = []
    pieces: list[bytes] = []
    size = at = 0
    for found in _PLACES.finditer(text):
        pieces += (text[at : found.start()], _value(found, rest, known))
        at = found.end()
        size += len(pieces[-2]) + len(pieces[-1])
        if size > limit:
            return b"".join(pieces)
    if rest.left or _MARKS.search(text, at):
        raise ValueError("places and values do not match")
    return b"".join([*pieces, text[at:]])


def _value(found: re.Match[bytes], rest: _Rest, known: list[bytes]) -> bytes:
    if found[1] is not None:
        if int(found[1]) >= len(known):
            raise ValueError("a value that was not there before")
        return known[int(found[1])]
    mark = found.group()[0]
    if mark == _TIME:
        rest.ms += _zagzig(rest.number())
        return _time(rest.ms)
    if mark == _TIMED:
        value = _uuid(_six(rest.ms + _zagzig(rest.number())) + rest.take(10))
    else:
        value = _LETTERS.get(mark, _base64)(rest.take(_SIZES[mark]))
    known.append(value)
    return value


def _uuid(raw: bytes) -> bytes:
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}".encode()


def _six(ms: int) -> bytes:
    try:
        return ms.to_bytes(6, "big")
    except OverflowError as error:
        raise ValueError("no time of a UUID") from error


def _base64(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


_LETTERS: dict[int, Callable[[bytes], bytes]] = {_UUID: _uuid, _HEX64: lambda raw: raw.hex().encode()}


def _time(ms: int) -> bytes:
    try:
        return clock.stamp(ms, 0).removesuffix("-0000").encode()
    except OverflowError as error:
        raise ValueError("no time of this calendar") from error


class _Rest:
    """The values that were not put back yet, and the last time among them."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self.ms = data, 0, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise ValueError("a value is missing")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self) -> int:
        value, self._at = read_number(self._data, self._at)
        return value


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _zagzig(value: int) -> int:
    return value // 2 if value % 2 == 0 else -(value + 1) // 2


def _number(value: int) -> bytes:
    """A whole number, seven bits a byte, least first (LEB128)."""
    return bytes(_sevens(value))


def _sevens(value: int) -> Iterator[int]:
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and where it ends. Raises: ValueError when it is cut or longer than eight bytes."""
    value = 0
    for shift, byte in enumerate(data[at : at + 8]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, at + shift + 1
    raise ValueError("a number that does not end")


def join(text: bytes, beside: bytes) -> bytes:
    """Both in one: how long the second is, itself, the first."""
    return _number(len(beside)) + beside + text


def part(data: bytes) -> tuple[bytes, bytes]:
    """(text, beside) of `join`. Raises: ValueError."""
    size, at = read_number(data, 0)
    if size > len(data) - at:
        raise ValueError("cut short")
    return data[at + size :], data[at : at + size]
