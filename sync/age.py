"""Whom a bundle is encrypted to: every node has an age identity, X25519 (docs/protocol.md sections 3 and 4)."""

from __future__ import annotations

from datetime import datetime

import pyrage
from pyrage.x25519 import Identity, Recipient
from sqlalchemy.engine import Connection

from sync import log

KEY, NEXT, ASKED = "age_key", "next_age_key", "age_asked"


def recipient_of(text: str | None) -> Recipient | None:
    """What is written `age1…`; None for anything else."""
    try:
        return Recipient.from_str(text or "")
    except pyrage.RecipientError:
        return None


def identity(conn: Connection) -> Identity | None:
    """What opens the bundles that are for this node; none before anybody needed one."""
    kept = log.recall(conn, KEY)
    return None if kept is None else Identity.from_str(kept)


def recipient(conn: Connection) -> str | None:
    """This node's recipient, if it has one."""
    known = identity(conn)
    return None if known is None else str(known.to_public())


def own_recipient(conn: Connection) -> str:
    """This node's recipient. Its identity is made now, if there is none yet: for write transactions."""
    known = identity(conn)
    if known is None:
        log.lock_device(conn, log.own(conn))  # two that need it at once make one
        known = identity(conn) or Identity.generate()
        log.remember(conn, **{KEY: str(known)})
    return str(known.to_public())


def next_recipient(conn: Connection) -> str:
    """Of a device that is about to enrol: kept before it asks, so that a lost reply leaves the centre no wrong one."""
    kept = log.recall(conn, NEXT)
    coming = Identity.generate() if kept is None else Identity.from_str(kept)
    log.remember(conn, **{NEXT: str(coming)})
    return str(coming.to_public())


def adopt(conn: Connection) -> None:
    """The device is enrolled: what the one before it was sent opens no more."""
    log.remember(conn, **{KEY: log.recall(conn, NEXT), NEXT: None})


def due(conn: Connection, now: datetime) -> str | None:
    """What a laptop that was enrolled without it tells with a pull, once a day until the centre has answered."""
    card = log.recall(conn, "server", {})
    if card.get("age_recipient") or log.recall(conn, ASKED) == now.date().isoformat():
        return None
    return own_recipient(conn)


def take(conn: Connection, told: str | None, now: datetime) -> None:
    """The centre's recipient, as its answer to `due` has it; None: a server that knows no bundles."""
    if recipient_of(told) is None:
        log.remember(conn, **{ASKED: now.date().isoformat()})
    else:
        log.remember(conn, server=log.recall(conn, "server", {}) | {"age_recipient": told}, **{ASKED: None})
