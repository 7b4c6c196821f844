"""`python -m tests.simulation --seed N`, or `--from N --count M`, either with `--files`.

One seed is told with the shortest story that fails, and the line that keeps it in regressions.txt. A range goes on
where it was stopped, until the code changes; `--told FILE …` sums up what such runs have found so far. Exit 1 when a
promise was broken.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path

from tests.simulation.deep import deep, report, run_range, told
from tests.simulation.run import faults, simulate
from tests.simulation.shrink import shortest

parser = ArgumentParser(prog="python -m tests.simulation", description=__doc__)
parser.add_argument("--seed", type=int, help="one seed, with its story when it fails")
parser.add_argument("--story", action="store_true", help="tell the story of a seed that holds, too")
parser.add_argument("--from", type=int, default=1000, dest="start", metavar="N", help="first seed of a range")
parser.add_argument("--count", type=int, default=200, metavar="M", help="how many seeds")
parser.add_argument("--files", action="store_true", help="on SQLite files, as the product writes them")
parser.add_argument("--first", action="store_true", help="stop at the first seed that fails")
parser.add_argument("--jobs", type=int, default=2, help="processes")
parser.add_argument("--told", type=Path, nargs="+", metavar="FILE", help="only say what these files remember")
parser.add_argument("--state", type=Path, help="where a range remembers what is done (build/simulation….json)")


def one(seed: int, files: bool, story: bool) -> int:
    try:
        lived = simulate(seed, files=files)
    except Exception as error:
        case, short, last = shortest(seed, error, files=files)
        sys.stdout.write("\n".join(short.lines) + f"\n{type(last).__name__}: {last}\n{case.line()}\n")
        return 1
    if story:
        sys.stdout.write("\n".join(lived.lines) + "\n")
    sys.stdout.write(f"{dict(faults(lived.counts))}\ntrace {lived.trace()}\n")
    return 0


def main() -> int:
    chosen = parser.parse_args()
    if chosen.told:
        sys.stdout.write(report(told(chosen.told)))
        return 0
    if chosen.seed is not None:
        return one(chosen.seed, chosen.files, chosen.story)
    state = chosen.state or Path("build") / f"simulation-{'files' if chosen.files else 'memory'}.json"
    if chosen.first:
        found = run_range(chosen.start, chosen.count, chosen.files, stop=True)
        sys.stdout.writelines(f"seed {seed} failed: {why}\n" for seed, why in found.failed)
        return 1 if found.failed else 0
    found = deep(chosen.start, chosen.count, files=chosen.files, jobs=chosen.jobs, state=state)
    sys.stdout.write(report(found))
    return 1 if found.failed else 0


if __name__ == "__main__":
    sys.exit(main())
