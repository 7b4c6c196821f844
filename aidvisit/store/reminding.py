"""A centre that was restored to before an erasure is reminded of it by the laptops, and believes its own signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import Connection, select

from aidvisit.domain.facts import KINDS, check
from aidvisit.domain.text import tidied
from aidvisit.store import erasing
from aidvisit.store.apply.erasure import KIND
from sync import identity, log, tables
from sync.log import Draft

Reminder = dict[str, Any]
"""`stream`, `actor` and `body` of an erasure."""


def _text(stream: str, body: Mapping[str, Any]) -> str:
    """What the centre signs: RFC 8785 of the body without its signature, as ASCII."""
    plain = rfc8785.dumps({name: value for name, value in body.items() if name != "sig"})
    return f"aidvisit-erased-1:{stream}:{plain.hex()}"


def signed(conn: Connection, stream: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an erasure with the centre's signature."""
    key, body = identity.KeyPair.from_private(log.recall(conn, "private_key")), tidied(dict(body))
    return {**body, "sig": key.sign(_text(stream, body))}


def reminders(conn: Connection, start: int, most: int) -> list[Reminder]:
    """The erasures that this node ever heard of, also those that its centre has lost, from one on."""
    op = tables.op.c
    query = select(tables.op).where(op.kind == KIND, op.body.is_not(None)).order_by(op.clock, op.device, op.seq)
    entries = [log.to_entry(row) for row in conn.execute(query.offset(start).limit(most))]
    return [{"stream": e.op.stream, "actor": e.op.actor, "body": e.op.body} for e in entries]


def drafts(conn: Connection, said: Sequence[Any]) -> list[Draft]:
    """What a laptop reminds this centre of: facts of the erasures that it signed and does not have any more."""
    public = identity.KeyPair.from_private(log.recall(conn, "private_key")).public
    told = [one for one in said if isinstance(one, dict) and _is_ours(public, one)]
    known = erasing.of(conn, {one["body"]["household"] for one in told})
    made = []
    for one in told:
        body, held = one["body"], known.get(one["body"]["household"])
        new, ops = set(body.get("members", ())), set(body.get("ops", ()))
        if held is None or (not held.whole and (not new or not new <= held.members or not ops <= held.ops)):
            made.append(Draft(one["stream"], one["actor"], KIND, KINDS[KIND].v, body["household"], body))
    return made


def _is_ours(public: str, one: Mapping[str, Any]) -> bool:
    stream, actor, body = one.get("stream"), one.get("actor"), one.get("body")
    if not (isinstance(stream, str) and isinstance(actor, str) and isinstance(body, dict)):
        return False
    if check(KIND, 1, stream, actor, body):
        return False
    return identity.verify(public, _text(stream, body), str(body.get("sig")))


def take(conn: Connection, app: log.Application, said: Sequence[Any], now: datetime) -> int:
    """Record them anew, as the centre that this one goes on from had; returns how many."""
    found = drafts(conn, said)
    if found:
        log.author(conn, app, found, now)
    return len(found)
