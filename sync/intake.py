"""What a laptop makes of a page: ops applied once, grants that come and go, a centre that was restored."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import blobs, log, quarantine, tables
from sync.log import Application, Streams
from sync.op import Op, check_op, malformed
from sync.problem import Problem
from sync.tables import op as op_table


def take_page(conn: Connection, app: Application, answer: dict[str, Any], now: datetime) -> int:
    """One page, whole or not at all: ops, cursors, grants and what the server holds of this device.

    Returns how many ops came. Raises: Problem `fork`, `malformed`.
    """
    me = log.lock_device(conn, log.own(conn))
    if answer["epoch"] != log.recall(conn, "epoch"):
        begin_epoch(conn, me.id, answer["epoch"])
    _take_grants(conn, app, me.id, answer["grants"])
    streams = Streams(conn, {item["stream"] for item in answer["ops"]})
    latest = me.clock
    for item in answer["ops"]:
        latest = max(latest, _receive(conn, app, me.id, streams, item, now))
    streams.save()
    if latest > me.clock:
        log.set_clock(conn, me.id, latest)
    conn.execute(sa.delete(tables.cursor))
    log.insert_new(conn, tables.cursor, [{"stream": s, "n": n} for s, n in sorted(answer["cursors"].items())])
    _compare_logs(conn, me.id, me.through, answer["through"], answer["head"])
    if not answer["more"] and log.recall(conn, "renumbering"):
        _set_aside(conn, app, me.id)
    return len(answer["ops"])


def _receive(
    conn: Connection, app: Application, own: str, streams: Streams, item: dict[str, Any], now: datetime
) -> str:
    """Keep and apply one op of a page, once. Returns its merge clock."""
    try:
        op = Op(**{field: item[field] for field in Op.__slots__})
        n, merge_hlc = int(item["n"]), item.get("merge_hlc")
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("an op of a page lacks members") from error
    digest = sha256(check_op(op)).hexdigest()
    merged = str(merge_hlc or op.hlc)
    streams.see(op.stream, n, merged)
    if op.device == own:
        return merged
    where = sa.and_(op_table.c.device == op.device, op_table.c.seq == op.seq)
    known = conn.execute(sa.select(op_table).where(where)).first()
    if known is not None and known.digest != digest:
        # The centre was restored, and another copy of that laptop came first.
        conn.execute(sa.delete(op_table).where(where))
        app.replay(conn, known.subject)
        known = None
    if known is None:
        log.put(conn, app, log.insert_op(conn, op, digest, now, n=n, merge_hlc=merge_hlc))
    else:
        values = {"n": n, "merge_hlc": merge_hlc, "clock": merged, "problem": None, "dismissed": False}
        conn.execute(sa.update(op_table).where(where).values(**values))
        if known.clock != merged or known.problem is not None:
            app.replay(conn, op.subject)
    if op.kind.startswith("op."):
        quarantine.hear(conn, op)
    return merged


def _take_grants(conn: Connection, app: Application, device: str, granted: list[str]) -> None:
    """Of streams that went, others' ops are deleted and the own ones leave the tables; they return with the grant."""
    before, after = set(log.recall(conn, "grants", [])), set(granted)
    withdrawn = set(log.recall(conn, "withdrawn", []))
    gone, back = before - after, withdrawn & after
    log.remember(conn, grants=sorted(after), withdrawn=sorted((withdrawn | gone) - after))
    for stream in sorted(gone):
        others = sa.and_(op_table.c.stream == stream, op_table.c.device != device)
        conn.execute(sa.delete(op_table).where(others))
        app.forget(conn, stream)
    if gone:
        blobs.drop_unnamed(conn)
    for stream in sorted(back):
        entries = list(log.iterate(conn, stream))
        for entry in entries:
            log.put(conn, app, entry)
        for subject in sorted({entry.op.subject for entry in entries}):
            app.replay(conn, subject)  # with all of them told apart that this version does not understand


def begin_epoch(conn: Connection, device: str, epoch: str) -> None:
    """The centre was restored: every op is numbered anew, and the own log is compared from its start.

    The centre may have forgotten what it released, dismissed or restamped; its answers to what it holds say so.
    """
    conn.execute(sa.update(op_table).where(op_table.c.device != device).values(n=None))
    conn.execute(sa.update(op_table).where(op_table.c.device == device).values(dismissed=False))
    conn.execute(sa.delete(tables.cursor))
    blobs.ask_again(conn)
    log.remember(conn, epoch=epoch, acked=0, renumbering=True, heard=None)


def _set_aside(conn: Connection, app: Application, device: str) -> None:
    """What the centre has not numbered again is kept, but counts no more, until its author has sent it again."""
    where = sa.and_(op_table.c.device != device, op_table.c.n.is_(None), op_table.c.problem.is_(None))
    subjects = sorted(s for s in conn.execute(sa.select(op_table.c.subject).distinct().where(where)).scalars() if s)
    stated = log.as_json(Problem("not-numbered").to_dict())
    conn.execute(sa.update(op_table).where(where).values(problem=stated, dismissed=True))
    for subject in subjects:
        app.replay(conn, subject)
    log.remember(conn, renumbering=None)


def _compare_logs(conn: Connection, device: str, last: int, through: int, head: str) -> None:
    """What the server holds of this device: less than it had, and sending starts there; something else is a fork."""
    if through > last:
        raise Problem("fork", seq=last + 1)
    if head != log.hash_at(conn, device, through):
        raise Problem("fork", seq=max(1, through))
    if through < int(log.recall(conn, "acked", 0)):
        log.remember(conn, acked=through)
