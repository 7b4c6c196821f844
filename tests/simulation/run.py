"""One seed, or many with their figures."""

from __future__ import annotations

import sys
import time
from collections import Counter
from random import Random

from tests.simulation.promises import check
from tests.simulation.world import World, repeatable

STEPS = 160


def simulate(seed: int, steps: int = STEPS) -> World:
    """Run one seed and check every promise. A failure says how to repeat it."""
    try:
        with repeatable(Random(f"ids {seed}")):
            world = World(seed)
            world.run(steps)
            world.heal()
        check(world)
    except Exception as error:
        error.add_note(f"to repeat: python -m tests.simulation --seed {seed} --steps {steps}")
        raise
    return world


def many(first: int, minutes: float, steps: int = STEPS) -> Counter[str]:
    """As many seeds as fit into the time; counts of everything."""
    end, counts, seed = time.monotonic() + 60 * minutes, Counter[str](), first
    while time.monotonic() < end:
        world = simulate(seed, steps)
        counts += world.weather.counts
        counts["seeds"] += 1
        counts["laptops"] += len(world.laptops)
        seed += 1
        if sys.stdout.isatty():
            sys.stdout.write(f"\r{counts['seeds']} seeds")
    return counts
