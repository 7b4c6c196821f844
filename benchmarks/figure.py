"""One measured thing beside its floor, and how both are timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds of ours and of the floor; or, without a floor, a value with its unit and the bound it must keep."""

    name: str
    value: float
    unit: str = "ms"
    floor: float | None = None
    bound: float | None = None

    def row(self) -> tuple[str, str, str, str]:
        """Name, ours, floor, and what they say together."""
        ours = f"{self.value:.3g} {self.unit}"
        if self.floor is not None:
            return self.name, ours, f"{self.floor:.3g} {self.unit}", f"× {self.value / self.floor:.1f}"
        kept = "" if self.bound is None else ("kept" if self.value <= self.bound else "OVER")
        return self.name, ours, "" if self.bound is None else f"≤ {self.bound:g} {self.unit}", kept


def timed_ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def median_ms(work: Callable[[], object], times: int = 50) -> float:
    """Median of `times` runs, after one that warms up."""
    work()
    return median(timed_ms(work) for _ in range(times))
