"""What arrives but cannot stand yet: judged once, kept, released or dismissed by name (docs/protocol.md 2.4)."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import log, tables
from sync.log import Application, Begin, Draft, Entry, Grants, Streams
from sync.op import Op
from sync.problem import Problem
from sync.tables import op as op_table

WENT_AWAY = "the reason went away"
"""What the centre itself gives as its reason."""

# Reasons that can go away by themselves: the household arrives, the software is upgraded, the right is given.
PASSING = {"unknown-subject", "unknown-kind", "not-granted", "not-allowed"}


def judge(conn: Connection, app: Application, op: Op, grants: Grants) -> Problem | None:
    """Why an op by a device may not stand now, or None."""
    if op.kind.startswith("op."):
        return Problem("not-allowed", kind=op.kind, actor_or_device=op.device)
    problem = app.judge(conn, op, by_centre=False)
    if problem is not None and problem.name in ("unknown-kind", "invalid-body", "not-allowed"):
        return problem
    if not may_author(app, op, grants):
        return Problem("not-granted", stream=op.stream)
    return problem


def may_author(app: Application, op: Op, grants: Grants) -> bool:
    """`office` is written by every device and read by none; the rest needs a grant, or is granted by this very op."""
    return op.stream == "office" or grants.cover(op.stream) or app.opens(op)


def settle(begin: Begin, app: Application, now: datetime) -> int:
    """Release what can stand by now, each in a transaction of its own, until nothing more can. Returns how many."""
    released = 0
    while True:
        done = 0
        for entry in _due(begin, app):
            with begin() as conn:
                done += release(conn, app, entry.op.device, entry.op.seq, WENT_AWAY, None, now)
        if not done:
            return released
        released += done


def _due(begin: Begin, app: Application) -> list[Entry]:
    """What can stand by now. Where nothing has changed since the last look, only an upgrade can have helped."""
    with begin() as conn:
        numbered = conn.execute(sa.select(sa.func.coalesce(sa.func.sum(tables.stream.c.head), 0))).scalar_one()
        held = log.quarantined(conn)
        seen = [int(numbered), len(held)]
        changed = log.recall(conn, "settled") != seen
        reasons = PASSING if changed else {"unknown-kind"}
        own = log.own(conn)
        waiting = [e for e in held if _reason(e) in reasons and e.op.device != own]
        grants = cache(lambda device: app.grants(conn, device))
        due = [e for e in waiting if judge(conn, app, e.op, grants(e.op.device)) is None]
        if changed and not due:  # else the releases that follow are a change, or were cut short
            log.lock_device(conn, own)
            log.remember(conn, settled=seen)
        return due


def _reason(entry: Entry) -> str:
    return str((entry.problem or {}).get("type", "")).rpartition(":")[2]


def release(
    conn: Connection,
    app: Application,
    device: str,
    seq: int,
    reason: str,
    actor: str | None,
    now: datetime,
    by: str = "",
) -> bool:
    """Give a quarantined op the next number and tell its author.

    Without an `actor` it is the centre itself, which releases only what can stand now. `by`: the actor's name, for
    laptops that do not hold the people of the office. False: nothing to release.
    """
    log.lock_device(conn, log.own(conn))
    entry = log.find(conn, device, seq)
    if entry is None or entry.problem is None or entry.dismissed:
        return False
    notice = _notice_stream(conn, app, entry)
    streams = Streams(conn, {entry.op.stream, notice})
    if actor is None and judge(conn, app, entry.op, app.grants(conn, device)) is not None:
        return False
    n = streams.take(entry.op.stream, entry.clock)
    streams.save()
    where = sa.and_(op_table.c.device == device, op_table.c.seq == seq)
    conn.execute(sa.update(op_table).where(where).values(n=n, problem=None))
    released = log.find(conn, device, seq)
    assert released is not None
    log.put(conn, app, released)
    log.author(conn, app, [_said(conn, "op.released", notice, entry, reason, actor, by)], now)
    return True


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
