"""`python -m tests.torture [--kills 500] [--seed 1]`: prints how often each step was hit.

`python -m tests.torture --forms 50`: the laptop's server and the browser, so often each, while a form is filled in.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from argparse import ArgumentParser
from functools import partial
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support import browser, postgres
from tests.support.nodes import set_up
from tests.torture import form
from tests.torture.points import POINTS
from tests.torture.run import torture
from tests.torture.world import Broken


def main() -> int:
    parser = ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("--kills", type=int, default=max(500, 20 * len(POINTS)))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--forms", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.forms:
        return forms(arguments.forms, arguments.seed)
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


def forms(kills: int, seed: int) -> int:
    """Typed drafts and saved deliveries, through `kills` of the server and as many of the browser."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder)
        try:
            trip, program = set_up(ready), browser.find() or sys.exit(browser.SENTENCE)
            with sync_playwright() as playwright:
                start = partial(form.Browser, playwright, program)
                found = form.strike(start, kills, seed, ready, trip, lambda line: print(line, flush=True))
        except Broken as broken:
            print(f"BROKEN: {broken}", file=sys.stderr)
            return 1
    for what, number in sorted(found.kills.items()):
        print(f"{number:5}  {what}")
    print(f"{found.households:5}  households, each saved once; {found.saved_before} had been saved when the kill came")
    print(f"{found.oldest:5.2f}  s before the kill had been typed the oldest that was gone, "
          f"in {time.monotonic() - began:.0f} s (load {os.getloadavg()[0]:.1f})")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
