"""Ops whose personal data were erased: the body is what stays, the digest that of the whole (docs/protocol.md 7).

The house knows what is erased and what stays of a body; here it is written, and what hung on the body goes with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import log, node, rows, tables
from sync.model import Application, Entry, Place
from sync.op import Body, uuid7
from sync.tables import blob, blob_name, blob_part, blob_upload
from sync.tables import op as op_table

ANEW = "write_anew"
"""Something was erased since the files were last written anew: free pages may hold it."""
Remainders = Callable[[Connection, Sequence[Entry]], dict[Place, Body]]
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_WITH_BODY = op_table.c.body.is_not(None)
_ABOUT = sa.select(op_table).where(_WITH_BODY, rows.one_of(op_table.c.subject, "subjects"))
_ODD = sa.select(op_table).where(
    _WITH_BODY,
    sa.or_(op_table.c.problem.is_not(None), sa.not_(op_table.c.applied)),
    op_table.c.body.contains(sa.bindparam("name")),
)


def reduced(conn: Connection, app: Application, entries: Sequence[Entry]) -> list[Entry]:
    """Entries as they may be kept: of those that an erasure covers, what stays.

    What this node has not told the centre yet is told whole, and reduced when it is acknowledged (`erase`).
    """
    left = _left(conn, app, entries)
    return [_with(entry, left[_place(entry)]) if _place(entry) in left else entry for entry in entries]


def erase(conn: Connection, app: Application, entries: Sequence[Entry]) -> int:
    """Of these ops, which are held, only what may be kept stays; returns how many became less.

    Photos and signatures go that no other op names; the tables follow.
    """
    left = _left(conn, app, entries)
    less = [entry for entry in entries if _place(entry) in left]
    log.change(conn, {_place(entry): _values(_with(entry, left[_place(entry)])) for entry in less})
    if less:
        _drop_blobs(conn, less)
        node.remember(conn, **{ANEW: uuid7()})
        app.replay(conn, {entry.op.subject for entry in less})
        app.cleared(conn, less)
    return len(less)


def still_whole(conn: Connection, remainders: Remainders, entries: Sequence[Entry]) -> list[Entry]:
    """Of these, those that should have become less by now."""
    left = remainders(conn, told) if (told := _told(conn, entries)) else {}
    return [entry for entry in told if left.get(_place(entry), entry.op.body) != entry.op.body]


def about(conn: Connection, subjects: Collection[str], names: Iterable[str] = ()) -> list[Entry]:
    """All ops with a body about these subjects, and what is not in the tables, for it waits, and has one of `names`."""
    found = {(row.device, row.seq): row for row in conn.execute(_ABOUT, {"subjects": sorted(subjects)})}
    for name in names:
        found |= {(row.device, row.seq): row for row in conn.execute(_ODD, {"name": name})}
    return [log.to_entry(row) for row in found.values()]


def _left(conn: Connection, app: Application, entries: Sequence[Entry]) -> dict[Place, Body]:
    """By place, what stays of those of which something has to go, and may."""
    told = _told(conn, entries)
    bodies = app.remainders(conn, told) if told else {}
    return {_place(e): bodies[_place(e)] for e in told if bodies.get(_place(e), e.op.body) != e.op.body}


def _told(conn: Connection, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Those that the centre has: the others are pushed whole first, so that what stays of them is there as well."""
    if node.is_centre(conn):
        return entries
    own, acked = node.own(conn), int(node.recall(conn, "acked", 0))
    return [entry for entry in entries if entry.op.device != own or entry.op.seq <= acked]


def _place(entry: Entry) -> Place:
    return entry.op.device, entry.op.seq


def _with(entry: Entry, body: Body) -> Entry:
    """What was said against a body may repeat it: the name of the problem stays."""
    problem = entry.problem and {key: entry.problem[key] for key in ("type", "title", "status") if key in entry.problem}
    return replace(entry, op=replace(entry.op, body=body), problem=problem, erased=True)


def _values(entry: Entry) -> dict[str, object]:
    return {"body": _encode(entry.op.body), "erased": True, "problem": node.as_json(entry.problem)}


def _drop_blobs(conn: Connection, entries: Sequence[Entry]) -> None:
    names: set[str] = set()
    for entry in entries:
        where = blob_name.c.device == entry.op.device, blob_name.c.seq == entry.op.seq
        names |= set(conn.execute(sa.select(blob_name.c.sha256).where(*where)).scalars())
        conn.execute(sa.delete(blob_name).where(*where))
    named = sa.select(blob_name.c.sha256).where(blob_name.c.sha256.in_(names))
    gone = sorted(names - set(conn.execute(named).scalars()))
    for table in (blob_part, blob_upload, blob):
        conn.execute(sa.delete(table).where(table.c.sha256.in_(gone)))


def anew_is_due(conn: Connection) -> str | None:
    """The name of the last erasure since the files were last written anew; None when there was none."""
    found = node.recall(conn, ANEW)
    return None if found is None else str(found)


def tables_touched() -> list[str]:
    """The log's tables that held what was erased."""
    return [table.name for table in (tables.op, blob_name, blob, blob_part, blob_upload, tables.node)]
