"""A signature as a pen would leave it: a small PNG of a wavy stroke, drawn without any library."""

from __future__ import annotations

import math
import random
import struct
import zlib
from hashlib import sha256

WIDTH, HEIGHT, STEPS = 240, 80, 500


def signature(chance: random.Random) -> tuple[str, str, bytes]:
    """(SHA-256, media type, bytes) of a made-up signature."""
    rows = [bytearray(b"\xff" * WIDTH) for _ in range(HEIGHT)]
    waves = [(chance.uniform(4, 14), chance.uniform(0.03, 0.12), chance.uniform(0, 6)) for _ in range(3)]
    for step in range(STEPS):
        x = 20 + step * (WIDTH - 40) / STEPS
        y = HEIGHT / 2 + sum(height * math.sin(x * pace + shift) for height, pace, shift in waves)
        for dx in (0, 1):
            for dy in (0, 1):
                if 0 <= int(y) + dy < HEIGHT:
                    rows[int(y) + dy][int(x) + dx] = 20
    data = _png(b"".join(b"\0" + bytes(row) for row in rows))
    return sha256(data).hexdigest(), "image/png", data


def _png(raw: bytes) -> bytes:
    """Greyscale, 8 bits a pixel. Source: W3C PNG specification."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
