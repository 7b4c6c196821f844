"""The shortest story that still fails: steps and faults are left out for as long as the same thing goes wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.run import play
from tests.simulation.story import Story

REGRESSIONS = Path(__file__).parent / "regressions.txt"
BUDGET_S = 90.0


@dataclass(frozen=True, slots=True)
class Case:
    """A story as it is kept: one seed, how many steps, what is left out, and what went wrong in words."""

    seed: int
    steps: int | None = None
    left_out: frozenset[str] = frozenset()
    words: str = ""

    def line(self) -> str:
        """As it stands in regressions.txt."""
        steps = ",".join(ranges(int(name) for name in self.left_out if name.isdigit()))
        faults = "; ".join(sorted(name for name in self.left_out if not name.isdigit()))
        return f"{self.seed} | {self.steps or ''} | {steps} | {faults}  # {self.words}".replace("|  |", "| |")

    def play(self, *, files: bool = False) -> Story:
        story = Story(self.seed, self.left_out)
        play(story, steps=self.steps, files=files)
        return story


def read(line: str) -> Case:
    """The reverse of `Case.line`; a seed alone is its whole story."""
    kept, _, words = line.partition("#")
    seed, steps, left_out, faults = ([part.strip() for part in kept.split("|")] + [""] * 3)[:4]
    names = {str(step) for part in left_out.split(",") if part for step in _between(part)}
    names |= {name.strip() for name in faults.split(";") if name.strip()}
    return Case(int(seed), int(steps) if steps else None, frozenset(names), words.strip())


def regressions() -> list[Case]:
    lines = REGRESSIONS.read_text(encoding="utf-8").splitlines()
    return [read(line) for line in lines if line.strip() and not line.startswith("#")]


def ranges(numbers: object) -> list[str]:
    """1, 2, 3, 7 as 1-3, 7."""
    found: list[list[int]] = []
    for number in sorted(numbers):  # type: ignore[call-overload]
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [str(first) if first == last else f"{first}-{last}" for first, last in found]


def _between(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)


def sort_of(error: BaseException) -> str:
    """What went wrong, without the names of who it happened to."""
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {re.sub(r'[0-9a-f-]{6,}|[0-9]+', '…', first)[:60]}"


def shortest(
    seed: int, error: BaseException, *, files: bool = False, budget_s: float = BUDGET_S
) -> tuple[Case, Story, BaseException]:
    """Leave out what is not needed for `error`; (what is left, its story, how it fails)."""
    until, wanted = time.monotonic() + budget_s, sort_of(error)
    best: tuple[Case, Story, BaseException] = (Case(seed), Story(seed), error)

    def fails(left_out: frozenset[str], steps: int) -> bool:
        nonlocal best
        case, story = Case(seed, steps, left_out, wanted), Story(seed, left_out)
        try:
            play(story, steps=steps, files=files)
        except Exception as found:
            if sort_of(found) == wanted:
                best = (case, story, found)
                return True
        return False

    steps = getattr(error, "last_step", 0)
    if not fails(frozenset(), steps):
        return best
    out = _without([str(n) for n in range(1, steps + 1)], frozenset(), lambda left: fails(left, steps), until)
    struck = list(dict.fromkeys(best[1].struck))
    _without(struck, out, lambda left: fails(left, steps), until)
    return best


def _without(
    names: list[str], out: frozenset[str], fails: Callable[[frozenset[str]], bool], until: float
) -> frozenset[str]:
    """Leave out as many of `names` as can be, in ever smaller pieces (Zeller's ddmin, complements only)."""
    left, size = list(names), max(1, len(names) // 2)
    while left and time.monotonic() < until:
        shorter = False
        for start in range(0, len(left), size):
            piece = left[start : start + size]
            if time.monotonic() < until and fails(out | set(piece)):
                out |= set(piece)
                shorter = True
        left = [name for name in left if name not in out]
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return out
