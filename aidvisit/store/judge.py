"""Whether a fact may stand, but for grants and signatures (docs/protocol.md section 2, promise 4)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from aidvisit.domain.facts import KINDS, Errors, check, known, only_centre, references
from aidvisit.errors import Problem
from aidvisit.store.tables import Household, Trip
from sync import log
from sync.log import Entry
from sync.merge import same
from sync.op import Op


def judge(
    conn: Connection, op: Op, *, by_centre: bool, made: Collection[str] = (), maker: Entry | None = None
) -> Problem | None:
    """The first reason why an op may not stand, or None.

    `made`: subjects that count as known though no table has them yet, for they are made in the same breath.
    """
    if not known(op.kind, op.v):
        return Problem("unknown-kind", kind=op.kind, v=op.v)
    errors = check(op.kind, op.v, op.stream, op.subject, op.body)
    if errors:
        return invalid(errors)
    if only_centre(op.kind, op.stream) and not by_centre:
        return Problem("not-allowed", kind=op.kind, actor_or_device=op.device)
    for noun, identity in references(op.kind, op.stream, op.subject, op.body):
        if identity not in made and not _exists(conn, noun, identity, op):
            return Problem("unknown-subject", what=noun, id=identity)
    if KINDS[op.kind].creates:
        maker = maker or made_by(conn, op.subject)
        if maker is not None and not equal(maker.op, op):
            return Problem("subject-exists", id=op.subject)
    return None


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
