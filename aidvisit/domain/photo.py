"""A photo without what it says beside the picture: position, serial numbers, times, thumbnails, films behind it.

Only what a decoder needs is kept, and which way is up. Whoever adds to a format adds what is dropped.
Source: ITU T.81 and Exif 2.32 (JPEG), PNG third edition, RFC 9649 (WebP).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from aidvisit.errors import Problem

MAX_BYTES = 5 * 1024 * 1024
MOST_PIXELS = 20_000
"""Of a side: what is larger is made to fill a viewer's memory."""

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_TABLES = {0xC4, 0xCC, 0xDB, 0xDC, 0xDD}
_SCAN, _END, _JFIF, _EXIF, _ADOBE = 0xDA, 0xD9, 0xE0, 0xE1, 0xEE
_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"}
_PICTURE = {b"VP8 ", b"VP8L", b"ALPH"}
_ALPHA, _HAS_EXIF, _ANIMATED = 0x10, 0x08, 0x02
_ORIENTATION = 0x0112


def cleaned(data: bytes) -> tuple[str, bytes]:
    """(media type, picture). Raises: Problem `invalid-form`, at `photo`: no JPEG, PNG or WebP, cut short, too large."""
    try:
        media_type, clean = _taken_apart(data)
    except (ValueError, IndexError, struct.error) as error:
        raise _refused(
            "这不是完整的 JPEG、PNG 或 WebP 照片。请另选一张,或不附照片。 / "
            "This is no whole JPEG, PNG or WebP photo. Choose another one, or none."
        ) from error
    if len(clean) > MAX_BYTES:
        raise too_large()
    return media_type, clean


def too_large() -> Problem:
    """Raised as well where so much comes that it is not looked at."""
    return _refused(
        "照片太大,最多 5 MB。请用小一点的尺寸再拍。 / The photo has more than 5 MB: take it in a smaller size."
    )


def _refused(words: str) -> Problem:
    return Problem("invalid-form", count=1, errors={"photo": [words]})


def _taken_apart(data: bytes) -> tuple[str, bytes]:
    if data.startswith(_JPEG):
        return "image/jpeg", b"".join(_jpeg(data))
    if data.startswith(_PNG):
        return "image/png", b"".join(_png(data))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", _webp(data)
    raise ValueError("none of the three")


# --- JPEG ------------------------------------------------------------------------------------------------------


def _jpeg(data: bytes) -> Iterator[bytes]:
    """The segments that make the picture, in their order; what follows its end is dropped."""
    kept: list[bytes] = []
    orientation, frames, scans, at = 1, 0, 0, 2
    while True:
        at, marker = _marker(data, at)
        if marker == _END:
            break
        (length,) = struct.unpack_from(">H", data, at)
        body = _part(data, at + 2, length - 2)
        at += length
        if marker == _EXIF and body.startswith(b"Exif\0\0"):
            orientation = _orientation(body[6:])
        frames += marker in _FRAMES
        kept.append(_kept(marker, body))
        if marker == _SCAN:
            end = _end_of_scan(data, at)
            kept.append(data[at:end])
            scans, at = scans + 1, end
    if not (frames and scans):
        raise ValueError("no picture in it")
    yield b"\xff\xd8"
    if orientation != 1:
        yield _segment(_EXIF, b"Exif\0\0" + _exif(orientation))
    yield from kept
    yield b"\xff\xd9"


def _kept(marker: int, body: bytes) -> bytes:
    """What is kept of a segment: all, a part, or nothing."""
    if marker == _JFIF and body.startswith(b"JFIF\0"):
        return _segment(marker, body[:12].ljust(12, b"\0") + b"\0\0")  # without its thumbnail
    if marker == _ADOBE and body.startswith(b"Adobe"):
        return _segment(marker, body[:12])
    if marker in _FRAMES:
        _, high, wide = struct.unpack_from(">BHH", body)
        _check_sides(wide, high)
    return _segment(marker, body) if marker in _FRAMES | _TABLES | {_SCAN} else b""


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """(where its segment begins, the marker) of the marker that stands here; fill bytes may come before it."""
    if data[at] != 0xFF:
        raise ValueError("no marker")
    while data[at] == 0xFF:
        at += 1
    if data[at] == 0 or data[at] == 1 or 0xD0 <= data[at] <= 0xD8:
        raise ValueError("a marker that may not stand here")
    return at + 1, data[at]


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the coded picture ends: at the first marker that is no restart."""
    while True:
        at = data.index(b"\xff", at)
        after = data[at + 1]
        if after == 0 or 0xD0 <= after <= 0xD7:
            at += 2
        elif after == 0xFF:
            at += 1
        else:
            return at


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


# --- PNG -------------------------------------------------------------------------------------------------------


def _png(data: bytes) -> Iterator[bytes]:
    kept: list[bytes] = []
    orientation, pictures, at, kind = 1, 0, len(_PNG), b""
    while kind != b"IEND":
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = _part(data, at + 4, 4), _part(data, at + 8, length)
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        if checksum != zlib.crc32(kind + body):
            raise ValueError("a damaged chunk")
        at += length + 12
        if (kind == b"IHDR") == bool(kept):
            raise ValueError("the header comes first, and once")
        if kind == b"IHDR":
            _check_sides(*struct.unpack_from(">II", body))
        elif kind == b"eXIf":
            orientation = _orientation(body)
        pictures += kind == b"IDAT"
        if kind in _CHUNKS:
            kept.append(_chunk(kind, body))
    if not pictures:
        raise ValueError("no picture in it")
    yield _PNG
    yield kept[0]
    if orientation != 1:
        yield _chunk(b"eXIf", _exif(orientation))
    yield from kept[1:]
    yield _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


# --- WebP ------------------------------------------------------------------------------------------------------


def _webp(data: bytes) -> bytes:
    (size,) = struct.unpack_from("<I", data, 4)
    end, at = 8 + size, 12
    _part(data, 8, size)
    header, picture, orientation = b"", b"", 1
    while at < end:
        kind = _part(data, at, 4)
        (length,) = struct.unpack_from("<I", data, at + 4)
        body = _part(data, at + 8, length)
        at += 8 + length + length % 2
        if kind == b"VP8X":
            if body[0] & _ANIMATED:
                raise ValueError("a film")
            wide, high = (int.from_bytes(body[i : i + 3], "little") + 1 for i in (4, 7))
            _check_sides(wide, high)
            header = body[:10].ljust(10, b"\0")
        elif kind == b"EXIF":
            orientation = _orientation(body.removeprefix(b"Exif\0\0"))
        elif kind in _PICTURE:
            picture += _riff(kind, body)
    if not (b"VP8 " in picture or b"VP8L" in picture):
        raise ValueError("no picture in it")
    if header:
        turned = orientation != 1
        flags = header[0] & _ALPHA | (_HAS_EXIF if turned else 0)
        picture = _riff(b"VP8X", bytes([flags]) + header[1:]) + picture
        picture += _riff(b"EXIF", _exif(orientation)) if turned else b""
    return b"RIFF" + struct.pack("<I", 4 + len(picture)) + b"WEBP" + picture


def _riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


# --- which way is up -------------------------------------------------------------------------------------------


def _orientation(tiff: bytes) -> int:
    """1 to 8, 1 where it is not said in a way that can be read: the picture is then shown as it lies."""
    try:
        order = {b"II": "<", b"MM": ">"}[tiff[:2]]
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, number, value = struct.unpack_from(order + "HHIH", tiff, entry)
            if (tag, kind, number) == (_ORIENTATION, 3, 1):
                return int(value) if 1 <= value <= 8 else 1
    except (KeyError, struct.error):
        pass
    return 1


def _exif(orientation: int) -> bytes:
    """The shortest Exif that says nothing else."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)


def _part(data: bytes, start: int, length: int) -> bytes:
    if length < 0 or start + length > len(data):
        raise ValueError("cut short")
    return data[start : start + length]


def _check_sides(wide: int, high: int) -> None:
    if not (1 <= wide <= MOST_PIXELS and 1 <= high <= MOST_PIXELS):
        raise ValueError("no picture has such sides")
