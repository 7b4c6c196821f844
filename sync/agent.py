"""The agent of a running laptop: finds the line by trying, with back-off and jitter, and asks nobody else."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from sync.client import STOPPING, Outcome, sync_once
from sync.link import Link
from sync.problem import Problem

logger = logging.getLogger(__name__)

IDLE_S = 60.0
FIRST_RETRY_S = 2.0
LONGEST_RETRY_S = 300.0
STOPPED_S = 3600.0


@dataclass(frozen=True, slots=True)
class Sending:
    """How far the sync that runs now has come: op `done` of `total`."""

    done: int
    total: int


def delay(failures: int, stopped: bool, chance: float) -> float:
    """Seconds until the next try after so many failures in a row; `chance` in [0, 1) spreads laptops apart."""
    if stopped:
        return STOPPED_S * (0.75 + chance / 2)
    if failures == 0:
        return IDLE_S * (0.75 + chance / 2)
    return float(min(FIRST_RETRY_S * 2 ** (failures - 1), LONGEST_RETRY_S) * (0.5 + chance))


class Agent:
    """Runs `sync_once` in a thread of its own, again and again; `poke` asks for a try now.

    `around` wraps every sync, for what the house needs set up in a thread.
    """

    def __init__(self, link: Link, around: Callable[[], AbstractContextManager[object]] = nullcontext) -> None:
        self._link, self._around = link, around
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._one = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="sync-agent", daemon=True)
        self.sending: Sending | None = None
        self.last_problem: Problem | None = None

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
            try:
                outcome = sync_once(self._link, self._report)
                self.last_problem = None
                return outcome
            except Problem as problem:
                self.last_problem = problem
                raise
            finally:
                self.sending = None

    def _report(self, done: int, total: int) -> None:
        self.sending = Sending(done, total)

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self.sync_now()
                failures = 0
            except Problem as problem:
                failures += 1
                logger.info("sync: %s", problem.name)
            except Exception:  # the agent outlives a bug; the bug is in the log
                failures += 1
                logger.exception("sync failed")
            stopped = self.last_problem is not None and self.last_problem.name in STOPPING
            wait = delay(failures, stopped, random.random())  # noqa: S311
            if self.last_problem is not None and self.last_problem.retry_after:
                wait = max(wait, float(self.last_problem.retry_after))
            if self._wake.wait(wait):
                failures = 0  # somebody knows more than the back-off does: the line may be back
            self._wake.clear()
