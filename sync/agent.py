"""The agent of a running laptop: finds the line by trying, with back-off and jitter, and asks nobody else."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sync import clock
from sync.client import STOPPING, Outcome, sync_once
from sync.link import Link
from sync.problem import Problem

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

IDLE_S = 60.0
LONGEST_IDLE_S = 300.0
FIRST_RETRY_S = 2.0
LONGEST_RETRY_S = 300.0
STOPPED_S = 3600.0
LONGEST_ASKED_S = 24 * 3600
"""Whatever Retry-After says: a box on the way that nobody knows may say a year."""
LOOK_S = 1.0
"""Between two looks for the line while something waits: a TCP connection each, and without a network not even that."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What the sync that runs now is at: `pulling` or `ops` (records), or `blobs` (bytes); `done` of `total`."""

    done: int
    total: int
    phase: str = "ops"


def delay(failures: int, stopped: bool, chance: float, quiet: int = 0) -> float:
    """Seconds until the next try after so many failures in a row, or `quiet` turns in which nothing happened.

    `chance` in [0, 1) spreads laptops apart.
    """
    if stopped:
        return STOPPED_S * (0.75 + chance / 2)
    if failures == 0:
        return min(IDLE_S * 1.5 ** min(quiet, 9), LONGEST_IDLE_S) * (0.75 + chance / 2)
    return float(min(FIRST_RETRY_S * 2 ** min(failures - 1, 9), LONGEST_RETRY_S) * (0.5 + chance))


class Agent:
    """Runs `sync_once` in a thread of its own, again and again; `poke` asks for a try now.

    `around` wraps every sync, for what the house needs set up in a thread. `look` asks the centre for nothing and says
    whether it can be connected to, None where nothing waits to be sent: it tells sooner than the back-off that the line
    is back.
    """

    def __init__(
        self,
        link: Link,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
        look: Callable[[], bool | None] = lambda: None,
    ) -> None:
        self._link, self._around, self._look = link, around, look
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._one = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="sync-agent", daemon=True)
        self.sending: Sending | None = None
        self.last_problem: Problem | None = None
        self.failed_at: datetime | None = None

    def start(self) -> None:
        self._thread.start()

    def rest(self) -> None:
        """No further sync; one that runs comes to its end."""
        self._stop.set()
        self._wake.set()

    def stop(self, timeout_s: float = 5.0) -> None:
        self.rest()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def poke(self) -> None:
        """Something was recorded, or somebody asks: try soon."""
        self._wake.set()

    def sync_now(self) -> Outcome:
        """One sync in the caller's thread, never two at once. Raises: Problem."""
        with self._one, self._around():
            self._link.tell = self._hear
            try:
                outcome = sync_once(self._link)
                self.last_problem = None
                return outcome
            except Problem as problem:
                self.last_problem, self.failed_at = problem, clock.wall()
                raise
            finally:
                self.sending = None

    def alone(self, work: Callable[[], Result]) -> Result:
        """Something else that needs the line, in the caller's thread, while no sync runs; a sync follows soon."""
        with self._one, self._around():
            done = work()
        self.last_problem = None
        self.poke()
        return done

    def _hear(self, phase: str, done: int, total: int) -> None:
        self.sending = Sending(done, total, phase)

    def _run(self) -> None:
        failures = quiet = 0
        while not self._stop.is_set():
            self._wake.clear()
            outcome = self._turn()
            failures = 0 if outcome else failures + 1
            quiet = quiet + 1 if outcome == Outcome(0, 0) else 0
            if self._rest_until_next(failures, quiet):
                failures = quiet = 0  # somebody knows more than the back-off does: the line may be back

    def _turn(self) -> Outcome | None:
        try:
            return self.sync_now()
        except Problem as problem:
            logger.info("sync: %s", problem.name)
        except Exception:  # the agent outlives a bug; the bug is in the log
            logger.exception("sync failed")
        return None

    def _rest_until_next(self, failures: int, quiet: int) -> bool:
        """Wait for the next turn; true when somebody asked for it, or the line was seen to come back."""
        problem = self.last_problem if failures else None
        chance = random.random()  # noqa: S311
        stopped = problem is not None and problem.name in STOPPING
        wait = delay(failures, stopped, chance, quiet)
        if problem is not None and problem.retry_after:
            # The centre said when, and asking earlier is what it cannot do with; nor all at the same second.
            least = min(problem.retry_after, LONGEST_ASKED_S) * (1 + chance / 4)
            self._stop.wait(least)
            wait = max(wait - least, 0.0)
        if problem is None or problem.name != "server-unreachable":
            return self._wake.wait(wait)
        return self._look_for_line(time.monotonic() + wait)

    def _look_for_line(self, until: float) -> bool:
        """Only a line that was seen to be away can be seen to come back."""
        away = False
        while (left := until - time.monotonic()) > 0:
            if self._wake.wait(min(LOOK_S, left)):
                return True
            try:
                there = self._look()
            except Problem:  # the database is locked, or held by somebody
                continue
            if there and away:
                return True
            away = away if there is None else not there
        return False
