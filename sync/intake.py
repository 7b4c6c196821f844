"""What a laptop makes of a page: ops applied once, grants that come and go, a centre that was restored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import blobs, earlier, freshness, log, quarantine, reminding, tables
from sync.log import Application, Entry
from sync.op import HEX64, Op, check_op, malformed
from sync.problem import Problem
from sync.streams import Streams
from sync.tables import op as op_table


def take_page(conn: Connection, app: Application, answer: dict[str, Any], now: datetime) -> int:
    """One page, whole or not at all: ops, cursors, grants and what the server holds of this device.

    Returns how many ops came. Raises: Problem `fork`, `malformed`.
    """
    me = log.lock_device(conn, log.own(conn))
    if answer["epoch"] != log.recall(conn, "epoch"):
        begin_epoch(conn, me.id, answer["epoch"])
        reminding.begin(conn, app)
    _take_grants(conn, app, me.id, answer["grants"])
    freshness.tell_of_grants(conn, now)
    entries = [_entry(item, now) for item in answer["ops"]]
    _see(conn, entries)
    through = me.through
    _receive(conn, app, [entry for entry in entries if entry.op.device != me.id], now)
    me = log.lock_device(conn, me.id)
    latest = max((entry.clock for entry in entries), default=me.clock)
    if latest > me.clock:
        log.set_clock(conn, me.id, latest)
    freshness.take(conn, answer, now)
    _compare_logs(conn, me.id, through, answer["through"], answer["head"])
    if not answer["more"] and log.recall(conn, "renumbering"):
        _set_aside(conn, app, me.id)
    return len(answer["ops"])


def _entry(item: dict[str, Any], now: datetime) -> Entry:
    try:
        op = Op(**{field: item[field] for field in Op.__slots__})
        n, merge_hlc, erased = int(item["n"]), item.get("merge_hlc"), item.get("erased")
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("an op of a page lacks members") from error
    digest = sha256(check_op(op)).hexdigest()
    if erased is not None:
        if not isinstance(erased, str) or HEX64.fullmatch(erased) is None:
            raise malformed("erased is not a digest")
        digest = erased
    return log.new_entry(op, digest, now, n=n, merge_hlc=merge_hlc, erased=erased is not None)


def _see(conn: Connection, entries: Sequence[Entry]) -> None:
    streams = Streams(conn, {entry.op.stream for entry in entries})
    for entry in entries:
        assert entry.n is not None
        streams.see(entry.op.stream, entry.n, entry.clock)
    streams.save()


def _receive(conn: Connection, app: Application, entries: Sequence[Entry], now: datetime) -> None:
    """Keep and apply others' ops of a page, once; of one that stands in it twice, what it says last."""
    told = {(entry.op.device, entry.op.seq): entry for entry in entries}
    known = log.rows_at(conn, told)
    ends: dict[str, int] = {}
    for place, row in known.items():
        if row.digest != told[place].digest:
            ends[place[0]] = min(place[1], ends.get(place[0], place[1]))
    mine = earlier.logs(conn)
    for device, first in ends.items():
        if device in mine and first <= mine[device]["through"]:
            earlier.end(conn, app, device, first, now)
            known = log.rows_at(conn, told)
    # The centre was restored, and another copy of that laptop came first.
    other = {place for place, row in known.items() if row.digest != told[place].digest}
    for device, seq in other:
        conn.execute(sa.delete(op_table).where(op_table.c.device == device, op_table.c.seq == seq))
    same = {place: told[place] for place in known.keys() - other}
    log.change(conn, {place: _standing(entry) for place, entry in same.items()})
    moved = {place for place, e in same.items() if known[place].clock != e.clock or known[place].problem is not None}
    changed = {known[place].subject for place in other | moved}
    app.replay(conn, changed)
    log.keep(conn, app, [entry for place, entry in told.items() if place not in known or place in other])
    for entry in entries:
        if entry.op.kind.startswith("op."):
            quarantine.hear(conn, entry.op)


def _standing(entry: Entry) -> dict[str, Any]:
    """What a page says of an op that is held already."""
    return {"n": entry.n, "merge_hlc": entry.merge_hlc, "clock": entry.clock, "problem": None, "dismissed": False}


def _take_grants(conn: Connection, app: Application, device: str, granted: list[str]) -> None:
    """Of streams that went, others' ops are deleted and the own ones leave the tables; they return with the grant."""
    before, after = set(log.recall(conn, "grants", [])), set(granted)
    withdrawn = set(log.recall(conn, "withdrawn", []))
    gone, back = before - after, withdrawn & after
    log.remember(conn, grants=sorted(after), withdrawn=sorted((withdrawn | gone) - after))
    if gone:
        reminding.keep(conn, app, gone)
    # What this laptop recorded as an earlier device is kept for good, as its own log is.
    kept = earlier.within(earlier.logs(conn))
    for stream in sorted(gone):
        others = sa.and_(op_table.c.stream == stream, op_table.c.device != device)
        conn.execute(sa.delete(op_table).where(others, ~kept))
        quarantine.set_aside(conn, others)
        app.forget(conn, stream)
    if gone:
        blobs.drop_unnamed(conn)
    for stream in sorted(back):
        entries = list(log.iterate(conn, stream))
        log.put(conn, app, entries)
        # With all of them told apart that this version does not understand.
        app.replay(conn, {entry.op.subject for entry in entries})


def begin_epoch(conn: Connection, device: str, epoch: str) -> None:
    """The centre was restored: every op is numbered anew, and the own log is compared from its start.

    The centre may have forgotten what it released, dismissed or restamped; its answers to what it holds say so.
    """
    conn.execute(sa.update(op_table).where(op_table.c.device != device).values(n=None))
    conn.execute(sa.update(op_table).where(op_table.c.device == device).values(dismissed=False))
    conn.execute(sa.update(tables.cursor).values(n=0))
    blobs.ask_again(conn)
    earlier.forget_acknowledged(conn)
    log.remember(conn, epoch=epoch, acked=0, renumbering=True, heard=None)


def _set_aside(conn: Connection, app: Application, device: str) -> None:
    """What the centre has not numbered again is kept, but counts no more, until its author has sent it again."""
    where = sa.and_(op_table.c.device != device, op_table.c.n.is_(None), op_table.c.problem.is_(None))
    subjects = {s for s in conn.execute(sa.select(op_table.c.subject).distinct().where(where)).scalars() if s}
    quarantine.set_aside(conn, where)
    app.replay(conn, subjects)
    log.remember(conn, renumbering=None)


def _compare_logs(conn: Connection, device: str, last: int, through: int, head: str) -> None:
    """What the server holds of this device: less than it had, and sending starts there; something else is a fork."""
    if through > last:
        raise Problem("fork", seq=last + 1)
    if head != log.hash_at(conn, device, through):
        raise Problem("fork", seq=max(1, through))
    if through < int(log.recall(conn, "acked", 0)):
        log.remember(conn, acked=through)
