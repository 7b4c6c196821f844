"""duplicate.settled → the office's verdict: a whole value, the greatest counts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from aidvisit.store.apply.rows import Values, order_key, replace
from aidvisit.store.tables import Settlement
from sync.log import Entry


def replay(conn: Connection, subject: str, entries: Sequence[Entry]) -> None:
    held = [entry for entry in entries if entry.op.kind == "duplicate.settled"]
    replace(conn, Settlement, Settlement.id == subject, [_settlement(entry) for entry in held[-1:]])


def _settlement(entry: Entry) -> Values:
    op, body = entry.op, entry.op.body
    return {
        "id": op.subject,
        "stream": op.stream,
        "deliveries": body["deliveries"],
        "verdict": body["verdict"],
        "reason": body.get("reason"),
        "actor": op.actor,
        "order_key": order_key(entry),
    }
