"""`python -m tests.torture [--kills 500] [--seed 1]`: prints how often each step was hit."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser

from tests.support import postgres
from tests.torture.points import POINTS
from tests.torture.run import torture
from tests.torture.world import Broken


def main() -> int:
    parser = ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("--kills", type=int, default=max(500, 20 * len(POINTS)))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    postgres.reserve()
    began = time.monotonic()
    try:
        hits = torture(arguments.kills, arguments.seed, lambda line: print(line, flush=True))
    except Broken as broken:
        print(f"BROKEN: {broken}", file=sys.stderr)
        return 1
    finally:
        postgres.remove()
    for point in POINTS:
        print(f"{hits[point.name]:5}  {point.side:9} {point.name}")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"{hits.total():5}  kills in {time.monotonic() - began:.0f} s (load {load:.1f}): nothing acknowledged lost, "
          "nothing doubled, verify clean each time, digests equal")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
