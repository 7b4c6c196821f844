"""A copy goes on as a new device: what only it has is authored again, in one transaction (section 3, fork)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import age, identity, log, tables
from sync.joining import ask_to_enrol, next_key
from sync.link import Link
from sync.problem import Problem
from sync.sending import find_fork, sent
from sync.tables import op as op_table


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
    key = next_key(link, code)
    with link.begin() as conn:
        recipient = age.next_recipient(conn)
    request = {"name": name, "public_key": key.public, "age_recipient": recipient} | ({"code": code} if code else {})
    answer = ask_to_enrol(link, request, token, anew=anew)
    with link.begin() as conn:
        _become(conn, link, old, first, key, name, answer)
    return str(answer["device"])


def _become(
    conn: Connection, link: Link, old: str, first: int, key: identity.KeyPair, name: str, answer: dict[str, Any]
) -> None:
    before = log.lock_device(conn, old)
    kept = sent(conn, old, first, before.through)
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
        server=answer["server"], epoch=answer["epoch"], acked=0, trouble=None, renumbering=True, heard=None,
        receipt=None, earlier_receipt=log.recall(conn, "receipt"),
    )  # fmt: skip
    age.adopt(conn)
    for subject in sorted(changed):
        link.app.replay(conn, subject)
    drafts = [log.Draft(e.op.stream, e.op.actor, e.op.kind, e.op.v, e.op.subject, e.op.body, e.op.hlc) for e in kept]
    log.author(conn, link.app, drafts, link.now())
