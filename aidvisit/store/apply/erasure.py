"""personal-data.erased → whose data were erased. What it takes out of the log is `store/erasing`'s."""

from __future__ import annotations

from sqlalchemy import Connection

from aidvisit.store.apply.rows import Histories, Values, order_key, replace
from aidvisit.store.tables import Erasure
from sync.log import Entry

KIND = "personal-data.erased"


def replay(conn: Connection, histories: Histories) -> None:
    rows = [_erasure(entry) for entries in histories.values() for entry in entries if entry.op.kind == KIND]
    replace(conn, Erasure, Erasure.subject, histories, rows)


def _erasure(entry: Entry) -> Values:
    op, body = entry.op, entry.op.body
    return {
        "id": entry.name,
        "subject": op.subject,
        "stream": op.stream,
        "household": body["household"],
        "members": body.get("members", []),
        "ops": body.get("ops", []),
        "reason": body["reason"],
        "actor": op.actor,
        "order_key": order_key(entry),
    }
