"""`make bench`: a small table of what things cost, as ratios to a floor of the same run."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import bytes as sizes
from benchmarks import encryption, house, processes, push
from benchmarks.figure import Figure


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from house.writes(folder / "writes")
        yield from encryption.costs(folder / "encryption")
        yield from push.figures(folder / "push")
        yield from sizes.figures(folder / "bytes")
    yield from processes.start_up()


def main() -> int:
    print(f"{'':44}{'ours':>12}{'floor':>12}")
    for figure in figures():
        name, ours, floor, said = figure.row()
        print(f"{name:44}{ours:>12}{floor:>12}   {said}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
