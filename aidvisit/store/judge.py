"""Whether a fact may stand, but for grants and signatures: its words, its author and the rights of its actor.

Source: docs/protocol.md section 2, promise 4; docs/adr/0008-rights-of-an-actor.md.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from aidvisit.domain import rights
from aidvisit.domain.facts import KINDS, Errors, check, known, only_centre, references
from aidvisit.errors import Problem
from aidvisit.store.queries.scope import scope_of
from aidvisit.store.tables import FieldDevice, Household, Trip, User
from sync import log
from sync.log import Entry
from sync.merge import same
from sync.op import Op


def judge(
    conn: Connection,
    op: Op,
    *,
    by_centre: bool,
    made: Collection[str] = (),
    maker: Entry | None = None,
    refusal: str = "not-allowed",
) -> Problem | None:
    """The first reason why an op may not stand, or None.

    `made`: subjects that count as known though no table has them yet, for they are made in the same breath.
    `refusal`: the Problem of an actor without the right.
    """
    if not known(op.kind, op.v):
        return Problem("unknown-kind", kind=op.kind, v=op.v)
    errors = check(op.kind, op.v, op.stream, op.subject, op.body)
    if errors:
        return invalid(errors)
    if only_centre(op.kind, op.stream) and not by_centre:
        return Problem("not-allowed", kind=op.kind, actor_or_device=op.device)
    if not _permitted(conn, op, by_centre):
        return Problem(refusal, kind=op.kind, actor_or_device=op.actor)
    for noun, identity in references(op.kind, op.stream, op.subject, op.body):
        if identity not in made and not _exists(conn, noun, identity, op):
            return Problem("unknown-subject", what=noun, id=identity)
    if KINDS[op.kind].creates:
        maker = maker or made_by(conn, op.subject)
        if maker is not None and not equal(maker.op, op):
            return Problem("subject-exists", id=op.subject)
    return None


def _permitted(conn: Connection, op: Op, by_centre: bool) -> bool:
    """Whether the actor has the right to this kind, for the team of the device that it was recorded on.

    An actor that is no user known here counts as the device itself, which vouches for it: a laptop acts as a leader of
    its team, the centre as an administrator of everything.
    """
    right = rights.needed(op.kind, op.actor, op.subject, op.body)
    query = select(User.role, User.team, User.active, FieldDevice.team.label("of_device"))
    query = query.join(FieldDevice, FieldDevice.id == op.device, isouter=True).where(User.id == op.actor)
    actor = conn.execute(query).first()
    if actor is None:
        return rights.may("admin" if by_centre else "leader", right)
    near = actor.of_device in (None, actor.team)  # the centre's own pages look at the scope themselves
    within = near or scope_of(conn, actor.team).team(actor.of_device)
    return rights.may(actor.role, right) and within and (actor.active or _before_leaving(conn, op))


def _before_leaving(conn: Connection, op: Op) -> bool:
    """Whether somebody who is active no more recorded this while they were; what is recorded now has no clock yet."""
    left = ""
    for entry in log.entries_of(conn, op.actor, ("user.defined", "user.updated")):
        body = entry.op.body
        active = body.get("set", body).get("active")
        if active is not None:
            left = "" if active else left or entry.clock
    return op.hlc != "" and op.hlc < left


def invalid(errors: Errors) -> Problem:
    detail = "; ".join(f"{path or '*'}: {' '.join(messages)}" for path, messages in sorted(errors.items()))
    return Problem("invalid-body", detail, errors=errors)


def _exists(conn: Connection, noun: str, identity: str, op: Op) -> bool:
    """In the op's own stream; but the household that one is merged into may be of another town."""
    model = Household if noun == "household" else Trip
    query = select(model.id).where(model.id == identity)
    if op.kind != "household.merged" or identity == op.subject:
        query = query.where(model.stream == op.stream)
    return conn.execute(query).first() is not None


def made_by(conn: Connection, subject: str) -> Entry | None:
    """The fact that made a subject; what is held in quarantine made nothing."""
    entries = log.entries_of(conn, subject)
    return next((entry for entry in entries if entry.op.kind in KINDS and KINDS[entry.op.kind].creates), None)


def equal(one: Op, other: Op) -> bool:
    """Whether two ops make the same subject in the same way."""
    return (one.stream, one.kind) == (other.stream, other.kind) and same(one.body, other.body)


def unsalted(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "salt"}
