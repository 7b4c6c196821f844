"""delivery.* → the delivery, its lines, whether it counts, and the goods that moved when it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, String, cast, delete, insert, literal, null, select, update

from aidvisit.domain import place
from aidvisit.domain.delivery import Recorded, counting, replaced, source
from aidvisit.store.apply.rows import Values, about, add, order_key, order_of
from aidvisit.store.tables import Delivery, DeliveryLine, StockLine
from sync.log import Entry


def replay(conn: Connection, subject: str, entries: Sequence[Entry]) -> None:
    """A void may be here before its delivery: then it waits in the log, and is found when the delivery comes."""
    held = about(entries, {"delivery.recorded"})
    before = conn.execute(select(Delivery.household).where(Delivery.id == subject)).scalars().all()
    _remove(conn, subject)
    if held:
        void = next((entry for entry in held if entry.op.kind == "delivery.voided"), None)
        add(conn, Delivery, [_delivery(held[0], void)])
        add(conn, DeliveryLine, _lines(held[0]))
    for household in {*before, *(entry.op.body["household"] for entry in held[:1])}:
        _count(conn, household)


def _remove(conn: Connection, subject: str) -> None:
    conn.execute(delete(Delivery).where(Delivery.id == subject))
    conn.execute(delete(DeliveryLine).where(DeliveryLine.delivery == subject))
    conn.execute(delete(StockLine).where(StockLine.source == subject))


def _delivery(entry: Entry, void: Entry | None) -> Values:
    op, body = entry.op, entry.op.body
    received = body["received_by"]
    return {
        "id": op.subject,
        "stream": op.stream,
        "household": body["household"],
        "member": body.get("for"),
        "trip": body.get("trip"),
        "visit": body.get("visit"),
        "date": body["date"],
        "from_place": source(body),
        "method": body.get("method"),
        "received_as": received["as"],
        "received_by": received["name"],
        "received_relation": received.get("relation"),
        "received_id_last4": received.get("id_last4"),
        "handed_by": body.get("handed_by", []),
        "witness": body.get("witness"),
        "proofs": body["proofs"],
        "at": body.get("at"),
        "overrides": body.get("overrides", []),
        "replaces": body.get("replaces"),
        "note": body.get("note"),
        "void_reason": void.op.body["reason"] if void else None,
        "replaced": False,
        "counts": False,
        "actor": op.actor,
        "device": op.device,
        "seq": op.seq,
        "order_key": order_key(entry),
    }


def _lines(entry: Entry) -> list[Values]:
    op, body = entry.op, entry.op.body
    return [
        {
            "delivery": op.subject,
            "line": number,
            "stream": op.stream,
            "household": body["household"],
            "trip": body.get("trip"),
            "date": body["date"],
            "item": line["item"],
            "quantity": line["quantity"],
            "lot": line.get("lot"),
            "counts": False,
        }
        for number, line in enumerate(body["lines"])
    ]


def _count(conn: Connection, household: str) -> None:
    """Which of a household's deliveries count, decided anew; goods move with each one that begins or ceases to."""
    query = select(
        Delivery.id,
        Delivery.stream,
        Delivery.order_key,
        Delivery.replaces,
        Delivery.void_reason,
        Delivery.replaced,
        Delivery.counts,
        Delivery.from_place,
    ).where(Delivery.household == household)
    rows = conn.execute(query).all()
    known = [Recorded(row.id, order_of(row.order_key), row.replaces, row.void_reason is not None) for row in rows]
    counts, gone = counting(known), replaced(known)
    for row in rows:
        if (row.counts, row.replaced) == (counts[row.id], row.id in gone):
            continue
        values: dict[str, Any] = {"counts": counts[row.id], "replaced": row.id in gone}
        conn.execute(update(Delivery).where(Delivery.id == row.id).values(**values))
        if row.counts != counts[row.id]:
            _move(conn, row, household, counts[row.id])


def _move(conn: Connection, row: Row[Any], household: str, counts: bool) -> None:
    """Without a place and without a trip nobody knows where the goods stood: then no stock changes."""
    lines = update(DeliveryLine).where(DeliveryLine.delivery == row.id).values(counts=counts)
    conn.execute(lines)
    conn.execute(delete(StockLine).where(StockLine.source == row.id))
    if not counts or row.from_place is None:
        return
    moved = {
        "source": DeliveryLine.delivery,
        "line": DeliveryLine.line,
        "stream": DeliveryLine.stream,
        "trip": DeliveryLine.trip,
        "from_place": literal(row.from_place),
        "to_place": literal(place.household(household)),
        "item": DeliveryLine.item,
        "quantity": DeliveryLine.quantity,
        "date": DeliveryLine.date,
        "lot": DeliveryLine.lot,
        "expires": cast(null(), String),
        "value_fen": cast(null(), BigInteger),
        "order_key": literal(row.order_key),
    }
    query = select(*moved.values()).where(DeliveryLine.delivery == row.id)
    conn.execute(insert(StockLine).from_select(list(moved), query))
