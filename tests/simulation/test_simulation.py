"""Several laptops and a centre, one thread, one seed: whatever the weather, after it the promises hold.

`python -m tests.simulation --seed 17` repeats one that failed and tells its shortest story; `make deep` runs many.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.run import play, simulate
from tests.simulation.shrink import Case, ranges, read, regressions, shortest
from tests.simulation.story import Story

SEEDS, PART = 200, 5
ON_FILES = (7, 8)


def test_what_failed_once_holds() -> None:
    for case in regressions():
        case.play()


@pytest.mark.parametrize("first", range(1, SEEDS + 1, PART))
def test_the_promises_hold_after_any_weather(first: int) -> None:
    for seed in range(first, first + PART):
        simulate(seed)


@pytest.mark.parametrize("seed", ON_FILES)
def test_the_promises_hold_on_files(seed: int) -> None:
    simulate(seed, files=True)


def test_a_seed_repeats_exactly_in_another_process() -> None:
    """Whatever order Python gives its sets there."""
    command = [sys.executable, "-m", "tests.simulation", "--seed", "17"]
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == f"trace {simulate(17).trace()}", done.stdout + done.stderr


def test_a_failing_seed_tells_a_short_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """A promise that is broken whenever a certain act happened: little more than that act is left."""

    def broken(world: object) -> str:
        assert world.story.counts["clock jumped"] == 0, "it must not"  # type: ignore[attr-defined]
        return ""

    monkeypatch.setattr("tests.simulation.run.check", broken)
    with pytest.raises(AssertionError) as failed:
        play(Story(4), steps=25)
    case, story, error = shortest(4, failed.value)
    acts = [line for line in story.lines if 0 < int(line[:4]) <= 25]
    assert len(acts) == 1, acts
    assert "it must not" in str(error)
    again = read(case.line())
    assert again == case
    with pytest.raises(AssertionError, match="it must not"):
        again.play()


def test_leaving_out_changes_nothing_else() -> None:
    whole, shorter = Story(21), Story(21, frozenset({"40"}))
    play(whole, steps=40)
    play(shorter, steps=40)
    before = [line for line in whole.lines if int(line[:4]) < 40]
    assert [line for line in shorter.lines if int(line[:4]) < 40] == before


def test_ranges() -> None:
    assert ranges([1, 2, 3, 7, 9, 10]) == ["1-3", "7", "9-10"]
    assert read("17") == Case(17)
