"""The laptop's end: pull, then push until the centre has acknowledged everything (docs/protocol.md section 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import clock, identity, intake, log, tables, witness
from sync.log import Application, Begin, Entry
from sync.problem import Problem
from sync.proof import Proof
from sync.tables import op as op_table
from sync.transport import Reply, Transport
from sync.wire import ANSWERS, MAX_BYTES, MAX_OPS, load, to_travel

PAGE = 2000
STOPPING = {"fork", "unauthorized", "device-revoked", "malformed", "chain-broken", "bad-signature", "other-server"}
"""Problems that going on alone cannot mend: sending stops, recording does not, and it is shown."""

Progress = Callable[[int, int], None]
Expects = Callable[[str], bool]
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

    def call(self, name: str, document: dict[str, Any], token: str | None, *, anew: bool = False) -> Reply:
        """One round trip; notes how far the clock is off, from the answer's Date.

        `name`: as for the transport; of an answer at another path only the sender is checked.
        Only the server that was enrolled with is believed, unless this device enrols `anew`, with whoever answers.
        """
        try:
            reply = self.transport.call(name, document, token)
        except Problem as problem:
            if problem.proof is not None and not anew:
                with self.begin() as conn:
                    problem.verified = _is_ours(conn, problem.proof, said=problem)
            raise
        with self.begin() as conn:
            if reply.proof is not None and not anew:
                reply = replace(reply, verified=_is_ours(conn, reply.proof))
            try:
                if name in ANSWERS:
                    load(ANSWERS[name], reply.document)
            except Problem as problem:
                raise Problem("server-error", problem.detail, http_status=200) from problem
            if reply.date is not None:
                offset = clock.to_ms(reply.date) - clock.to_ms(self.now())
                # Date has whole seconds: what is nearer than two is no offset that anybody could see.
                log.remember(conn, offset_ms=offset if abs(offset) > 2000 else 0)
        return reply


def _is_ours(conn: Connection, proof: Proof, said: Problem | None = None) -> bool:
    """Whether an answer is signed by the server that was enrolled with; true once, it must be so from then on.

    Raises: Problem `other-server`; `server-error` for an unsigned excuse, which asks for nothing but patience.
    """
    card = log.recall(conn, "server", {})
    if proof.by(str(card.get("public_key"))):
        if not card.get("signs"):
            log.remember(conn, server=card | {"signs": True})
        return True
    if proof.signature is None and not card.get("signs"):
        return False
    if proof.signature is None and said is not None and said.status >= 500:
        raise Problem("server-error", http_status=said.status)
    raise Problem("other-server")


def enrol(
    link: Link, *, name: str, code: str | None = None, token: str | None = None, expects: Expects | None = None
) -> str:
    """Become a device. Returns its id. `expects`: whether a public key is that of the server that is meant.

    Raises: Problem.
    """
    key = _next_key(link, code)
    request = {"name": name, "public_key": key.public} | ({"code": code} if code else {})
    answer = _ask_to_enrol(link, request, token, anew=True, expects=expects)
    with link.begin() as conn:
        log.add_device(conn, answer["device"], name=name, public_key=key.public, now=link.now())
        log.remember(
            conn, role="field", device=answer["device"], name=name, private_key=key.private, next_keys=None,
            token=answer["token"], server=answer["server"], epoch=answer["epoch"], grants=answer["grants"],
            acked=0, receipt=None, trouble=None,
        )  # fmt: skip
    return str(answer["device"])


def _ask_to_enrol(
    link: Link, request: dict[str, Any], token: str | None, *, anew: bool, expects: Expects | None = None
) -> dict[str, Any]:
    """The answer to enrol. Its `server` says `signs` when it is signed by the very key that it names."""
    reply = link.call("enrol", request, token, anew=anew)
    card, proof = reply.document["server"], reply.proof
    key = str(card.get("public_key"))
    signs = proof is not None and proof.by(key)
    forged = proof is not None and proof.signature is not None and not signs
    if forged or (expects is not None and not (signs and expects(key))):
        raise Problem("other-server")
    return reply.document | {"server": card | {"signs": signs}}


def _next_key(link: Link, code: str | None) -> identity.KeyPair:
    """The key pair is kept before the call, one for each code, so that a lost reply costs no code."""
    use = identity.hash_secret(identity.plain_code(code or ""))
    with link.begin() as conn:
        keys = log.recall(conn, "next_keys", {})
        keys.setdefault(use, identity.KeyPair.generate().private)
        log.remember(conn, next_keys=keys)
    return identity.KeyPair.from_private(keys[use])


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
        log.set_clock(conn, state.device, max(last or "", state.newest_clock or "", clock.EARLIEST))


# --- pull ----------------------------------------------------------------------------------------------------


def _pull_all(link: Link) -> int:
    pulled = 0
    while True:
        with link.begin() as conn:
            token = log.recall(conn, "token")
            cursors = {r.stream: r.n for r in conn.execute(sa.select(tables.cursor))}
            request = {"epoch": log.recall(conn, "epoch"), "cursors": cursors, "limit": PAGE}
            asked = witness.due(conn, link.now())
            if asked is not None:
                request["witness"] = asked
            if link.status is not None:
                request["status"] = link.status | {"waiting": log.state(conn).waiting}
        answer = link.call("pull", request, token).document
        with link.begin() as conn:
            pulled += intake.take_page(conn, link.app, answer, link.now())
            if asked is not None:
                witness.take(conn, asked, answer.get("witness"), link.now())
        if not answer["more"]:
            return pulled
        if (answer["epoch"], answer["cursors"]) == (request["epoch"], cursors):
            raise Problem("server-error", "a page that leads nowhere", http_status=200)


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
        "prev": log.hash_at(conn, device, first - 1),
        "ops": ops,
        "head": head,
        "sig": key.sign(identity.push_text(device, last, head)),
    }


def _take_answer(conn: Connection, app: Application, document: dict[str, Any], answer: dict[str, Any]) -> None:
    """Believe the server's signed word, and learn which ops it holds for review or has given another clock."""
    me = log.lock_device(conn, document["device"])
    receipt, through = answer["receipt"], int(answer["through"])
    first, last = document["from"], document["from"] + len(document["ops"]) - 1
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
    for entry in _sent(conn, me.id, first, last):
        merge_hlc = clocks.get(entry.op.seq)
        values = {
            "problem": log.as_json(problems.get(entry.op.seq)),
            "merge_hlc": merge_hlc,
            "clock": merge_hlc or entry.op.hlc,
            "dismissed": entry.dismissed and entry.op.seq in problems,
        }
        where = sa.and_(op_table.c.device == me.id, op_table.c.seq == entry.op.seq)
        conn.execute(sa.update(op_table).where(where).values(**values))
        if entry.clock != values["clock"]:
            app.replay(conn, entry.op.subject)
        latest = max(latest, merge_hlc or "")
    log.set_clock(conn, me.id, latest)
    log.remember(conn, acked=last, receipt=receipt)


def _sent(conn: Connection, device: str, first: int, last: int) -> list[Entry]:
    query = sa.select(op_table).where(
        op_table.c.device == device, op_table.c.seq.between(first, last), op_table.c.body.is_not(None)
    )
    return [log.to_entry(row) for row in conn.execute(query.order_by(op_table.c.seq))]


# --- a copy goes on as a new device ----------------------------------------------------------------------------


def find_fork(link: Link) -> int:
    """The first own op that differs from what the server has of this device: the logs are compared from the start."""
    first, most = 1, MAX_OPS
    while True:
        with link.begin() as conn:
            token, document = log.recall(conn, "token"), batch(conn, first, most)
        if document is None:
            return first
        try:
            link.call("push", document, token)
        except Problem as problem:
            if problem.name == "too-large" and len(document["ops"]) > 1:
                most = len(document["ops"]) // 2
                continue
            if problem.name != "fork":
                raise
            return int(problem.members["seq"])
        first += len(document["ops"])


def enrol_again(link: Link, code: str | None = None) -> str:
    """After `fork`: become a new device and author there, in one transaction, all that only this copy has.

    With a `code` also where the centre knows this device no more (it was restored from before the enrolment), or is
    another one.
    Returns the new device id. Raises: Problem.
    """
    with link.begin() as conn:
        old, token, name = log.own(conn), log.recall(conn, "token"), log.recall(conn, "name")
    anew = False
    try:
        first = find_fork(link)
    except Problem as problem:
        if problem.name not in ("unauthorized", "other-server") or code is None:
            raise
        first, token, anew = 1, None, problem.name == "other-server"
    key = _next_key(link, code)
    request = {"name": name, "public_key": key.public} | ({"code": code} if code else {})
    answer = _ask_to_enrol(link, request, token, anew=anew)
    with link.begin() as conn:
        _become(conn, link, old, first, key, name, answer)
    return str(answer["device"])


def _become(
    conn: Connection, link: Link, old: str, first: int, key: identity.KeyPair, name: str, answer: dict[str, Any]
) -> None:
    before = log.lock_device(conn, old)
    kept = _sent(conn, old, first, before.through)
    held = sa.select(op_table.c.subject).where(op_table.c.device == old, op_table.c.problem.is_not(None))
    changed = {entry.op.subject for entry in kept} | set(conn.execute(held).scalars())
    # What the centre holds of the old log comes back by pull; of streams that were withdrawn it does not.
    here = sa.or_(op_table.c.seq >= first, op_table.c.stream.in_(log.recall(conn, "withdrawn", [])))
    conn.execute(sa.delete(op_table).where(op_table.c.device == old, here))
    conn.execute(sa.update(op_table).values(n=None, hash=None))
    conn.execute(sa.delete(tables.cursor))
    conn.execute(sa.delete(tables.device).where(tables.device.c.id == old))
    log.add_device(conn, answer["device"], name=name, public_key=key.public, now=link.now())
    log.set_clock(conn, answer["device"], before.clock)
    log.remember(
        conn, device=answer["device"], private_key=key.private, next_keys=None, token=answer["token"],
        server=answer["server"], epoch=answer["epoch"], acked=0, trouble=None, renumbering=True,
        receipt=None, earlier_receipt=log.recall(conn, "receipt"),
    )  # fmt: skip
    for subject in sorted(changed):
        link.app.replay(conn, subject)
    drafts = [log.Draft(e.op.stream, e.op.actor, e.op.kind, e.op.v, e.op.subject, e.op.body, e.op.hlc) for e in kept]
    log.author(conn, link.app, drafts, link.now())
