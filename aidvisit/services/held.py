"""Deciding what the centre holds for review: by somebody with the right, with a reason and the name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.store.database import reading, transaction
from aidvisit.store.judge import why_not
from aidvisit.store.ledger import HOUSE
from aidvisit.store.queries import account
from aidvisit.store.queries import held as queries
from aidvisit.store.queries.held import Decision, Held, Name
from sync import clock, log, quarantine
from sync.op import Op


@dataclass(frozen=True, slots=True)
class Told:
    """What a laptop tells its team: what waits at the centre, what was dismissed there, and what was released."""

    waiting: list[Held]
    dismissed: list[tuple[Held, Decision | None]]
    released: list[Decision]


def told() -> Told:
    """Of what this laptop recorded; of each the newest fifty."""
    with reading() as conn:
        own = log.own(conn)
        waiting, _more = queries.waiting(conn, device=own)
        decided = queries.decisions(conn, device=own)
        words = {(one.device, one.seq): one for one in decided if not one.released}
        dismissed = [(one, words.get((one.device, one.seq))) for one in queries.refused(conn, own)]
    return Told(waiting, dismissed, [one for one in decided if one.released])


def hear() -> None:
    """The team has seen what the centre dismissed: the chip asks for no more attention to it."""
    with transaction() as conn:
        log.hear_dismissals(conn)


def release(*, actor: str, held: Collection[Name], reason: str, scope: Scope = EVERYTHING) -> int:
    """Accept these: they get their numbers, stand from now on, and their authors hear of it. All of them or none.

    Returns how many; what was decided meanwhile is left as it is.
    Raises: Problem `unknown-record` (also for one that is somebody else's to decide), `not-acceptable`, `invalid-body`
    (the reason), `not-permitted`, `not-allowed` on a laptop.
    """
    return _decide("op.released", actor, held, reason, scope)


def dismiss(*, actor: str, held: Collection[Name], reason: str, scope: Scope = EVERYTHING) -> int:
    """Keep these out for good; they stay stored, and their authors hear of it. As `release`."""
    return _decide("op.dismissed", actor, held, reason, scope)


def _decide(kind: str, actor: str, held: Collection[Name], reason: str, scope: Scope) -> int:
    with transaction() as conn:
        if not log.is_centre(conn):
            raise Problem("not-allowed", actor_or_device=actor, kind=kind)
        log.lock_device(conn, log.own(conn))
        found = queries.some(conn, scope, held)
        if len(found) < len(set(held)) or not all(one.decides for one in found):
            raise Problem("unknown-record")
        refused = [one for one in found if one.reason and not one.acceptable]
        if kind == "op.released" and refused:
            raise Problem("not-acceptable", count=len(refused))
        # A push locks its streams in the order of their names: so does this, or they could wait for each other.
        return sum(_said(conn, kind, actor, one, reason.strip()) for one in sorted(found, key=attrgetter("stream")))


def _said(conn: Connection, kind: str, actor: str, one: Held, reason: str) -> bool:
    body = {"device": one.device, "seq": one.seq, "reason": reason}
    asked = Op(log.own(conn), 0, "org", "", actor, kind, 1, actor, body)
    problem = why_not(conn, asked, by_centre=True, refusal="not-permitted")
    if problem is not None:
        raise problem
    person = account.user(conn, actor)
    decide = quarantine.release if kind == "op.released" else quarantine.dismiss
    return decide(conn, HOUSE, one.device, one.seq, reason, actor, clock.wall(), person.name if person else "")
