"""Running numbers as people write them: `1-17、20` for seventeen and one."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ONE = re.compile(r"(\d{1,4})(?:\s*[-–—~至到]\s*(\d{1,4}))?")


def numbers(text: str) -> list[int] | None:
    """Each number that a text names, once, in order; None of a text that is not read. An empty one names none."""
    found: set[int] = set()
    for part in filter(None, (one.strip() for one in re.split(r"[,,、;;]", text))):
        one = _ONE.fullmatch(part)
        if one is None or not 1 <= int(one[1]) <= int(one[2] or one[1]):
            return None
        found.update(range(int(one[1]), int(one[2] or one[1]) + 1))
    return sorted(found)


def spans(wanted: Iterable[int]) -> str:
    """The shortest text that names these numbers."""
    runs: list[list[int]] = []
    for number in sorted(set(wanted)):
        if runs and runs[-1][-1] + 1 == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
