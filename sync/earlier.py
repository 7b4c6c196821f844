"""Logs that a laptop wrote as an earlier device: a centre that was restored may have lost them (docs/protocol.md 7)."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import again, identity, log
from sync.link import Link
from sync.log import Application
from sync.op import ZERO, chain
from sync.problem import Problem
from sync.sending import document_of, push_from, sent
from sync.tables import op as op_table
from sync.wire import MAX_OPS, MOST_EARLIER

KEY = "earlier_logs"
"""By device what it takes to push its log under its own name: `private_key`, `token`, `through`, and `acked`."""
NOT_TAKEN = ("unauthorized", "device-revoked", "fork", "gap", "malformed", "chain-broken", "bad-signature")
Logs = dict[str, dict[str, Any]]


def logs(conn: Connection) -> Logs:
    """In the order in which they were written."""
    found: Logs = log.recall(conn, KEY, {})
    return found


def within(kept: Logs) -> sa.ColumnElement[bool]:
    """Whether an op is in one of these logs; what another copy wrote behind them is not."""
    each = [sa.and_(op_table.c.device == device, op_table.c.seq <= one["through"]) for device, one in kept.items()]
    return sa.or_(sa.false(), *each)


def with_own(conn: Connection, through: int, epoch: str) -> Logs:
    """They, and the log of the device that ends here, up to the last op that the centre of this epoch has of it."""
    if epoch != log.recall(conn, "epoch"):
        forget_acknowledged(conn)
    mine = {key: log.recall(conn, key) for key in ("private_key", "token")}
    mine |= {"through": through, "acked": through if epoch == log.recall(conn, "epoch") else 0}
    return logs(conn) | ({log.own(conn): mine} if through else {})


def proofs(conn: Connection, public_key: str) -> list[dict[str, str]]:
    """That whoever has this new key is the laptop that these devices were, the last one first."""
    keys = {device: kept["private_key"] for device, kept in logs(conn).items()}
    keys[log.own(conn)] = log.recall(conn, "private_key")
    last = list(keys.items())[: -MOST_EARLIER - 1 : -1]
    return [
        {
            "device": device,
            "sig": identity.KeyPair.from_private(key).sign(identity.earlier_text(device, public_key)),
        }
        for device, key in last
    ]


def forget_acknowledged(conn: Connection) -> None:
    """The centre was restored."""
    log.remember(conn, **{KEY: {device: kept | {"acked": 0} for device, kept in logs(conn).items()}})


def give_back(link: Link) -> tuple[int, list[str]]:
    """Push what this centre has not acknowledged yet. How many logs it took, and the devices that it does not know.

    A log that it does not take rests until it is restored again. Raises: Problem, where it says that of none.
    """
    with link.begin() as conn:
        due = {device: kept for device, kept in logs(conn).items() if kept["acked"] < kept["through"]}
    answers = {device: _push(link, device, kept) for device, kept in due.items()}
    return list(answers.values()).count(""), [device for device, name in answers.items() if name == "unauthorized"]


def _push(link: Link, device: str, kept: dict[str, Any]) -> str:
    """The name of the refusal, empty where there was none."""
    try:
        push_from(link, kept["token"], kept["acked"] + 1, partial(_batch, device))
    except Problem as problem:
        if problem.name not in NOT_TAKEN:
            raise
        with link.begin() as conn:
            acked = logs(conn)[device]["acked"]
            if problem.name == "gap":
                _acknowledge(conn, device, min(int(problem.members["through"]), acked))
            elif problem.name != "fork":
                _acknowledge(conn, device, kept["through"])
            elif problem.members["seq"] > acked:
                end(conn, link.app, device, problem.members["seq"], link.now())
            else:  # `prev` differs: only from the start does the answer name the first op that does
                _acknowledge(conn, device, 0)
        return problem.name
    return ""


def end(conn: Connection, app: Application, device: str, first: int, now: datetime) -> None:
    """From here on the centre has what another copy wrote: the own facts are authored again in the own log."""
    kept = logs(conn)
    lost = sent(conn, device, first, kept[device]["through"])
    mine = op_table.c.device == device, op_table.c.seq.between(first, kept[device]["through"])
    conn.execute(sa.delete(op_table).where(*mine))
    log.remember(conn, **{KEY: kept | {device: kept[device] | {"through": first - 1}}})
    _acknowledge(conn, device, min(kept[device]["acked"], first - 1))
    app.replay(conn, {entry.op.subject for entry in lost})
    again.author(conn, app, lost, now)


def _batch(device: str, conn: Connection, first: int, most: int) -> dict[str, Any] | None:
    """The document that begins at an op; what is before it was acknowledged."""
    _acknowledge(conn, device, first - 1)
    kept = logs(conn)[device]
    of_device = sa.and_(op_table.c.device == device, op_table.c.seq <= kept["through"])
    prev = ZERO
    for digest in conn.execute(
        sa.select(op_table.c.digest).where(of_device, op_table.c.seq < first).order_by(op_table.c.seq)
    ).scalars():
        prev = chain(prev, digest)
    query = sa.select(op_table).where(of_device, op_table.c.seq >= first).order_by(op_table.c.seq)
    key = identity.KeyPair.from_private(kept["private_key"])
    return document_of(device, key, prev, conn.execute(query.limit(min(most, MAX_OPS))))


def _acknowledge(conn: Connection, device: str, seq: int) -> None:
    kept = logs(conn)
    log.remember(conn, **{KEY: kept | {device: kept[device] | {"acked": seq}}})
