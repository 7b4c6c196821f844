"""delivery.* → the delivery, its lines, whether it counts, and the goods that moved when it does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update

from aidvisit.domain import place
from aidvisit.domain.delivery import Recorded, counting, replaced, source
from aidvisit.store.apply import search
from aidvisit.store.apply.rows import Histories, Values, about, add, order_key, order_of
from aidvisit.store.tables import Delivery, DeliveryLine, StockLine
from sync.log import Entry
from sync.rows import among

COUNTED = ("id", "household", "order_key", "replaces", "void_reason", "replaced", "counts", "from_place")


def replay(conn: Connection, histories: Histories) -> None:
    """A void may be here before its delivery: then it waits in the log, and is found when the delivery comes."""
    deliveries: list[dict[str, Any]] = []
    made: list[Entry] = []
    for entries in histories.values():
        held = about(entries, {"delivery.recorded"})
        if held:
            void = next((entry for entry in held if entry.op.kind == "delivery.voided"), None)
            deliveries.append(_delivery(held[0], void))
            made.append(held[0])
    households = {row["household"] for row in deliveries} | _households(conn, histories)
    others = _joined(conn, histories, households, deliveries)
    _remove(conn, histories)
    _count(conn, others, deliveries)
    moving = {row["id"]: row for row in deliveries}
    lines = [line for entry in made for line in _lines(entry, moving[entry.op.subject])]
    add(conn, Delivery, deliveries)
    add(conn, DeliveryLine, lines)
    add(conn, StockLine, [_stock(line, moving[line["delivery"]]) for line in lines if _moves(moving[line["delivery"]])])
    search.dates(conn, households)


def _households(conn: Connection, subjects: Collection[str]) -> set[str]:
    return set(conn.execute(select(Delivery.household).where(among(conn, Delivery.id, subjects))).scalars())


def _remove(conn: Connection, subjects: Collection[str]) -> None:
    conn.execute(delete(Delivery).where(among(conn, Delivery.id, subjects)))
    conn.execute(delete(DeliveryLine).where(among(conn, DeliveryLine.delivery, subjects)))
    conn.execute(delete(StockLine).where(among(conn, StockLine.source, subjects)))


def _delivery(entry: Entry, void: Entry | None) -> dict[str, Any]:
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


def _lines(entry: Entry, delivery: Mapping[str, Any]) -> list[Values]:
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
            "counts": delivery["counts"],
        }
        for number, line in enumerate(body["lines"])
    ]


def _joined(
    conn: Connection,
    subjects: Collection[str],
    households: Collection[str],
    deliveries: Sequence[Mapping[str, Any]],
) -> list[Mapping[str, Any]]:
    """Other deliveries of the households in which one replaces another: what counts there is decided anew.

    Elsewhere each delivery counts by itself.
    """
    replacing = select(Delivery.household).where(
        Delivery.replaces.is_not(None), among(conn, Delivery.household, households)
    )
    joined = {row["household"] for row in deliveries if row["replaces"]} | set(conn.execute(replacing).scalars())
    if not joined:
        return []
    columns = [Delivery.__table__.c[name] for name in COUNTED]
    rows = conn.execute(select(*columns).where(among(conn, Delivery.household, joined))).mappings()
    return [dict(row) for row in rows if row["id"] not in subjects]


def _count(conn: Connection, others: Sequence[Mapping[str, Any]], deliveries: Sequence[dict[str, Any]]) -> None:
    """Which of each household's deliveries count; goods move with each one that begins or ceases to."""
    homes: dict[str, list[Recorded]] = {}
    for row in (*others, *deliveries):
        one = Recorded(row["id"], order_of(row["order_key"]), row["replaces"], row["void_reason"] is not None)
        homes.setdefault(row["household"], []).append(one)
    counts: dict[str, bool] = {}
    gone: set[str] = set()
    for known in homes.values():
        counts |= counting(known)
        gone |= replaced(known) & {one.id for one in known}
    for new in deliveries:
        new |= {"counts": counts[new["id"]], "replaced": new["id"] in gone}
    for row in others:
        values = {"counts": counts[row["id"]], "replaced": row["id"] in gone}
        if values != {name: row[name] for name in values}:
            conn.execute(update(Delivery).where(Delivery.id == row["id"]).values(**values))
        if row["counts"] != counts[row["id"]]:
            _move(conn, {**row, **values})


def _move(conn: Connection, row: Mapping[str, Any]) -> None:
    conn.execute(update(DeliveryLine).where(DeliveryLine.delivery == row["id"]).values(counts=row["counts"]))
    conn.execute(delete(StockLine).where(StockLine.source == row["id"]))
    if _moves(row):
        held = conn.execute(select(DeliveryLine.__table__).where(DeliveryLine.delivery == row["id"])).mappings()
        add(conn, StockLine, [_stock(dict(line), row) for line in held])


def _moves(row: Mapping[str, Any]) -> bool:
    """Without a place and without a trip nobody knows where the goods stood: then no stock changes."""
    return row["counts"] and row["from_place"] is not None


def _stock(line: Mapping[str, Any], delivery: Mapping[str, Any]) -> Values:
    return {
        "source": line["delivery"],
        "line": line["line"],
        "stream": line["stream"],
        "trip": line["trip"],
        "from_place": delivery["from_place"],
        "to_place": place.household(line["household"]),
        "item": line["item"],
        "quantity": line["quantity"],
        "date": line["date"],
        "lot": line["lot"],
        "expires": None,
        "value_fen": None,
        "order_key": delivery["order_key"],
    }
