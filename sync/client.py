"""The laptop's end: pull, then push until the centre has acknowledged everything (docs/protocol.md section 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import clock, identity, log, quarantine, tables
from sync.log import Application, Begin, Entry, Streams
from sync.op import ZERO, Op, check_op, malformed
from sync.problem import Problem
from sync.tables import op as op_table
from sync.transport import Reply, Transport
from sync.wire import MAX_BYTES, MAX_OPS, to_travel

PAGE = 2000
STOPPING = {"fork", "unauthorized", "device-revoked", "malformed", "chain-broken", "bad-signature"}
"""Problems that going on alone cannot mend: sending stops, recording does not, and it is shown."""

Progress = Callable[[int, int], None]
Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one sync did."""

    pushed: int
    pulled: int


@dataclass(slots=True)
class Link:
    """What a sync needs: the database, the house, the line, a clock."""

    begin: Begin
    app: Application
    transport: Transport
    now: Now
    status: dict[str, Any] | None = None

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        """One round trip; notes how far the clock is off, from the answer's Date."""
        reply = self.transport.call(name, document, token)
        if reply.date is not None:
            offset = clock.to_ms(reply.date) - clock.to_ms(self.now())
            with self.begin() as conn:
                # Date has whole seconds: what is nearer than two is no offset that anybody could see.
                log.remember(conn, offset_ms=offset if abs(offset) > 2000 else 0)
        return reply


def enrol(link: Link, *, name: str, code: str | None = None, token: str | None = None) -> str:
    """Become a device. The key pair is kept before the call, so a lost reply costs no code. Returns the device id."""
    with link.begin() as conn:
        private = log.recall(conn, "next_private_key") or identity.KeyPair.generate().private
        log.remember(conn, next_private_key=private)
    key = identity.KeyPair.from_private(private)
    request = {"name": name, "public_key": key.public} | ({"code": code} if code else {})
    answer = link.call("enrol", request, token).document
    with link.begin() as conn:
        log.add_device(conn, answer["device"], name=name, public_key=key.public, now=link.now())
        log.remember(
            conn, role="field", device=answer["device"], name=name, private_key=private, next_private_key=None,
            token=answer["token"], server=answer["server"], epoch=answer["epoch"], grants=answer["grants"],
            acked=0, receipt=None, trouble=None,
        )  # fmt: skip
    return str(answer["device"])


def sync_once(link: Link, progress: Progress | None = None) -> Outcome:
    """Pull everything, push everything. What stops it is kept as `trouble` and raised.

    Raises: Problem.
    """
    try:
        pulled = _pull_all(link)
        pushed = _push_all(link, progress)
    except Problem as problem:
        with link.begin() as conn:
            if problem.name in STOPPING or not problem.kind.retry:
                log.remember(conn, trouble=problem.to_dict() | {"name": problem.name})
        raise
    with link.begin() as conn:
        _rest_clock(conn)
        log.remember(conn, trouble=None, synced_at=link.now().isoformat())
    return Outcome(pushed, pulled)


def _rest_clock(conn: Connection) -> None:
    """With the whole log acknowledged the clock starts again from the latest merge clock that is known."""
    state = log.state(conn)
    if state.waiting == 0:
        query = sa.select(op_table.c.clock).where(op_table.c.device == state.device)
        last = conn.execute(query.where(op_table.c.seq == state.last_seq)).scalar()
        _set_clock(conn, state.device, max(last or "", state.newest_clock or "", clock.EARLIEST))


def _set_clock(conn: Connection, device: str, latest: str) -> None:
    conn.execute(sa.update(tables.device).where(tables.device.c.id == device).values(clock=latest))


# --- pull ----------------------------------------------------------------------------------------------------


def _pull_all(link: Link) -> int:
    pulled = 0
    while True:
        with link.begin() as conn:
            token = log.recall(conn, "token")
            cursors = {r.stream: r.n for r in conn.execute(sa.select(tables.cursor))}
            request = {"epoch": log.recall(conn, "epoch"), "cursors": cursors, "limit": PAGE}
            if link.status is not None:
                request["status"] = link.status | {"waiting": log.state(conn).waiting}
        answer = link.call("pull", request, token).document
        with link.begin() as conn:
            pulled += _take_page(conn, link.app, answer, link.now())
        if not answer["more"]:
            return pulled


def _take_page(conn: Connection, app: Application, answer: dict[str, Any], now: datetime) -> int:
    """One page, whole or not at all: ops, cursors, grants and what the server holds of this device."""
    me = log.lock_device(conn, log.own(conn))
    if answer["epoch"] != log.recall(conn, "epoch"):
        conn.execute(sa.update(op_table).where(op_table.c.device != me.id).values(n=None))
        conn.execute(sa.delete(tables.cursor))
        log.remember(conn, epoch=answer["epoch"])
    _take_grants(conn, app, me.id, answer["grants"])
    streams = Streams(conn, {item["stream"] for item in answer["ops"]})
    latest = me.clock
    for item in answer["ops"]:
        latest = max(latest, _receive(conn, app, streams, item, now))
    streams.save()
    if latest > me.clock:
        _set_clock(conn, me.id, latest)
    conn.execute(sa.delete(tables.cursor))
    log.insert_new(conn, tables.cursor, [{"stream": s, "n": n} for s, n in sorted(answer["cursors"].items())])
    _compare_logs(conn, me.id, me.through, answer["through"], answer["head"])
    return len(answer["ops"])


def _receive(conn: Connection, app: Application, streams: Streams, item: dict[str, Any], now: datetime) -> str:
    """Keep and apply one op of a page, once. Returns its merge clock."""
    try:
        op = Op(**{field: item[field] for field in Op.__slots__})
        n, merge_hlc = int(item["n"]), item.get("merge_hlc")
    except (KeyError, TypeError, ValueError) as error:
        raise malformed("an op of a page lacks members") from error
    digest = sha256(check_op(op)).hexdigest()
    merged = merge_hlc or op.hlc
    streams.see(op.stream, n, merged)
    where = sa.and_(op_table.c.device == op.device, op_table.c.seq == op.seq)
    known = conn.execute(sa.select(op_table.c.clock, op_table.c.digest).where(where)).first()
    if known is None:
        entry = log.insert_op(conn, op, digest, now, n=n, merge_hlc=merge_hlc)
        log.put(conn, app, entry)
        if op.kind.startswith("op."):
            quarantine.hear(conn, op)
    else:
        values = {"n": n, "merge_hlc": merge_hlc, "clock": merged, "problem": None}
        conn.execute(sa.update(op_table).where(where).values(**values))
        if known.clock != merged:
            app.replay(conn, op.subject)
    return merged


def _take_grants(conn: Connection, app: Application, device: str, granted: list[str]) -> None:
    """Streams that came are filled from the own log at once; of those that went, only the own ops stay."""
    before, after = set(log.recall(conn, "grants", [])), set(granted)
    for stream in sorted(before - after):
        others = sa.and_(op_table.c.stream == stream, op_table.c.device != device)
        conn.execute(sa.delete(op_table).where(others))
        app.forget(conn, stream)
    for stream in sorted(after - before):
        for entry in list(log.iterate(conn, stream)):
            log.put(conn, app, entry)
    log.remember(conn, grants=sorted(after))


def _compare_logs(conn: Connection, device: str, last: int, through: int, head: str) -> None:
    """What the server holds of this device: less than it had, and sending starts there; something else is a fork."""
    if through > last:
        raise Problem("fork", seq=last + 1)
    if head != _hash(conn, device, through):
        raise Problem("fork", seq=max(1, through))
    if through < int(log.recall(conn, "acked", 0)):
        log.remember(conn, acked=through)


def _hash(conn: Connection, device: str, seq: int) -> str:
    if seq == 0:
        return ZERO
    query = sa.select(op_table.c.hash).where(op_table.c.device == device, op_table.c.seq == seq)
    return str(conn.execute(query).scalar_one())


# --- push ----------------------------------------------------------------------------------------------------


def _push_all(link: Link, progress: Progress | None) -> int:
    most, pushed, gaps = MAX_OPS, 0, 0
    while True:
        with link.begin() as conn:
            state = log.state(conn)
            token = log.recall(conn, "token")
            document = batch(conn, state.through + 1, most)
        if document is None:
            return pushed
        if progress is not None:
            progress(pushed, pushed + state.waiting)
        try:
            answer = link.call("push", document, token).document
        except Problem as problem:
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
            _take_answer(conn, link.app, document, answer)
        pushed += len(document["ops"])


def batch(conn: Connection, first: int, most: int = MAX_OPS) -> dict[str, Any] | None:
    """The next push document of the own log, signed; None when there is nothing to send."""
    device = log.own(conn)
    query = sa.select(op_table).where(op_table.c.device == device, op_table.c.seq >= first)
    ops: list[dict[str, Any]] = []
    size, head, last = 0, "", first - 1
    for row in conn.execute(query.order_by(op_table.c.seq).limit(min(most, MAX_OPS))):
        size += len((row.body or "").encode()) + 400
        if ops and size > MAX_BYTES // 2:
            break
        ops.append({"erased": row.digest} if row.body is None else to_travel(log.to_entry(row).op))
        head, last = row.hash, row.seq
    if not ops:
        return None
    key = identity.KeyPair.from_private(log.recall(conn, "private_key"))
    return {
        "device": device,
        "from": first,
        "prev": _hash(conn, device, first - 1),
        "ops": ops,
        "head": head,
        "sig": key.sign(identity.push_text(device, last, head)),
    }


def _take_answer(conn: Connection, app: Application, document: dict[str, Any], answer: dict[str, Any]) -> None:
    """Believe the server's signed word, and learn which ops it holds for review or has given another clock."""
    me = log.lock_device(conn, document["device"])
    receipt, through = answer["receipt"], int(answer["through"])
    right = (
        receipt["device"] == me.id
        and receipt["through"] == through
        and receipt["head"] == answer["head"]
        and identity.check_receipt(log.recall(conn, "server")["public_key"], receipt)
        and through <= me.through
        and answer["head"] == _hash(conn, me.id, through)
    )
    if not right:
        raise Problem("receipt-invalid")
    first, last = document["from"], document["from"] + len(document["ops"]) - 1
    problems = {item["seq"]: item["problem"] for item in answer["quarantined"]}
    clocks = {item["seq"]: item["merge_hlc"] for item in answer["restamped"]}
    latest = me.clock
    for entry in _sent(conn, me.id, first, last):
        merge_hlc = clocks.get(entry.op.seq)
        values = {
            "problem": log.as_json(problems.get(entry.op.seq)),
            "merge_hlc": merge_hlc,
            "clock": merge_hlc or entry.op.hlc,
        }
        where = sa.and_(op_table.c.device == me.id, op_table.c.seq == entry.op.seq)
        conn.execute(sa.update(op_table).where(where).values(**values))
        if entry.clock != values["clock"]:
            app.replay(conn, entry.op.subject)
        latest = max(latest, merge_hlc or "")
    _set_clock(conn, me.id, latest)
    log.remember(conn, acked=min(last, through), receipt=receipt)


def _sent(conn: Connection, device: str, first: int, last: int) -> list[Entry]:
    query = sa.select(op_table).where(
        op_table.c.device == device, op_table.c.seq.between(first, last), op_table.c.body.is_not(None)
    )
    return [log.to_entry(row) for row in conn.execute(query.order_by(op_table.c.seq))]


# --- a copy goes on as a new device ----------------------------------------------------------------------------


def find_fork(link: Link) -> int:
    """The first own op that differs from what the server has of this device: the logs are compared from the start."""
    first = 1
    while True:
        with link.begin() as conn:
            token, document = log.recall(conn, "token"), batch(conn, first)
        if document is None:
            return first
        try:
            link.call("push", document, token)
        except Problem as problem:
            if problem.name != "fork":
                raise
            return int(problem.members["seq"])
        first += len(document["ops"])


def enrol_again(link: Link) -> str:
    """After `fork`: become a new device and author there, in one transaction, all that only this copy has.

    Returns the new device id. Raises: Problem.
    """
    with link.begin() as conn:
        old, token, name = log.own(conn), log.recall(conn, "token"), log.recall(conn, "name")
    first = find_fork(link)
    with link.begin() as conn:
        kept = _sent(conn, old, first, log.state(conn).last_seq)
        receipt = log.recall(conn, "receipt")
        private = log.recall(conn, "next_private_key") or identity.KeyPair.generate().private
        log.remember(conn, next_private_key=private)
    key = identity.KeyPair.from_private(private)
    answer = link.call("enrol", {"name": name, "public_key": key.public}, token).document
    with link.begin() as conn:
        before = log.lock_device(conn, old)
        gone = sa.and_(op_table.c.device == old, op_table.c.seq >= first)
        conn.execute(sa.delete(op_table).where(gone))
        conn.execute(sa.update(op_table).values(n=None, hash=None))
        conn.execute(sa.delete(tables.cursor))
        conn.execute(sa.delete(tables.device).where(tables.device.c.id == old))
        log.add_device(conn, answer["device"], name=name, public_key=key.public, now=link.now())
        _set_clock(conn, answer["device"], before.clock)
        log.remember(
            conn, device=answer["device"], private_key=private, next_private_key=None, token=answer["token"],
            server=answer["server"], epoch=answer["epoch"], acked=0, trouble=None,
            receipt=None, earlier_receipt=receipt,
        )  # fmt: skip
        for subject in sorted({entry.op.subject for entry in kept}):
            link.app.replay(conn, subject)
        drafts = [
            log.Draft(e.op.stream, e.op.actor, e.op.kind, e.op.v, e.op.subject, e.op.body, e.op.hlc) for e in kept
        ]
        log.author(conn, link.app, drafts, link.now())
    return str(answer["device"])
