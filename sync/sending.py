"""Sending the own log until the centre has acknowledged all of it (docs/protocol.md section 3, push)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from sync import erasing, identity, log, pace
from sync import receipt as receipts
from sync.link import Link
from sync.log import Application, Entry
from sync.op import chain
from sync.problem import Problem
from sync.tables import op as op_table
from sync.wire import MAX_BYTES, MAX_OPS, to_travel

Progress = Callable[[int, int], None]
Make = Callable[[Connection, int, int], dict[str, Any] | None]
_OWN = sa.select(op_table).where(op_table.c.device == sa.bindparam("device")).order_by(op_table.c.seq)
_FROM = _OWN.where(op_table.c.seq >= sa.bindparam("first")).limit(sa.bindparam("most"))
_SENT = _OWN.where(op_table.c.seq.between(sa.bindparam("first"), sa.bindparam("last")), op_table.c.body.is_not(None))


def push_all(link: Link, progress: Progress | None) -> int:
    most, pushed, gaps = MAX_OPS, 0, 0
    while True:
        with link.begin() as conn:
            state = log.state(conn)
            token = log.recall(conn, "token")
            line = pace.of(conn)
            document = batch(conn, state.through + 1, line.up.limit(most))
            # A receipt proves itself where none was ever given for as much: an old one cannot be played again.
            proven = (log.recall(conn, "receipt") or {}).get("through", 0)
        if document is None:
            return pushed
        if progress is not None:
            progress(pushed, pushed + state.waiting)
        link.tell("ops", pushed, pushed + state.waiting)
        try:
            reply = link.call("push", document, token, lean=document["from"] > proven)
        except Problem as problem:
            if problem.name == "server-unreachable":
                with link.begin() as conn:
                    line.up.failed(len(document["ops"]))
                    line.keep(conn)
            if problem.name == "too-large" and len(document["ops"]) > 1:
                most = len(document["ops"]) // 2
                continue
            if problem.name == "gap" and gaps < 3:
                gaps += 1
                with link.begin() as conn:
                    log.remember(conn, acked=int(problem.members["through"]))
                continue
            if problem.name == "fork":
                raise Problem("fork", seq=find_fork(link)) from problem
            raise
        with link.begin() as conn:
            last = document["from"] + len(document["ops"]) - 1
            take_answer(conn, link.app, document["from"], last, reply.document)
            line.up.took(len(document["ops"]), reply.sent, reply.seconds)
            line.keep(conn)
        pushed += len(document["ops"])


def batch(conn: Connection, first: int, most: int = MAX_OPS) -> dict[str, Any] | None:
    """The next push document of the own log, signed; None when there is nothing to send."""
    device = log.own(conn)
    key = identity.KeyPair.from_private(log.recall(conn, "private_key"))
    rows = conn.execute(_FROM, {"device": device, "first": first, "most": min(most, MAX_OPS)})
    return document_of(device, key, log.hash_at(conn, device, first - 1), rows)


def document_of(device: str, key: identity.KeyPair, prev: str, rows: Iterable[Row[Any]]) -> dict[str, Any] | None:
    """A push document of as many of these ops, which follow each other, as one may hold; None of none."""
    ops: list[dict[str, Any]] = []
    remains: dict[str, Any] = {}
    size, head, first, last = 0, prev, 0, 0
    for row in rows:
        size += len((row.body or "").encode()) + 400
        if ops and size > MAX_BYTES // 2:
            break
        ops.append({"erased": row.digest} if row.erased or row.body is None else to_travel(log.to_entry(row).op))
        if row.erased and row.body is not None:
            remains[str(row.seq)] = to_travel(log.to_entry(row).op)
        head, first, last = row.hash or chain(head, row.digest), first or row.seq, row.seq
    if not ops:
        return None
    sig = key.sign(identity.push_text(device, last, head))
    document = {"device": device, "from": first, "prev": prev, "ops": ops, "head": head, "sig": sig}
    return document | ({"remains": remains} if remains else {})


def take_answer(conn: Connection, app: Application, first: int, last: int, answer: dict[str, Any]) -> None:
    """Believe the server's signed word on ops first…last: which it holds for review or has given another clock.

    Raises: Problem `receipt-invalid`.
    """
    me = log.lock_device(conn, log.own(conn))
    receipt, through = answer["receipt"], int(answer["through"])
    right = (
        receipt["device"] == me.id
        and receipt["through"] == through
        and receipt["head"] == answer["head"]
        and identity.check_receipt(log.recall(conn, "server")["public_key"], receipt)
        and last <= through <= me.through
        and answer["head"] == log.hash_at(conn, me.id, through)
    )
    if not right:
        raise Problem("receipt-invalid")
    problems = {item["seq"]: item["problem"] for item in answer["quarantined"]}
    clocks = {item["seq"]: item["merge_hlc"] for item in answer["restamped"]}
    latest = me.clock
    told = {}
    changed = set()
    held = []
    for entry in sent(conn, me.id, first, last):
        seq = entry.op.seq
        merge_hlc, problem = clocks.get(seq), problems.get(seq)
        dismissed = entry.dismissed and problem is not None
        if (entry.merge_hlc, entry.problem, entry.dismissed) != (merge_hlc, problem, dismissed):
            merged = merge_hlc or entry.op.hlc
            stated = log.as_json(problem)
            told[me.id, seq] = {"problem": stated, "merge_hlc": merge_hlc, "clock": merged, "dismissed": dismissed}
            if entry.clock != merged:
                changed.add(entry.op.subject)
        held.append(replace(entry, merge_hlc=merge_hlc, problem=problem, dismissed=dismissed))
        latest = max(latest, merge_hlc or "")
    log.change(conn, told)
    app.replay(conn, changed)
    log.set_clock(conn, me.id, latest)
    log.remember(conn, acked=last)
    erasing.erase(conn, app, held)
    receipts.keep(conn, receipt)


def sent(conn: Connection, device: str, first: int, last: int) -> list[Entry]:
    asked = {"device": device, "first": first, "last": last}
    return [log.to_entry(row) for row in conn.execute(_SENT, asked)]


def find_fork(link: Link) -> int:
    """The first own op that differs from what the server has of this device: the logs are compared from the start."""
    with link.begin() as conn:
        token = log.recall(conn, "token")
    try:
        return push_from(link, token, 1, batch)
    except Problem as problem:
        if problem.name != "fork":
            raise
        return int(problem.members["seq"])


def push_from(link: Link, token: str | None, first: int, make: Make) -> int:
    """Push a log in batches from `first` on, also what the server has already; the number after its last op.

    `make`: the document that begins at an op, with at most so many; None at the end. Raises: Problem.
    """
    most = MAX_OPS
    while True:
        with link.begin() as conn:
            made = make(conn, first, most)
        if made is None:
            return first
        try:
            link.call("push", made, token)
        except Problem as problem:
            if problem.name == "too-large" and len(made["ops"]) > 1:
                most = len(made["ops"]) // 2
                continue
            raise
        first += len(made["ops"])
