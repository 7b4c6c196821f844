"""The agent of a running laptop: tries again by itself, soon after somebody asks."""

from __future__ import annotations

import queue
from typing import Any

import pytest

from sync import agent
from sync.problem import Problem


def test_who_asks_starts_the_back_off_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plug is put back: the try that came a moment too early is not followed by the long wait of an hour ago."""
    failures: queue.Queue[int] = queue.Queue()

    def no_line(*_: Any) -> None:
        raise Problem("server-unreachable", url="http://centre.test")

    def noted(count: int, stopped: bool, chance: float) -> float:
        failures.put(count)
        return 0.01 if count < 3 else 60.0

    monkeypatch.setattr(agent, "sync_once", no_line)
    monkeypatch.setattr(agent, "delay", noted)
    running = agent.Agent(link=None)  # type: ignore[arg-type]
    running.start()
    try:
        assert [failures.get(timeout=10) for _ in range(3)] == [1, 2, 3]
        running.poke()
        assert failures.get(timeout=10) == 1
    finally:
        running.stop()


@pytest.mark.parametrize(("count", "least", "most"), [(0, 45, 75), (1, 1, 3), (3, 4, 12), (40, 150, 450)])
def test_waits_grow_apart_and_end_at_minutes(count: int, least: float, most: float) -> None:
    assert agent.delay(count, False, 0.0) >= least
    assert agent.delay(count, False, 0.999) <= most


def test_what_cannot_mend_itself_is_tried_once_an_hour() -> None:
    assert agent.delay(5, True, 0.5) == agent.STOPPED_S
