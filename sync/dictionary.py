"""The coding of our own two ends, `aid-N`: what is lifted out as bytes, then zstd with dictionary N (section 7).

A side packs so only where it knows that the other side reads it; every other side is met with plain zstd or gzip.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import zstandard

from sync import lifting
from sync.op import malformed

NEWEST = 1
"""Whoever knows N knows all before it: the dictionaries are numbered 1 … NEWEST, and none is ever taken away."""
MAX_WINDOW = 8 * 1024 * 1024
THOROUGH, QUICK = 19, 6
MOST_THOROUGH = 512 * 1024  # bytes: a tenth of a second, for a twentieth fewer of them
_CODING = re.compile(r"aid-([0-9]{1,4})")


def coding(number: int) -> str:
    """Its name in Content-Encoding."""
    return f"aid-{number}"


def number_of(coding: str) -> int | None:
    """The dictionary that a Content-Encoding names, if it is known here."""
    found = _CODING.fullmatch(coding)
    return int(found[1]) if found and 1 <= int(found[1]) <= NEWEST else None


def common(told: object) -> int:
    """The newest that this side and one that said `told` both know; 0 for none."""
    return min(told, NEWEST) if type(told) is int and told > 0 else 0


def pack(text: bytes, number: int) -> bytes:
    """A JSON text in the coding `aid-number`. Raises: ValueError for one that holds control characters."""
    rest, beside = lifting.lift(text)
    level = THOROUGH if len(rest) <= MOST_THOROUGH else QUICK
    packer = zstandard.ZstdCompressor(level=level, dict_data=_trained(number, level))
    return lifting.join(packer.compress(rest), beside)


def unpack(data: bytes, number: int, limit: int) -> bytes:
    """The text again, never much more of it than `limit` bytes. Raises: Problem `malformed`."""
    try:
        packed, beside = lifting.part(data)
        text = inflate(packed, _decompressor(number), limit)
        return text if len(text) > limit else lifting.lower(text, beside, limit)
    except ValueError as error:
        raise malformed("the packed body is damaged") from error


def inflate(data: bytes, unpacker: zstandard.ZstdDecompressor, limit: int) -> bytes:
    """One zstd frame, unpacked; more than `limit` bytes, but not much more, when there were more.

    Raises: Problem `malformed`.
    """
    stream = unpacker.decompressobj()
    plain = bytearray()
    try:
        # A few bytes can inflate to 128 KiB: small steps in, so that a bomb is noticed before it has gone off.
        for start in range(0, len(data), 64):
            plain += stream.decompress(data[start : start + 64])
            if len(plain) > limit:
                return bytes(plain)
            if stream.eof:
                break
    except zstandard.ZstdError as error:
        raise malformed("the zstd body is damaged") from error
    if not stream.eof:
        raise malformed("the zstd body is cut short")
    return bytes(plain)


@cache
def _trained(number: int, level: int = 0) -> zstandard.ZstdCompressionDict:
    made = zstandard.ZstdCompressionDict(files("sync").joinpath("data", f"dictionary-{number}.zstd").read_bytes())
    if level:
        made.precompute_compress(level=level)
    return made


def _decompressor(number: int) -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor(dict_data=_trained(number), max_window_size=MAX_WINDOW)
