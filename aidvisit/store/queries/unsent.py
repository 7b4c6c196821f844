"""What becomes of this laptop's unsent facts at the centre, as far as it can be told here, after a pull."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from aidvisit.store.grants import grants_of
from aidvisit.store.ledger import HOUSE
from aidvisit.store.queries.duplicate import duplicates
from aidvisit.store.tables import Delivery, FieldConflict, Household
from sync import log, quarantine, tables
from sync.log import Entry, Grants, LogState


@dataclass(frozen=True, slots=True)
class Expected:
    """One op that a person should look at. `about`: of a duplicate the other delivery and the item, of a conflict the
    field's path. `problem`: why it will be held for review.
    """

    seq: int
    kind: str
    subject: str
    household: str | None
    rule: str
    about: tuple[str, ...] = ()
    problem: dict[str, Any] | None = None


def expected(conn: Connection, state: LogState) -> list[Expected]:
    """Of all unsent ops: duplicates, conflicts, and what will be held, in the order in which they were recorded."""
    op = tables.op.c
    query = select(tables.op).where(op.device == state.device, op.seq > state.through, op.body.is_not(None))
    entries = {(row.device, row.seq): log.to_entry(row) for row in conn.execute(query.order_by(op.seq))}
    unsent = list(entries.values())
    found = [*_duplicates(conn, unsent), *_conflicts(conn, unsent), *_held(conn, unsent)]
    return sorted(found, key=lambda one: (one.seq, one.rule, one.about))


def mark(conn: Connection, state: LogState) -> str:
    """Another one when anything was recorded, sent or pulled, or a grant came or went."""
    cursors = conn.execute(select(tables.cursor.c.stream, tables.cursor.c.n).order_by(tables.cursor.c.stream))
    said = [state.device, state.last_seq, state.through, [list(row) for row in cursors]]
    return sha256(json.dumps(said).encode()).hexdigest()[:16]


def household_of(entry: Entry) -> str | None:
    """The household that an op is about."""
    named = entry.op.body.get("household")
    return entry.op.subject if entry.op.kind.startswith("household.") else named if isinstance(named, str) else None


def _duplicates(conn: Connection, unsent: list[Entry]) -> Iterator[Expected]:
    """Pairs that the team did not know of: another's delivery came after theirs, or nobody gave a reason for it."""
    mine = {entry.op.subject: entry for entry in unsent if entry.op.kind == "delivery.recorded"}
    if not mine:
        return
    pairs = duplicates(conn, households={entry.op.body["household"] for entry in mine.values()})
    pairs = [pair for pair in pairs if {pair.first.delivery, pair.second.delivery} & mine.keys()]
    came = _received(conn, {side.delivery for pair in pairs for side in (pair.first, pair.second)})
    for pair in pairs:
        ours, other = (pair.second, pair.first) if pair.second.delivery in mine else (pair.first, pair.second)
        entry = mine[ours.delivery]
        reasoned = any(one["rule"] == "repeat-interval" for one in entry.op.body.get("overrides", []))
        if not reasoned or came.get(other.delivery, "") > entry.received_at:
            yield _about(entry, "duplicate", (other.delivery, pair.item))


def _received(conn: Connection, deliveries: set[str]) -> dict[str, str]:
    """When this laptop learned of each."""
    op = tables.op.c
    query = select(Delivery.id, op.received_at).join(
        tables.op, (op.device == Delivery.device) & (op.seq == Delivery.seq)
    )
    return {row.id: row.received_at for row in conn.execute(query.where(Delivery.id.in_(sorted(deliveries))))}


def _conflicts(conn: Connection, unsent: list[Entry]) -> Iterator[Expected]:
    """Fields on which an unsent edit and somebody else's disagree."""
    edits = {entry.name: entry for entry in unsent if entry.op.kind.endswith(".updated")}
    subjects = sorted({entry.op.subject for entry in edits.values()})
    query = select(FieldConflict.path, FieldConflict.heads).where(FieldConflict.subject.in_(subjects))
    for row in conn.execute(query.order_by(FieldConflict.path)) if subjects else ():
        for _value, name, _at in row.heads:
            if name in edits:
                yield _about(edits[name], "conflict", (row.path,))


def _held(conn: Connection, unsent: list[Entry]) -> Iterator[Expected]:
    """What the centre would keep for review, judged by its own rules with what is known here."""
    if not unsent:
        return
    own = unsent[0].op.device
    grants = Grants(frozenset(log.recall(conn, "grants", [])), grants_of(conn, own).prefixes)
    problems = quarantine.judged(conn, HOUSE, [entry.op for entry in unsent], lambda _device: grants)
    for entry, problem in zip(unsent, problems, strict=True):
        if problem is not None:
            yield _about(entry, "held", problem=problem.to_dict())


def _about(entry: Entry, rule: str, about: tuple[str, ...] = (), problem: dict[str, Any] | None = None) -> Expected:
    return Expected(entry.op.seq, entry.op.kind, entry.op.subject, household_of(entry), rule, about, problem)


def names(conn: Connection, households: set[str]) -> dict[str, str]:
    """Those that this laptop holds, by id."""
    query = select(Household.id, Household.name).where(Household.id.in_(sorted(households)))
    return {row.id: row.name for row in conn.execute(query)}


def conflicting(conn: Connection, subjects: set[str]) -> set[tuple[str, str]]:
    """(subject, path) of the fields that still disagree."""
    query = select(FieldConflict.subject, FieldConflict.path).where(FieldConflict.subject.in_(sorted(subjects)))
    return {(row.subject, row.path) for row in conn.execute(query)}
