"""duplicate.settled → the office's verdict: a whole value, the greatest counts."""

from __future__ import annotations

from sqlalchemy import Connection

from aidvisit.store.apply.rows import Histories, Values, order_key, replace
from aidvisit.store.tables import Settlement
from sync.log import Entry


def replay(conn: Connection, histories: Histories) -> None:
    held = [[entry for entry in entries if entry.op.kind == "duplicate.settled"] for entries in histories.values()]
    replace(conn, Settlement, Settlement.id, histories, [_settlement(entry) for said in held for entry in said[-1:]])


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
