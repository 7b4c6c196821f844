"""Whether facts may stand, but for grants and signatures: their words, their author and the rights of their actor.

Source: docs/protocol.md section 2, promise 4; docs/adr/0008-rights-of-an-actor.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

from sqlalchemy import Connection, Row, select

from aidvisit.domain import rights
from aidvisit.domain.facts import KINDS, Errors, Reference, check, known, only_centre, references
from aidvisit.errors import Problem
from aidvisit.store.queries.scope import scope_of
from aidvisit.store.tables import FieldDevice, Household, Trip, User
from sync import log
from sync.log import Entry
from sync.merge import same
from sync.op import Op
from sync.rows import among

MOST_ERRORS = 50
"""Of a body without a right element, 64 KiB would make 4 MiB of words, kept and told again with every answer."""
TURNING = ("user", "team", "device", "trip")
"""Facts about these decide who may record what, and what may be named."""


def wrong(op: Op, *, by_centre: bool) -> Problem | None:
    """What can be said against an op without the database, or None."""
    if not known(op.kind, op.v):
        return Problem("unknown-kind", kind=op.kind, v=op.v)
    errors = check(op.kind, op.v, op.stream, op.subject, op.body)
    if errors:
        return invalid(errors)
    if only_centre(op.kind, op.stream) and not by_centre:
        return Problem("not-allowed", kind=op.kind, actor_or_device=op.device)
    return None


def why_not(conn: Connection, op: Op, *, by_centre: bool, refusal: str = "not-allowed") -> Problem | None:
    """The first reason why one op may not stand, or None."""
    return wrong(op, by_centre=by_centre) or Judge(conn, [op], by_centre=by_centre, refusal=refusal).why_not(op)


def turns(op: Op) -> bool:
    """Whether an op changes what those after it are judged by, beyond making a subject; a trip's allotment does not."""
    return KINDS[op.kind].entity in TURNING and op.kind != "allocation.set"


class Judge:
    """Judges ops that are not `wrong`, one after another; what any of them needs is read at once, when first needed.

    `refusal`: the Problem of an actor without the right.
    """

    def __init__(self, conn: Connection, ops: Sequence[Op], *, by_centre: bool, refusal: str = "not-allowed") -> None:
        self._conn, self._ops, self._by_centre, self._refusal = conn, ops, by_centre, refusal
        self._scope = cache(lambda team: scope_of(conn, team))
        self._left = cache(lambda actor: _left(conn, actor))

    def why_not(self, op: Op) -> Problem | None:
        """The first reason why an op may not stand, or None."""
        if not self._permitted(op):
            return Problem(self._refusal, kind=op.kind, actor_or_device=op.actor)
        for noun, identity in _named(op):
            stream = self._streams.get((noun, identity))
            # The household that one is merged into may be of another town.
            elsewhere = op.kind == "household.merged" and identity != op.subject
            if stream is None or (stream != op.stream and not elsewhere):
                return Problem("unknown-subject", what=noun, id=identity)
        if KINDS[op.kind].creates:
            maker = self._made.get(op.subject)
            if maker is not None and not equal(maker, op):
                return Problem("subject-exists", id=op.subject)
        return None

    def accept(self, op: Op) -> None:
        """It stands: what it makes is known to those after it."""
        kind = KINDS[op.kind]
        if kind.creates:
            self._made.setdefault(op.subject, op)
            self._streams.setdefault((kind.entity, op.subject), op.stream)

    def maker(self, subject: str) -> Entry | None:
        """The fact that had made a subject before; what is held in quarantine made nothing."""
        return self._makers.get(subject)

    @cached_property
    def _makers(self) -> dict[str, Entry]:
        subjects = {op.subject for op in self._ops if KINDS[op.kind].creates}
        found = {}
        for subject, entries in log.histories(self._conn, subjects).items():
            made = (entry for entry in entries if entry.op.kind in KINDS and KINDS[entry.op.kind].creates)
            if first := next(made, None):
                found[subject] = first
        return found

    @cached_property
    def _made(self) -> dict[str, Op]:
        """By subject, what made it: before, or among these."""
        return {subject: entry.op for subject, entry in self._makers.items()}

    @cached_property
    def _streams(self) -> dict[tuple[str, str], str]:
        """The streams of households and trips, by noun and id."""
        wanted: dict[str, set[str]] = {}
        for op in self._ops:
            for named, identity in _named(op):
                wanted.setdefault(named, set()).add(identity)
        found: dict[tuple[str, str], str] = {}
        for noun, ids in wanted.items():
            model = Household if noun == "household" else Trip
            query = select(model.id, model.stream).where(among(self._conn, model.id, ids))
            found |= {(noun, row.id): row.stream for row in self._conn.execute(query)}
        return found

    @cached_property
    def _actors(self) -> dict[str, Row[Any]]:
        query = select(User.id, User.role, User.team, User.active)
        rows = self._conn.execute(query.where(among(self._conn, User.id, {op.actor for op in self._ops})))
        return {row.id: row for row in rows}

    @cached_property
    def _teams(self) -> dict[str, str | None]:
        """By device."""
        query = select(FieldDevice.id, FieldDevice.team)
        rows = self._conn.execute(query.where(among(self._conn, FieldDevice.id, {op.device for op in self._ops})))
        return {row.id: row.team for row in rows}

    def _permitted(self, op: Op) -> bool:
        """Whether the actor has the right to this kind, for the team of the device that it was recorded on.

        An actor that is no user known here counts as the device itself, which vouches for it: a laptop acts as a leader
        of its team, the centre as an administrator of everything.
        """
        right = rights.needed(op.kind, op.actor, op.subject, op.body)
        actor = self._actors.get(op.actor)
        if actor is None:
            return rights.may("admin" if self._by_centre else "leader", right)
        team = self._teams.get(op.device)
        near = team in (None, actor.team)  # the centre's own pages look at the scope themselves
        within = near or self._scope(actor.team).team(team)
        return rights.may(actor.role, right) and within and (actor.active or self._before_leaving(op))

    def _before_leaving(self, op: Op) -> bool:
        """Whether somebody who is active no more recorded this while they were; what is new has no clock yet."""
        return op.hlc != "" and op.hlc < self._left(op.actor)


def _named(op: Op) -> list[Reference]:
    return references(op.kind, op.stream, op.subject, op.body)


def _left(conn: Connection, actor: str) -> str:
    """The clock since which somebody is not active; empty while they are."""
    left = ""
    for entry in log.entries_of(conn, actor, ("user.defined", "user.updated")):
        body = entry.op.body
        active = body.get("set", body).get("active")
        if active is not None:
            left = "" if active else left or entry.clock
    return left


def invalid(errors: Errors) -> Problem:
    """Of what is wrong with a body, as much as anybody reads."""
    told = dict(sorted(errors.items())[:MOST_ERRORS])
    detail = "; ".join(f"{path or '*'}: {' '.join(messages)}" for path, messages in told.items())
    return Problem("invalid-body", detail, errors=told)


def equal(one: Op, other: Op) -> bool:
    """Whether two ops make the same subject in the same way."""
    return (one.stream, one.kind) == (other.stream, other.kind) and same(one.body, other.body)


def unsalted(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "salt"}
