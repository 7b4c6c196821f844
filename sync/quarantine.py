"""What arrives but cannot stand yet: judged once, kept, released or dismissed by name (docs/protocol.md 2.4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import log, tables
from sync.log import Application, Begin, Draft, Entry, Grants, Judge, Place
from sync.op import Op
from sync.problem import Problem
from sync.streams import Streams
from sync.tables import op as op_table

TOGETHER = 500
WENT_AWAY = "the reason went away"
"""What the centre itself gives as its reason."""

_NUMBERED = sa.select(sa.func.coalesce(sa.func.sum(tables.stream.c.head), 0))
# Reasons that can go away by themselves: the household arrives, the software is upgraded, the right is given.
PASSING = {"unknown-subject", "unknown-kind", "not-granted", "not-allowed"}


def set_aside(conn: Connection, where: sa.ColumnElement[bool]) -> None:
    """What has no number at the centre any more is kept, but counts no more, until it comes again with one."""
    problem = log.as_json(Problem("not-numbered").to_dict())
    conn.execute(sa.update(op_table).where(where).values(n=None, problem=problem, dismissed=True))


def check(app: Application, op: Op) -> Problem | None:
    """What can be said against an op by a device without the database, or None."""
    if op.kind.startswith("op."):
        return Problem("not-allowed", kind=op.kind, actor_or_device=op.device)
    return app.check(op, by_centre=False)


def why_not(app: Application, judge: Judge, op: Op, grants: Grants) -> Problem | None:
    """Why an op by a device that passed `check` may not stand now, or None."""
    problem = judge.why_not(op)
    if problem is not None and problem.name == "not-allowed":
        return problem
    if not may_author(app, op, grants):
        return Problem("not-granted", stream=op.stream)
    return problem


def judged(
    conn: Connection, app: Application, ops: Sequence[Op], grants: Callable[[str], Grants]
) -> Iterator[Problem | None]:
    """Of each op why it may not stand now, or None: then those after it may name what it makes. `grants`: by device."""
    wrong = [check(app, op) for op in ops]
    judge = app.judge(conn, [op for op, problem in zip(ops, wrong, strict=True) if problem is None], by_centre=False)
    for op, by_itself in zip(ops, wrong, strict=True):
        problem = by_itself or why_not(app, judge, op, grants(op.device))
        if problem is None:
            judge.accept(op)
        yield problem


def may_author(app: Application, op: Op, grants: Grants) -> bool:
    """`office` is written by every device and read by none; the rest needs a grant, or is granted by this very op."""
    return op.stream == "office" or grants.cover(op.stream) or app.opens(op)


def settle(begin: Begin, app: Application, now: datetime) -> int:
    """Release what can stand by now, many in a transaction, until nothing more can. Returns how many."""
    released = 0
    while due := _due(begin, app):
        done = 0
        for start in range(0, len(due), TOGETHER):
            with begin() as conn:
                done += _release(conn, app, due[start : start + TOGETHER], WENT_AWAY, None, now)
        if not done:
            break
        released += done
    return released


def _due(begin: Begin, app: Application) -> list[Place]:
    """What can stand by now. Where nothing has changed since the last look, only an upgrade can have helped."""
    with begin() as conn:
        if not (held := log.count_quarantined(conn)):
            return []
        seen = [int(conn.execute(_NUMBERED).scalar_one()), held]
        changed = log.recall(conn, "settled") != seen
        own = log.own(conn)
        waiting = [e for e in log.held_for(conn, PASSING if changed else {"unknown-kind"}) if e.op.device != own]
        due = [(e.op.device, e.op.seq) for e in _acceptable(conn, app, waiting)]
        if changed and not due:  # else the releases that follow are a change, or were cut short
            log.lock_device(conn, own)
            log.remember(conn, settled=seen)
        return due


def _acceptable(conn: Connection, app: Application, entries: Sequence[Entry]) -> list[Entry]:
    """Those that may stand now, one after another."""
    problems = judged(conn, app, [entry.op for entry in entries], cache(lambda device: app.grants(conn, device)))
    return [entry for entry, problem in zip(entries, problems, strict=True) if problem is None]


def release(
    conn: Connection, app: Application, device: str, seq: int, reason: str, actor: str, now: datetime, by: str = ""
) -> bool:
    """Give a quarantined op the next number and tell its author.

    `by`: the actor's name, for laptops that do not hold the people of the office. False: nothing to release.
    """
    return _release(conn, app, [(device, seq)], reason, actor, now, by) == 1


def _release(
    conn: Connection,
    app: Application,
    places: Sequence[Place],
    reason: str,
    actor: str | None,
    now: datetime,
    by: str = "",
) -> int:
    """Without an `actor` it is the centre itself, which releases only what can stand now. Returns how many."""
    log.lock_device(conn, log.own(conn))
    found = log.at(conn, places)
    held = [found[place] for place in places if place in found]
    held = [entry for entry in held if entry.problem is not None and not entry.dismissed]
    notices = {entry.name: _notice_stream(conn, app, entry) for entry in held}
    streams = Streams(conn, {entry.op.stream for entry in held} | set(notices.values()))
    let_go = held if actor is not None else _acceptable(conn, app, held)
    numbered = [replace(e, n=streams.take(e.op.stream, e.clock), problem=None) for e in let_go]
    streams.save()
    log.change(conn, {(e.op.device, e.op.seq): {"n": e.n, "problem": None} for e in numbered})
    log.put(conn, app, numbered)
    said = [_said(conn, "op.released", notices[entry.name], entry, reason, actor, by) for entry in numbered]
    if said:
        log.author(conn, app, said, now)
    return len(numbered)


def dismiss(
    conn: Connection, app: Application, device: str, seq: int, reason: str, actor: str, now: datetime, by: str = ""
) -> bool:
    """Keep a quarantined op out for good; it stays stored. False: nothing to dismiss."""
    log.lock_device(conn, log.own(conn))
    entry = log.find(conn, device, seq)
    if entry is None or entry.problem is None or entry.dismissed:
        return False
    where = sa.and_(op_table.c.device == device, op_table.c.seq == seq)
    conn.execute(sa.update(op_table).where(where).values(dismissed=True))
    notice = _notice_stream(conn, app, entry)
    log.author(conn, app, [_said(conn, "op.dismissed", notice, entry, reason, actor, by)], now)
    return True


def _notice_stream(conn: Connection, app: Application, entry: Entry) -> str:
    """The op's own stream; where its author does not read that one, its team's."""
    if entry.op.stream in app.grants(conn, entry.op.device).streams:
        return entry.op.stream
    team = conn.execute(sa.select(tables.device.c.team).where(tables.device.c.id == entry.op.device)).scalar()
    return f"team-{team}" if team else entry.op.stream


def _said(conn: Connection, kind: str, stream: str, entry: Entry, reason: str, actor: str | None, by: str) -> Draft:
    body = {"device": entry.op.device, "seq": entry.op.seq, "reason": reason} | ({"by": by} if by else {})
    return Draft(stream, actor or log.own(conn), kind, 1, entry.op.subject, body)


def hear(conn: Connection, op: Op) -> None:
    """A device learns what became of one of its own ops; another's comes back by its number, if at all."""
    body = op.body
    if body.get("device") != log.own(conn):
        return
    where = sa.and_(op_table.c.device == body["device"], op_table.c.seq == body.get("seq"))
    if op.kind == "op.released":
        conn.execute(sa.update(op_table).where(where).values(problem=None))
    elif op.kind == "op.dismissed":
        stated = json.dumps(Problem("not-allowed", str(body.get("reason", ""))).to_dict(), ensure_ascii=False)
        problem = sa.func.coalesce(op_table.c.problem, stated)
        conn.execute(sa.update(op_table).where(where).values(dismissed=True, problem=problem))
