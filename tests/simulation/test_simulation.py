"""Several laptops and a centre, one thread, one seed: whatever the weather, after it the promises hold.

A few seeds run with every test run. `python -m tests.simulation --minutes 8` runs as many as fit and counts;
`python -m tests.simulation --seed 17` repeats one that failed.
"""

from __future__ import annotations

import pytest

from tests.simulation.promises import check
from tests.simulation.run import simulate

QUICK = range(1, 5)


@pytest.mark.parametrize("seed", QUICK)
def test_the_promises_hold_after_any_weather(seed: int) -> None:
    world = simulate(seed)
    assert world.weather.counts["ops recorded on laptops"] > 10


def test_a_seed_repeats_exactly() -> None:
    first, again = simulate(17, steps=80), simulate(17, steps=80)
    assert first.weather.counts == again.weather.counts
    assert check(first) == check(again)
