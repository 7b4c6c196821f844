"""stock.moved and stock.counted → the paper, its lines, and what was counted. All of them stand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from aidvisit.domain.stream import trip_of
from aidvisit.store.apply.rows import Histories, Values, about, order_key, replace
from aidvisit.store.tables import StockCount, StockCountLine, StockLine, StockMove
from sync.log import Entry


def replay(conn: Connection, histories: Histories) -> None:
    makers = [entry for held in histories.values() for entry in about(held, {"stock.moved", "stock.counted"})[:1]]
    moved = [entry for entry in makers if entry.op.kind == "stock.moved"]
    counted = [entry for entry in makers if entry.op.kind == "stock.counted"]
    replace(conn, StockMove, StockMove.id, histories, [_move(entry) for entry in moved])
    replace(conn, StockLine, StockLine.source, histories, [row for entry in moved for row in _lines(entry)])
    replace(conn, StockCount, StockCount.id, histories, [_count(entry) for entry in counted])
    lines = [row for entry in counted for row in _counted(entry)]
    replace(conn, StockCountLine, StockCountLine.stock_count, histories, lines)


def _shared(entry: Entry) -> dict[str, Any]:
    op = entry.op
    return {"stream": op.stream, "trip": trip_of(op.stream), "order_key": order_key(entry)}


def _move(entry: Entry) -> Values:
    body = entry.op.body
    return {
        **_shared(entry),
        "id": entry.op.subject,
        "from_place": body["from"],
        "to_place": body["to"],
        "date": body["date"],
        "slip": body.get("slip"),
        "reason": body.get("reason"),
        "actor": entry.op.actor,
    }


def _lines(entry: Entry) -> list[Values]:
    body = entry.op.body
    return [
        {
            **_shared(entry),
            "source": entry.op.subject,
            "line": number,
            "from_place": body["from"],
            "to_place": body["to"],
            "item": line["item"],
            "quantity": line["quantity"],
            "date": body["date"],
            "lot": line.get("lot"),
            "expires": line.get("expires"),
            "value_fen": line.get("value_fen"),
        }
        for number, line in enumerate(body["lines"])
    ]


def _count(entry: Entry) -> Values:
    body = entry.op.body
    return {
        **_shared(entry),
        "id": entry.op.subject,
        "place": body["place"],
        "date": body["date"],
        "explained": body.get("explained", []),
        "actor": entry.op.actor,
    }


def _counted(entry: Entry) -> list[Values]:
    return [
        {
            "stock_count": entry.op.subject,
            "line": number,
            "stream": entry.op.stream,
            "item": line["item"],
            "lot": line.get("lot"),
            "counted": line["counted"],
        }
        for number, line in enumerate(entry.op.body["lines"])
    ]
