"""visit.* → visit. A void may come before what it voids, and is final."""

from __future__ import annotations

from sqlalchemy import Connection, select

from aidvisit.store.apply import search
from aidvisit.store.apply.rows import Histories, Values, about, order_key, replace
from aidvisit.store.tables import Visit
from sync.log import Entry
from sync.rows import among


def replay(conn: Connection, histories: Histories) -> None:
    rows: list[Values] = []
    for entries in histories.values():
        held = about(entries, {"visit.recorded"})
        void = next((entry for entry in held if entry.op.kind == "visit.voided"), None)
        rows += [_visit(entry, void) for entry in held[:1]]
    households = set(conn.execute(select(Visit.household).where(among(conn, Visit.id, histories))).scalars())
    replace(conn, Visit, Visit.id, histories, rows)
    search.dates(conn, households | {row["household"] for row in rows})


def _visit(entry: Entry, void: Entry | None) -> Values:
    op, body = entry.op, entry.op.body
    return {
        "id": op.subject,
        "stream": op.stream,
        "household": body["household"],
        "member": body.get("member"),
        "trip": body.get("trip"),
        "date": body["date"],
        "outcome": body["outcome"],
        "met_with": body.get("with"),
        "purposes": body["purposes"],
        "visited_by": body["by"],
        "minutes": body.get("minutes"),
        "needs": body.get("needs", []),
        "note": body.get("note"),
        "proofs": body.get("proofs", []),
        "at": body.get("at"),
        "void_reason": void.op.body["reason"] if void else None,
        "actor": op.actor,
        "device": op.device,
        "seq": op.seq,
        "order_key": order_key(entry),
    }
