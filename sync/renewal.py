"""A copy goes on as a new device: what only it has is authored again, in one transaction (section 3, fork)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import again, age, blobs, earlier, erasing, identity, log, quarantine, reminding, rows, tables
from sync.joining import Expects, ask_to_enrol, meet, next_key
from sync.link import Link
from sync.problem import Problem
from sync.sending import find_fork, sent
from sync.tables import op as op_table

WITH_CODE = ("unauthorized", "other-server", "device-revoked")
"""Where the centre takes the device's token no more, a new code lets the laptop go on."""


def enrol_again(link: Link, code: str | None = None, expects: Expects | None = None) -> str:
    """After `fork`: become a new device and author there, in one transaction, all that only this copy has.

    With a `code` also where the centre knows this device no more (it was restored from before the enrolment), has
    revoked it, or is another one. `expects`: whether a public key is that of the other centre that is meant.
    Returns the new device id. Raises: Problem.
    """
    with link.begin() as conn:
        old, token, name = log.own(conn), log.recall(conn, "token"), log.recall(conn, "name")
        acked = int(log.recall(conn, "acked", 0))
    refused = ""
    try:
        first = find_fork(link)
    except Problem as problem:
        if problem.name not in WITH_CODE or code is None:
            raise
        refused, token = problem.name, None
        # A centre that has revoked a device still holds what it acknowledged; the others know nothing of it.
        first = acked + 1 if refused == "device-revoked" else 1
    anew = refused == "other-server"
    if anew and expects is not None:
        meet(link, expects)
    key = next_key(link, code)
    lost = [] if first > 1 or refused == "" else _lost(link, anew)
    with link.begin() as conn:
        recipient = age.next_recipient(conn)
        proofs = earlier.proofs(conn, key.public)
    request = {"name": name, "public_key": key.public, "age_recipient": recipient}
    if code:
        request |= {"code": code, "earlier": proofs}
    answer = ask_to_enrol(link, request, token, anew=anew, expects=expects if anew else None)
    with link.begin() as conn:
        _become(conn, link, old, first, lost, key, name, answer)
        if first == 1:
            blobs.ask_again(conn)
    return str(answer["device"])


def _lost(link: Link, anew: bool) -> list[str]:
    """Earlier devices of which the centre knows nothing: their logs are authored again as well, before the last one."""
    with link.begin() as conn:
        known = list(earlier.logs(conn))
        earlier.forget_acknowledged(conn)
    return known if anew else earlier.give_back(link)[1]


def _become(
    conn: Connection, link: Link, old: str, first: int, lost: list[str], key: identity.KeyPair, name: str,
    answer: dict[str, Any],
) -> None:  # fmt: skip
    before = log.lock_device(conn, old)
    logs = earlier.with_own(conn, first - 1, answer["epoch"])
    unknown = {device: logs.pop(device) for device in lost}
    kept = [entry for device, one in unknown.items() for entry in sent(conn, device, 1, one["through"])]
    kept += sent(conn, old, first, before.through)
    held = sa.select(op_table.c.subject).where(op_table.c.device.in_([*lost, old]), op_table.c.problem.is_not(None))
    changed = {entry.op.subject for entry in kept} | set(conn.execute(held).scalars())
    mine = sa.and_(op_table.c.device == old, op_table.c.seq >= first)
    conn.execute(sa.delete(op_table).where(sa.or_(mine, earlier.within(unknown))))
    conn.execute(sa.update(op_table).values(n=None, hash=None))
    if answer["epoch"] != log.recall(conn, "epoch"):
        reminding.begin(conn, link.app)
    # What the centre holds of the old log comes back by pull; of streams that were withdrawn it does not, and there it
    # is not the own log any more that the tables leave out.
    gone = rows.among(conn, op_table.c.stream, log.recall(conn, "withdrawn", []))
    quarantine.set_aside(conn, sa.and_(op_table.c.device == old, gone))
    conn.execute(sa.update(tables.cursor).values(n=0))
    conn.execute(sa.delete(tables.device).where(tables.device.c.id == old))
    log.add_device(conn, answer["device"], name=name, public_key=key.public, now=link.now())
    log.set_clock(conn, answer["device"], before.clock)
    log.remember(
        conn, device=answer["device"], private_key=key.private, next_keys=None, token=answer["token"],
        server=answer["server"], epoch=answer["epoch"], acked=0, trouble=None, renumbering=True, heard=None,
        receipt=None, earlier_receipt=log.recall(conn, "receipt"), earlier=[*log.recall(conn, "earlier", []), old],
        **{earlier.KEY: logs},
    )  # fmt: skip
    age.adopt(conn)
    link.app.replay(conn, changed)
    # It waited for the centre to have it whole, as the own log does.
    erasing.erase(conn, link.app, sent(conn, old, 1, first - 1))
    again.author(conn, link.app, kept, link.now())
