"""What a photo says beside the picture is gone, whatever it is and wherever it stands; the picture stays."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidvisit.domain.photo import MAX_BYTES, cleaned
from aidvisit.errors import Problem

SECRET = b"GPS 23.2101N 111.4803E serial 004512"
# A picture of 8 x 8 in one scan; the coded part holds a stuffed FF and a restart.
QUANT = b"\xff\xdb\x00\x43\x00" + bytes(64)
FRAME = b"\xff\xc0\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00"
HUFFMAN = b"\xff\xc4\x00\x14\x00" + bytes(17)
SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x12\xff\x00\x34\xff\xd0\x56"
END = b"\xff\xd9"


def tiff(orientation: int, order: str = ">", extra: bytes = SECRET) -> bytes:
    mark = b"MM\0*" if order == ">" else b"II*\0"
    entries = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    entries += struct.pack(order + "HHII", 0x8825, 4, 1, 38)  # the position
    return mark + struct.pack(order + "IH", 8, 2) + entries + struct.pack(order + "I", 0) + extra


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


NOISE = st.lists(
    st.tuples(
        st.sampled_from([0xFE, *range(0xE0, 0xF0)]),
        st.sampled_from([b"", b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0", b"JFXX\0", b"MPF\0"]),
    ),
    max_size=6,
)
TURNED = st.integers(1, 8)


def jpeg(orientation: int, noise: list[tuple[int, bytes]], order: str = ">", behind: bytes = SECRET) -> bytes:
    exif = segment(0xE1, b"Exif\0\0" + tiff(orientation, order))
    beside = b"".join(segment(marker, head + SECRET) for marker, head in noise if head != b"Exif\0\0" or marker != 0xE1)
    return b"\xff\xd8" + exif + beside + QUANT + FRAME + beside + HUFFMAN + SCAN + HUFFMAN + SCAN + END + behind


@given(TURNED, NOISE, st.sampled_from("<>"))
def test_a_jpeg_keeps_its_picture_and_which_way_is_up(
    orientation: int, noise: list[tuple[int, bytes]], order: str
) -> None:
    media_type, clean = cleaned(jpeg(orientation, noise, order))
    assert media_type == "image/jpeg"
    for secret in (SECRET, b"GPS", b"serial", b"ICC", b"xap"):
        assert secret not in clean
    expected = QUANT + FRAME + HUFFMAN + SCAN + HUFFMAN + SCAN + END
    assert clean.endswith(expected)
    before = clean[2 : -len(expected)]
    assert (orientation == 1) == (b"Exif" not in before)
    if orientation != 1:
        assert cleaned(clean)[1] == clean, "read again it says the same"
        assert before == segment(0xE1, b"Exif\0\0" + tiff_of(orientation))


def tiff_of(orientation: int) -> bytes:
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


@given(TURNED, st.lists(st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"tIME", b"iCCP", b"acTL", b"fdAT", b"prVt"])))
def test_a_png_keeps_its_picture_and_which_way_is_up(orientation: int, noise: list[bytes]) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    picture = chunk(b"IDAT", zlib.compress(bytes(72)))
    beside = b"".join(chunk(kind, SECRET) for kind in noise)
    exif, end = chunk(b"eXIf", tiff(orientation)), chunk(b"IEND", b"")
    sign = b"\x89PNG\r\n\x1a\n"
    media_type, clean = cleaned(sign + header + beside + exif + picture + beside + end + SECRET)
    up = b"" if orientation == 1 else chunk(b"eXIf", tiff_of(orientation))
    assert (media_type, clean) == ("image/png", sign + header + up + picture + end)


@given(TURNED, st.lists(st.sampled_from([b"XMP ", b"ICCP", b"odd!"])), st.booleans())
def test_a_webp_keeps_its_picture_and_which_way_is_up(orientation: int, noise: list[bytes], alpha: bool) -> None:
    picture = riff(b"VP8 ", b"\x30\x01\x00\x9d\x01\x2a\x08\x00\x08\x00picture")
    beside = b"".join(riff(kind, SECRET) for kind in noise)
    extended = riff(b"VP8X", bytes([0x2C | (0x10 if alpha else 0)]) + bytes(3) + b"\x07\0\0\x07\0\0")
    exif = riff(b"EXIF", tiff(orientation))
    body = b"WEBP" + extended + beside + picture + exif + beside
    media_type, clean = cleaned(b"RIFF" + struct.pack("<I", len(body)) + body + SECRET)
    turned = orientation != 1
    flags = (0x10 if alpha else 0) | (0x08 if turned else 0)
    expected = b"WEBP" + riff(b"VP8X", bytes([flags]) + bytes(3) + b"\x07\0\0\x07\0\0") + picture
    expected += riff(b"EXIF", tiff_of(orientation)) if turned else b""
    assert (media_type, clean) == ("image/webp", b"RIFF" + struct.pack("<I", len(expected)) + expected)


def _anything(data: bytes) -> None:
    try:
        clean = cleaned(data)[1]
    except Problem as problem:
        refused = problem
    else:
        assert cleaned(clean)[1] == clean
        return
    assert (refused.name, list(refused.members["errors"])) == ("invalid-form", ["photo"])


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBP"]))
def test_any_bytes_are_a_photo_or_refused(data: bytes, start: bytes) -> None:
    _anything(start + data)


@given(st.integers(0, 1000), st.integers(0, 255), st.integers(0, 1000))
def test_a_damaged_photo_is_clean_or_refused(at: int, value: int, length: int) -> None:
    whole = jpeg(6, [(0xE2, b"ICC_PROFILE\0")])
    _anything((whole[:at] + bytes([value]) + whole[at + 1 :])[: length or None])


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"<svg/>", b"%PDF", b"\0\0\0\x1cftypheic", b"\xff\xd8\xff\xd9", jpeg(1, [], behind=b"")[:-20]],
)
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    with pytest.raises(Problem) as refused:
        cleaned(data)
    assert "JPEG" in refused.value.members["errors"]["photo"][0]


def test_five_megabytes_and_no_more() -> None:
    start, end = b"\xff\xd8" + QUANT + FRAME + HUFFMAN + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00", END
    room = MAX_BYTES - len(start) - len(end)
    assert len(cleaned(start + bytes(room) + end)[1]) == MAX_BYTES
    with pytest.raises(Problem) as refused:
        cleaned(start + bytes(room + 1) + end)
    assert "5 MB" in refused.value.members["errors"]["photo"][0]
