"""A signature as the page would draw it: one wavy stroke of a pen, made up."""

from __future__ import annotations

import math
import random
from hashlib import sha256

WIDTH, HEIGHT = 480, 176


def signature(chance: random.Random) -> tuple[str, str, bytes]:
    """(SHA-256, media type, bytes) of a signature."""
    waves = [(chance.uniform(8, 28), chance.uniform(0.02, 0.08), chance.uniform(0, 6)) for _ in range(3)]
    points = (
        f"{x},{HEIGHT / 2 + sum(height * math.sin(x * pace + shift) for height, pace, shift in waves):.0f}"
        for x in range(40, WIDTH - 40, 6)
    )
    data = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"><path d="M{" L".join(points)}" '
        'fill="none" stroke="#000" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/></svg>'
    ).encode()
    return sha256(data).hexdigest(), "image/svg+xml", data
