"""A laptop's line to its centre: one round trip, believed only from the server that was enrolled with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from sync import clock, dictionary, log
from sync.log import Application, Begin
from sync.problem import Problem
from sync.proof import Proof
from sync.transport import BlobReply, Lean, Packing, Reply, Transport
from sync.wire import ANSWERS, load

Now = Callable[[], datetime]
Tell = Callable[[str, int, int], None]


def _nobody(_phase: str, _done: int, _total: int) -> None:
    pass


@dataclass(slots=True)
class Link:
    """What a sync needs: the database, the house, the line, a clock.

    `before_push`: called after the pull of every sync, in no transaction; it raises nothing.
    `tell`: hears what is going on: `pulling` (ops), `ops`, or `blobs` (bytes), how far, of how much.
    """

    begin: Begin
    app: Application
    transport: Transport
    now: Now
    status: dict[str, Any] | None = None
    before_push: Callable[[], None] | None = None
    tell: Tell = _nobody
    dictionary: int | None = None

    def call(
        self, name: str, document: dict[str, Any], token: str | None, *, anew: bool = False, lean: bool = False
    ) -> Reply:
        """One round trip; notes how far the clock is off, from the answer's Date.

        `name`: as for the transport; of an answer at another path only the sender is checked.
        Only the server that was enrolled with is believed, unless this device enrols `anew`, with whoever answers.
        `lean`: what is answered proves itself, and need not be signed once more (a push, by its receipt); a refusal
        does not, so it is asked for again.
        """
        line = self.transport
        lean = lean and isinstance(line, Lean)
        self._recall_dictionary()
        try:
            ask = line.lean if lean and isinstance(line, Lean) else line.call
            reply = ask(name, document, token)
        except Problem as problem:
            if lean and not problem.kind.retry:
                return self.call(name, document, token, anew=anew)
            if problem.proof is not None and not anew:
                with self.begin() as conn:
                    problem.verified = _is_ours(conn, problem.proof, said=problem)
            raise
        with self.begin() as conn:
            if reply.proof is not None and not anew:
                reply = replace(reply, verified=_is_ours(conn, reply.proof))
            try:
                if name in ANSWERS:
                    load(ANSWERS[name], reply.document)
            except Problem as problem:
                raise Problem("server-error", problem.detail, http_status=200) from problem
            if isinstance(line, Packing) and line.dictionary != self.dictionary:
                self.dictionary = line.dictionary
                log.remember(conn, dictionary=line.dictionary)
            if reply.date is not None and not lean:
                offset = clock.to_ms(reply.date) - clock.to_ms(self.now())
                # Date has whole seconds: what is nearer than two is no offset that anybody could see.
                log.remember(conn, offset_ms=offset if abs(offset) > 2000 else 0)
        return reply

    def _recall_dictionary(self) -> None:
        """Once: what the server was known to have when this laptop last spoke to it."""
        if self.dictionary is None:
            with self.begin() as conn:
                self.dictionary = dictionary.common(log.recall(conn, "dictionary"))
            if isinstance(self.transport, Packing):
                self.transport.dictionary = self.dictionary

    def blob(
        self, name: str, token: str | None, piece: bytes | None = None, offset: int = 0, length: int = 0
    ) -> BlobReply:
        """One round trip about a blob, believed like `call`. Raises: Problem."""
        try:
            reply = self.transport.blob(name, token, piece, offset, length)
        except Problem as problem:
            if problem.proof is not None and problem.proof.signature is None and problem.status < 500:
                # A centre of before blobs has no such path, and signs nothing that it says there. It asks for nothing.
                raise Problem("not-found") from problem
            if problem.proof is not None:
                with self.begin() as conn:
                    problem.verified = _is_ours(conn, problem.proof, said=problem)
            raise
        if reply.proof is not None:
            with self.begin() as conn:
                _is_ours(conn, reply.proof)
        return reply


def _is_ours(conn: Connection, proof: Proof, said: Problem | None = None) -> bool:
    """Whether an answer is signed by the server that was enrolled with; true once, it must be so from then on.

    Raises: Problem `other-server`; `server-error` for an unsigned excuse, which asks for nothing but patience.
    """
    card = log.recall(conn, "server", {})
    if proof.by(str(card.get("public_key"))):
        if not card.get("signs"):
            log.remember(conn, server=card | {"signs": True})
        return True
    if proof.signature is None and not card.get("signs"):
        return False
    if proof.signature is None and said is not None and said.status >= 500:
        raise Problem("server-error", http_status=said.status)
    raise Problem("other-server")
