"""Balances: sums over movements, by item."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, func, select

from aidvisit.store.tables import StockLine


def on_place(conn: Connection, place: str) -> dict[str, int]:
    """What should be at a place by the books: all that came less all that went, by item code."""
    balance: Counter[str] = Counter()
    for column, sign in ((StockLine.to_place, 1), (StockLine.from_place, -1)):
        query = (
            select(StockLine.item, func.sum(StockLine.quantity).label("quantity"))
            .where(column == place)
            .group_by(StockLine.item)
        )
        for row in conn.execute(query):
            balance[row.item] += sign * int(row.quantity)
    return dict(balance)
