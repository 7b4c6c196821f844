"""The laptop's end: pull, then push until the centre has acknowledged everything (docs/protocol.md section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import age, blobs, clock, earlier, intake, log, pace, pause, reminding, tables, witness
from sync.link import Link
from sync.problem import Problem
from sync.sending import Progress, push_all
from sync.tables import op as op_table
from sync.transport import Reply

PAGE = 2000
_CURSORS = sa.select(tables.cursor.c.stream, tables.cursor.c.n)
_CLOCK = sa.select(op_table.c.clock).where(
    op_table.c.device == sa.bindparam("device"), op_table.c.seq == sa.bindparam("seq")
)
STOPPING = {"fork", "unauthorized", "device-revoked", "malformed", "chain-broken", "bad-signature", "other-server"}
"""Problems that going on alone cannot mend: sending stops, recording does not, and it is shown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one sync did."""

    pushed: int
    pulled: int


def sync_once(link: Link, progress: Progress | None = None) -> Outcome:
    """Pull everything, push everything unless somebody paused that, then photos and signatures.

    What stops it is kept as `trouble` and raised. An op that is recorded while photos go up goes first.

    Raises: Problem.
    """
    try:
        pulled = _pull_all(link)
        if not _is_paused(link) and earlier.give_back(link)[0]:
            pulled += _pull_all(link)  # it has numbers again
        if link.before_push is not None:
            link.before_push()
        pushed = _push(link, progress)
        while not blobs.send_all(link):
            pushed += _push(link, progress)
    except Problem as problem:
        with link.begin() as conn:
            if problem.name in STOPPING or not problem.kind.retry:
                log.remember(conn, trouble=problem.to_dict() | {"name": problem.name})
        raise
    return Outcome(pushed, pulled)


def _push(link: Link, progress: Progress | None) -> int:
    """All ops, unless that is paused; whatever becomes of the blobs after them, the log is in step."""
    pushed = 0 if _is_paused(link) else push_all(link, progress)
    with link.begin() as conn:
        rest_clock(conn)
        log.remember(conn, trouble=None, synced_at=link.now().isoformat())
    return pushed


def _is_paused(link: Link) -> bool:
    with link.begin() as conn:
        return pause.holds(conn, link.now())


def rest_clock(conn: Connection) -> None:
    """With the whole log acknowledged the clock starts again from the latest merge clock that is known."""
    state = log.state(conn)
    if state.waiting == 0:
        last = conn.execute(_CLOCK, {"device": state.device, "seq": state.last_seq}).scalar()
        log.set_clock(conn, state.device, max(last or "", state.newest_clock or "", clock.EARLIEST))


def _pull_all(link: Link) -> int:
    pulled = 0
    while True:
        link.tell("pulling", pulled, pulled)
        with link.begin() as conn:
            token = log.recall(conn, "token")
            line = pace.of(conn)
            cursors = {r.stream: r.n for r in conn.execute(_CURSORS)}
            request = {"epoch": log.recall(conn, "epoch"), "cursors": cursors, "limit": line.down.limit(PAGE)}
            asked = witness.due(conn, link.now())
            if asked is not None:
                request["witness"] = asked
            request |= reminding.said(conn, link.app)
            recipient = age.due(conn, link.now())
            if recipient is not None:
                request["age_recipient"] = recipient
            if link.status is not None:
                request["status"] = link.status | {
                    "waiting": log.state(conn).waiting,
                    "blobs_waiting": blobs.waiting(conn).count,
                }
        reply = _pull(link, request, token, line)
        answer = reply.document
        with link.begin() as conn:
            pulled += intake.take_page(conn, link.app, answer, link.now())
            line.down.took(len(answer["ops"]), reply.received, reply.seconds)
            line.keep(conn)
            log.remember(conn, told_at=answer.get("server_time"), centre_version=answer.get("version"))
            more = reminding.take(conn, request, answer) or answer["more"]
            if asked is not None:
                witness.take(conn, asked, answer.get("witness"), link.now())
            if recipient is not None:
                age.take(conn, answer.get("age_recipient"), link.now())
        if not more:
            return pulled
        if answer["more"] and (answer["epoch"], answer["cursors"]) == (request["epoch"], cursors):
            raise Problem("server-error", "a page that leads nowhere", http_status=200)


def _pull(link: Link, request: dict[str, Any], token: str | None, line: pace.Line) -> Reply:
    """One page. Where the line is cut while a long one comes in, the next is shorter."""
    try:
        return link.call("pull", request, token)
    except Problem as problem:
        if problem.name == "server-unreachable" and problem.members.get("cut"):
            with link.begin() as conn:
                line.down.failed(request["limit"])
                line.keep(conn)
        raise
