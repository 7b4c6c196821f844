"""What one seed decides, step by step, so that a failing seed can be told again with some of it left out.

Every step draws from generators of its own, and every fault from a hash of its own name. What is left out
therefore changes nothing that comes after it but by its consequences.
"""

from __future__ import annotations

import uuid
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from random import Random
from typing import Any


def _even(number: int) -> int:
    """32 bits that look random, of 32 that are alike: the end of MurmurHash3, for a digest costs too much here."""
    number = (number ^ number >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    number = (number ^ number >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return number ^ number >> 16


@dataclass
class Story:
    """`left_out`: names of steps (`17`) and of faults (`17 reply lost 1`) that do not happen this time."""

    seed: int
    left_out: frozenset[str] = frozenset()
    step: int = 0
    random: Random = field(default_factory=Random)
    ids: Random = field(default_factory=Random)
    calm: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    _sites: Counter[str] = field(default_factory=Counter)
    _trace: Any = field(default_factory=blake2b)

    def turn(self, step: int) -> None:
        """A step begins."""
        self.step = step
        self.random, self.ids = Random(f"{self.seed} {step}"), Random(f"{self.seed} {step} ids")
        self._sites.clear()

    def goes(self, step: int) -> bool:
        return str(step) not in self.left_out

    def strikes(self, what: str, chance: float) -> bool:
        """Whether this fault happens at this place."""
        if self.calm or chance <= 0:
            return False
        self._sites[what] += 1
        name = f"{self.step} {what} {self._sites[what]}"
        if _even(zlib.crc32(name.encode(), self.seed)) >= chance * 2**32 or name in self.left_out:
            return False
        self.counts[what] += 1
        self.struck.append(name)
        self.tell(f"! {what}")
        return True

    def tell(self, line: str) -> None:
        """A line of the story; the trace is the hash of all of them."""
        self.lines.append(f"{self.step:4} {line}")
        self._trace.update(self.lines[-1].encode())

    def trace(self) -> str:
        return str(self._trace.copy().hexdigest()[:32])

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.ids.getrandbits(128), version=4))

    @contextmanager
    def calmly(self) -> Iterator[None]:
        """What the world itself does, without weather."""
        before, self.calm = self.calm, True
        try:
            yield
        finally:
            self.calm = before
