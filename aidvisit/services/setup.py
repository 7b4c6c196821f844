"""A laptop without a home gets one: what somebody typed or scanned, the work, and where it stands. No database yet."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from aidvisit.errors import Problem
from aidvisit.services.address import check_server
from sync import invitation
from sync.transport import BlobReply, Reply, Transport

logger = logging.getLogger(__name__)

Tell = Callable[[int], None]
"""How many records have come so far."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a laptop is enrolled with. `fingerprint`: of the server's key, whole or as people read it; None: unknown."""

    server: str
    code: str
    name: str
    fingerprint: str | None = None

    def expects(self, public_key: str) -> bool:
        """Whether a server with this key is the one that is meant."""
        return self.fingerprint is None or invitation.is_of(self.fingerprint, public_key)


@dataclass(frozen=True, slots=True)
class Made:
    """A home that is ready. `recovery`: its recovery key, kept nowhere; None without encryption.

    `people`: how many passwords open it.
    """

    device: str
    pulled: int
    people: int
    recovery: str | None


Make = Callable[[Wanted, Tell], Made]


def wanted(*, name: str, text: str = "", server: str = "", code: str = "", fingerprint: str = "") -> Wanted:
    """From an invitation's `text`, else from what its card says.

    Raises: Problem `invitation-invalid`, `fingerprint-invalid`.
    """
    if text.strip():
        invited = invitation.parse(text)
        return Wanted(invited.server, invited.code, name, invited.fingerprint)
    known = invitation.read_fingerprint(fingerprint) if fingerprint.strip() else None
    return Wanted(server.strip().rstrip("/"), code.strip(), name, known)


@dataclass(slots=True)
class Counting:
    """A line that tells how many records came over it."""

    line: Transport
    tell: Tell
    pulled: int = 0

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        reply = self.line.call(name, document, token)
        ops = reply.document.get("ops")
        if name == "pull" and isinstance(ops, list):
            self.pulled += len(ops)
            self.tell(self.pulled)
        return reply

    def blob(self, name: str, token: str | None, *what: Any) -> BlobReply:
        return self.line.blob(name, token, *what)


State = Literal["asking", "working", "made"]


class SetUp:
    """One set-up, from the first form to the recovery key written down. `owner`: the browser session that does it.

    `name`: of the laptop.
    """

    def __init__(self, make: Make, *, insecure: bool) -> None:
        self._make, self._insecure = make, insecure
        self._lock = threading.Lock()
        self.state: State = "asking"
        self.owner = self.name = ""
        self.pulled: int | None = None
        self.made: Made | None = None
        self.problem: Problem | None = None
        self.typed: dict[str, str] = {}

    def start(self, asked: Wanted, owner: str, typed: dict[str, str]) -> None:
        """Begin in a thread, unless it goes on already. Raises: Problem `bad-address`, `insecure-line`."""
        check_server(asked.server, insecure=self._insecure)
        with self._lock:
            if self.state != "asking":
                return
            self.state, self.owner, self.name, self.typed = "working", owner, asked.name, typed
            self.pulled = self.problem = None
        threading.Thread(target=self._work, args=(asked,), name="set-up", daemon=True).start()

    def _work(self, asked: Wanted) -> None:
        try:
            self.made = self._make(asked, self._tell)
        except Problem as problem:
            self._failed(problem)
        except Exception:  # the page goes on; the bug is in the log
            logger.exception("set-up failed")
            self._failed(Problem("unexpected"))
        else:
            self.typed, self.state = {}, "made"

    def _tell(self, pulled: int) -> None:
        self.pulled = pulled

    def _failed(self, problem: Problem) -> None:
        logger.info("set-up: %s", problem.name)
        self.problem, self.state = problem, "asking"
