"""`python -m tests.simulation [--minutes 8 | --seed N] [--first N] [--steps N]`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from tests.simulation.run import STEPS, many, simulate

parser = ArgumentParser(prog="python -m tests.simulation")
parser.add_argument("--minutes", type=float, default=1.0)
parser.add_argument("--first", type=int, default=1000)
parser.add_argument("--seed", type=int)
parser.add_argument("--steps", type=int, default=STEPS)
arguments = parser.parse_args()
if arguments.seed is not None:
    counts = simulate(arguments.seed, arguments.steps).weather.counts
else:
    counts = many(arguments.first, arguments.minutes, arguments.steps)
for name, count in sorted(counts.items()):
    sys.stdout.write(f"{count:8} {name}\n")
