"""Waiting for the thing itself."""

from __future__ import annotations

import time
from collections.abc import Callable


def soon(is_so: Callable[[], object], within_s: float = 5) -> bool:
    """Whether it becomes so in time; asked again and again until then."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
