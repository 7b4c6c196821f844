"""The agent of a running laptop: tries again by itself, soon after somebody asks or the line is back, else seldom."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from sync import agent
from sync.client import Outcome
from sync.problem import Problem
from tests.support.toy import Centre, connected, memory
from tests.unit.test_sync_proof import TEAM

NEVER_S = 60.0


class Stage:
    """An agent whose syncs do what they are told; `failures`: how many in a row each rest came after."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rests: queue.Queue[tuple[int, int]] = queue.Queue()
        self.does: Callable[[], Outcome] = lambda: Outcome(0, 0)
        self.there: bool | None = True
        self.looked = threading.Semaphore(0)
        self.quick = 0
        monkeypatch.setattr(agent, "sync_once", lambda *_: self.does())
        monkeypatch.setattr(agent, "delay", self._delay)
        monkeypatch.setattr(agent, "LOOK_S", 0.01)
        self.agent = agent.Agent(SimpleNamespace(), look=self._look)  # type: ignore[arg-type]

    def _delay(self, failures: int, _stopped: bool, _chance: float, quiet: int) -> float:
        self.rests.put((failures, quiet))
        self.quick -= 1
        return 0.01 if self.quick >= 0 else NEVER_S

    def _look(self) -> bool | None:
        self.looked.release()
        return self.there

    def rest(self) -> tuple[int, int]:
        return self.rests.get(timeout=10)

    def looks(self, count: int) -> None:
        for _ in range(count):
            assert self.looked.acquire(timeout=10)


def no_line() -> Outcome:
    raise Problem("server-unreachable", url="http://centre.test")


def busy() -> Outcome:
    raise Problem("too-many-requests", retry_after=1)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    made = Stage(monkeypatch)
    yield made
    made.agent.stop()


def test_who_asks_starts_the_back_off_again(stage: Stage) -> None:
    """The plug is put back: the try that came a moment too early is not followed by the long wait of an hour ago."""
    stage.does, stage.quick = no_line, 2
    stage.agent.start()
    assert [stage.rest()[0] for _ in range(3)] == [1, 2, 3]
    stage.agent.poke()
    assert stage.rest() == (1, 0)


def test_turns_in_which_nothing_happens_come_further_apart(stage: Stage) -> None:
    stage.quick = 3
    stage.agent.start()
    assert [stage.rest() for _ in range(4)] == [(0, 1), (0, 2), (0, 3), (0, 4)]
    stage.does = lambda: Outcome(1, 0)
    stage.agent.poke()
    assert stage.rest() == (0, 0)


def test_a_line_that_comes_back_is_seen(stage: Stage) -> None:
    stage.does, stage.there = no_line, False
    stage.agent.start()
    assert stage.rest() == (1, 0)
    stage.looks(3)
    stage.does, stage.there = (lambda: Outcome(5, 0)), True
    assert stage.rest() == (0, 0)


def test_a_line_that_was_never_seen_away_is_left_to_the_back_off(stage: Stage) -> None:
    """Something answers there and is no centre: to ask it every few seconds would help nobody."""
    stage.does = no_line
    stage.agent.start()
    stage.rest()
    stage.looks(20)
    assert stage.rests.empty()


def test_while_nothing_waits_a_line_that_comes_back_is_no_matter(stage: Stage) -> None:
    stage.does, stage.there = no_line, None
    stage.agent.start()
    stage.rest()
    stage.looks(5)
    stage.there = True
    stage.looks(5)
    assert stage.rests.empty()


def test_a_database_that_cannot_be_asked_ends_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked() -> bool:
        stage.looked.release()
        raise Problem("unavailable")

    monkeypatch.setattr(stage.agent, "_look", locked)
    stage.does = no_line
    stage.agent.start()
    stage.rest()
    stage.looks(3)
    stage.agent.poke()
    assert stage.rest() == (1, 0)


def test_a_centre_that_says_when_is_not_asked_before(stage: Stage) -> None:
    """Also not where somebody saves something meanwhile."""
    stage.does = busy
    stage.agent.start()
    stage.rest()
    began = time.monotonic()
    stage.agent.poke()
    stage.rest()
    assert time.monotonic() - began > 0.9


@pytest.mark.parametrize("asked", [10**12, 10**400], ids=["30,000 years", "no float"])
def test_nobody_makes_it_wait_for_ever(stage: Stage, monkeypatch: pytest.MonkeyPatch, asked: int) -> None:
    """A 429 of some box on the way, which no centre has signed."""
    waits: queue.Queue[float] = queue.Queue()
    monkeypatch.setattr(stage.agent._stop, "wait", waits.put)

    def refused_once() -> Outcome:
        stage.does = lambda: Outcome(0, 0)
        raise Problem("too-many-requests", retry_after=asked)

    stage.does = refused_once
    stage.agent.start()
    assert [stage.rest(), stage.rest()] == [(1, 0), (0, 1)]
    assert waits.get(timeout=10) <= 1.25 * agent.LONGEST_ASKED_S


def test_it_says_what_it_is_at(monkeypatch: pytest.MonkeyPatch) -> None:
    laptop = connected(Centre(memory()).set_up(), TEAM)
    link = laptop.link
    heard: list[tuple[str, Any]] = []
    running = agent.Agent(link)
    laptop.line.before = lambda name, _: heard.append((name, running.sending))
    laptop.thing()
    laptop.thing()
    running.sync_now()
    assert heard == [("pull", agent.Sending(0, 0, "pulling")), ("push", agent.Sending(0, 2, "ops"))]
    assert running.sending is None


@pytest.mark.parametrize(
    ("count", "quiet", "least", "most"),
    [(0, 0, 45, 75), (0, 1, 65, 120), (0, 50, 225, 375), (1, 0, 1, 3), (3, 0, 4, 12), (40, 0, 150, 450)],
)
def test_waits_grow_apart_and_end_at_minutes(count: int, quiet: int, least: float, most: float) -> None:
    assert agent.delay(count, False, 0.0, quiet) >= least
    assert agent.delay(count, False, 0.999, quiet) <= most


def test_what_cannot_mend_itself_is_tried_once_an_hour() -> None:
    assert agent.delay(5, True, 0.5) == agent.STOPPED_S
