"""The central end: what push and pull answer (docs/protocol.md sections 2 and 3). HTTP is somebody else's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from sync import age, dictionary, identity, log, quarantine, tables, taking, witness
from sync.enrolment import device_of_token
from sync.log import Application, Begin, Grants
from sync.op import Op, chain, check_op, loads, malformed, uuid7
from sync.problem import Problem
from sync.tables import op as op_table
from sync.wire import MAX_BYTES, MAX_OPS, PullRequest, PushRequest, load, too_large, travelling_op

PAGE_BYTES = 2 * 1024 * 1024
LEAST = 200
"""So many rows are read at once, however small the page: those of the device that asks are passed over."""

_DEVICE = sa.select(tables.device).where(tables.device.c.id == sa.bindparam("device"))
_SEEN = sa.update(tables.device).where(tables.device.c.id == sa.bindparam("device")).values(seen_at=sa.bindparam("at"))
_HEADS = sa.select(tables.stream.c.name, tables.stream.c.head)
_NEW = (
    sa.select(op_table)
    .where(op_table.c.stream == sa.bindparam("named"), op_table.c.n > sa.bindparam("cursor"))
    .order_by(op_table.c.n)
    .limit(sa.bindparam("most"))
)
_BETWEEN = sa.and_(
    op_table.c.device == sa.bindparam("device"), op_table.c.seq.between(sa.bindparam("first"), sa.bindparam("last"))
)
_DIGESTS = sa.select(op_table.c.seq, op_table.c.digest).where(_BETWEEN).order_by(op_table.c.seq)
_TO_TELL = (
    sa.select(op_table.c.seq, op_table.c.problem, op_table.c.merge_hlc)
    .where(_BETWEEN, sa.or_(op_table.c.problem.is_not(None), op_table.c.merge_hlc.is_not(None)))
    .order_by(op_table.c.seq)
)


def set_up(conn: Connection, *, name: str, now: datetime, key: identity.KeyPair | None = None) -> str:
    """Give a new centre its identity and epoch; returns its device id."""
    key = key or identity.KeyPair.generate()
    device = uuid7()
    log.remember(conn, role="central", device=device, private_key=key.private, epoch=uuid7())
    log.add_device(conn, device, name=name, public_key=key.public, now=now)
    age.own_recipient(conn)
    return device


def new_epoch(conn: Connection, now: datetime) -> str:
    """After a restore: a new epoch and a new device id under the same key, so that no number is used twice."""
    old = log.lock_device(conn, log.own(conn))
    device, epoch = uuid7(), uuid7()
    log.add_device(conn, device, name=old.name, public_key=old.public_key, now=now)
    where = tables.device.c.id == device
    conn.execute(sa.update(tables.device).where(where).values(clock=old.clock))
    log.remember(conn, device=device, epoch=epoch)
    return epoch


def revoke(conn: Connection, device: str) -> None:
    """From this commit on the device gets and gives nothing."""
    conn.execute(sa.update(tables.device).where(tables.device.c.id == device).values(revoked=True))


# --- push ----------------------------------------------------------------------------------------------------


def push(begin: Begin, app: Application, token: str | None, raw: bytes, now: datetime) -> dict[str, Any]:
    """Take a batch of ops: all of them durable when this returns, or none.

    Raises: Problem as in the protocol's table, in its order: token, size, well-formedness, chain, signature,
    fork, gap.
    """
    with begin() as conn:
        device = device_of_token(conn, token)
    batch = check_document(device.id, device.public_key, raw)
    batch.arrivals(app)  # while nothing is locked
    with begin() as conn:
        device = device_of_token(conn, token)  # again: meanwhile it may have been revoked, or have sent the same
        answer = take_document(conn, app, device, batch, now)
    quarantine.settle(begin, app, now)
    return answer


@dataclass(slots=True)
class Batch:
    """A push document that is whole: its ops follow each other by hash, and its device has signed for them."""

    first: int
    prev: str
    ops: list[Op | str]
    digests: list[str]
    hashes: list[str]
    remains: dict[int, Op]
    _arrivals: list[taking.Arrival] = field(default_factory=list)

    def arrivals(self, app: Application) -> list[taking.Arrival]:
        """Its elements, checked once as far as they can be by themselves."""
        if not self._arrivals:
            self._arrivals = taking.arrivals(app, self.first, self.ops, self.digests, self.hashes, self.remains)
        return self._arrivals

    @property
    def last(self) -> int:
        """The number of its last op."""
        return self.first + len(self.ops) - 1


def check_document(device: str, public_key: str, raw: bytes) -> Batch:
    """What of a push document can be judged by itself, whichever way it came. Raises: Problem, but fork and gap."""
    if len(raw) > MAX_BYTES:
        raise too_large()
    document = loads(raw)
    if isinstance(document, dict) and isinstance(document.get("device"), str) and document["device"] != device:
        raise Problem("unauthorized")
    if isinstance(document, dict) and isinstance(document.get("ops"), list) and len(document["ops"]) > MAX_OPS:
        raise too_large()
    request = load(PushRequest, document)
    first: int = request["from_"]
    ops, digests = _read_ops(device, first, request["ops"])
    hashes = _check_chain(request, digests)
    batch = Batch(first, request["prev"], ops, digests, hashes, _remains(device, request.get("remains", {})))
    if not identity.verify(public_key, identity.push_text(device, batch.last, request["head"]), request["sig"]):
        raise Problem("bad-signature")
    return batch


def take_document(conn: Connection, app: Application, device: Row[Any], batch: Batch, now: datetime) -> dict[str, Any]:
    """Keep what is new of a batch, and say what became of all of it. `device`: its row, locked. Raises: fork, gap."""
    _check_place(conn, device, batch.first, batch.prev, batch.digests)
    new = device.through + 1 - batch.first
    if batch.last > device.through:
        taking.take(conn, app, device, batch.arrivals(app)[new:], now)
    return _answer(conn, device.id, batch.first, batch.last, now)


def _read_ops(device: str, first: int, items: list[dict[str, Any]]) -> tuple[list[Op | str], list[str]]:
    ops = [travelling_op(device, first + i, item) for i, item in enumerate(items)]
    return ops, [op if isinstance(op, str) else sha256(check_op(op)).hexdigest() for op in ops]


def _remains(device: str, said: dict[str, Any]) -> dict[int, Op]:
    """By number, what its author has left of ops whose body was erased."""
    found = {}
    for seq, item in said.items():
        if isinstance(item, dict) and re.fullmatch("[1-9][0-9]{0,15}", seq):
            op = travelling_op(device, int(seq), item)
            if isinstance(op, Op):
                check_op(op)
                found[op.seq] = op
    return found


def _check_chain(request: dict[str, Any], digests: list[str]) -> list[str]:
    hashes = []
    head = request["prev"]
    for digest in digests:
        head = chain(head, digest)
        hashes.append(head)
    if head != request["head"]:
        raise Problem("chain-broken")
    return hashes


def _check_place(conn: Connection, device: Row[Any], first: int, prev: str, digests: list[str]) -> None:
    """Fork before gap: `prev`, and the ops that are held already, must be the same here."""
    if first > device.through + 1:
        raise Problem("gap", through=device.through)
    if prev != log.hash_at(conn, device.id, first - 1):
        raise Problem("fork", seq=max(1, first - 1))
    asked = {"device": device.id, "first": first, "last": first + len(digests) - 1}
    for row in conn.execute(_DIGESTS, asked):
        if row.digest != digests[row.seq - first]:
            raise Problem("fork", seq=row.seq)


def _answer(conn: Connection, device: str, first: int, last: int, now: datetime) -> dict[str, Any]:
    row = conn.execute(_DEVICE, {"device": device}).one()
    rows = conn.execute(_TO_TELL, {"device": device, "first": first, "last": last}).all()
    key = identity.KeyPair.from_private(log.recall(conn, "private_key"))
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "through": row.through,
        "head": row.head,
        "quarantined": [{"seq": r.seq, "problem": json.loads(r.problem)} for r in rows if r.problem],
        "restamped": [{"seq": r.seq, "merge_hlc": r.merge_hlc} for r in rows if r.merge_hlc],
        "receipt": identity.make_receipt(key, device, row.through, row.head, at),
    }


# --- pull ----------------------------------------------------------------------------------------------------


def pull(
    begin: Begin, app: Application, token: str | None, raw: bytes, now: datetime, version: str | None = None
) -> dict[str, Any]:
    """Everything that is new in the streams of a device, in one page. `version`: of this program; told to a device
    that says it has another one.

    Raises: Problem `unauthorized`, `device-revoked`, `too-large`, `malformed`.
    """
    quarantine.settle(begin, app, now)
    with begin() as conn:
        device = device_of_token(conn, token)
        if len(raw) > MAX_BYTES:
            raise too_large()
        request = load(PullRequest, loads(raw))
        if request.get("status") is not None and len(json.dumps(request["status"])) > 4096:
            raise malformed("status is longer than 4096 characters")
    if said := request.get("erasures"):
        with begin() as conn:
            app.remind(conn, said, now)
    with begin() as conn:
        device = device_of_token(conn, token)
        note_seen(conn, device, request.get("status"), now)
        answer = pull_page(conn, app, device, request.get("epoch"), request.get("cursors", {}), request["limit"], now)
        if (witnessed := request.get("witness")) is not None:
            answer["witness"] = witness.answer(conn, witnessed)
        if known := dictionary.common(request.get("dictionary")):
            answer["dictionary"] = known
        if age.recipient_of(told := request.get("age_recipient")) is not None:
            where = tables.device.c.id == device.id
            conn.execute(sa.update(tables.device).where(where).values(age_recipient=told))
            answer["age_recipient"] = age.own_recipient(conn)
        if version and (request.get("status") or {}).get("version", version) != version:
            answer["version"] = version
        return answer


def pull_page(
    conn: Connection, app: Application, device: Row[Any], asked_epoch: str | None, cursors: dict[str, int],
    limit: int, now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """One page of what is new for a device, whichever way it asked."""
    epoch = log.recall(conn, "epoch")
    grants = app.grants(conn, device.id)
    ops, reached, heads = _page(conn, device.id, grants, cursors if asked_epoch == epoch else {}, limit)
    return {
        "epoch": epoch,
        "grants": sorted(grants.streams),
        "server_time": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "through": device.through,
        "head": device.head,
        "ops": ops,
        "cursors": reached,
        "more": bool(heads),
        **({"heads": heads} if heads else {}),
    }


def note_seen(conn: Connection, device: Row[Any], status: dict[str, Any] | None, now: datetime) -> None:
    """A device was heard of, and what it said of itself."""
    values = {"device": device.id, "at": now.isoformat()}
    if status is None:
        conn.execute(_SEEN, values)
        return
    # What it said was waiting shrinks by what has come since: a pull is asked before the push.
    # Escaped, because nobody has looked for lone surrogates in it.
    told = json.dumps(status | {"through_then": device.through})
    conn.execute(_SEEN.values(status=sa.bindparam("told")), values | {"told": told})


def _page(
    conn: Connection, device: str, grants: Grants, asked: dict[str, int], limit: int
) -> tuple[list[dict[str, Any]], dict[str, int], dict[str, int]]:
    """Ops, the cursors after them, and the heads of the streams that have more to come."""
    heads = {r.name: r.head for r in conn.execute(_HEADS)}
    cursors = {name: min(asked.get(name, 0), heads.get(name, 0)) for name in sorted(grants.streams)}
    ops: list[dict[str, Any]] = []
    size = 0
    for name in _reading_order(cursors):
        if cursors[name] >= heads.get(name, 0):
            continue
        most = max(limit - len(ops), LEAST)
        for row in conn.execute(_NEW, {"named": name, "cursor": cursors[name], "most": most}):
            if len(ops) >= limit or size > PAGE_BYTES:
                return ops, cursors, _coming(cursors, heads)
            if row.device != device and row.body is not None:
                ops.append(_numbered(row))
                size += len(row.body) + 300
            cursors[name] = row.n
        if cursors[name] < heads[name]:
            return ops, cursors, _coming(cursors, heads)
    return ops, cursors, {}


def _coming(cursors: dict[str, int], heads: dict[str, int]) -> dict[str, int]:
    return {name: heads[name] for name, n in cursors.items() if n < heads.get(name, 0)}


def _reading_order(names: dict[str, int]) -> list[str]:
    """What everything else refers to comes first: the organisation, the people, the trips, then the towns."""
    rank = {"o": 0, "t": 1}
    return sorted(names, key=lambda name: (rank.get(name[:1], 2), name))


def _numbered(row: Row[Any]) -> dict[str, Any]:
    item = {
        "stream": row.stream, "n": row.n, "device": row.device, "seq": row.seq, "hlc": row.hlc, "actor": row.actor,
        "kind": row.kind, "v": row.v, "subject": row.subject, "body": json.loads(row.body),
    }  # fmt: skip
    item |= {"merge_hlc": row.merge_hlc} if row.merge_hlc else {}
    return item | ({"erased": row.digest} if row.erased else {})
