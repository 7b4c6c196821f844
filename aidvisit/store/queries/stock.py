"""Balances: sums over movements, by item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

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


Lots = dict[str, dict[str | None, int]]
"""By item, how much of each lot; None: of no lot that was written down."""


def lots(conn: Connection, places: Iterable[str]) -> dict[str, Lots]:
    """By place, of what lots its goods are by the books; only what there is something of."""
    wanted = list(places)
    held: dict[str, dict[str, Counter[str | None]]] = {where: {} for where in wanted}
    for column, sign in ((StockLine.to_place, 1), (StockLine.from_place, -1)):
        query = select(column.label("place"), StockLine.item, StockLine.lot, func.sum(StockLine.quantity).label("n"))
        rows = conn.execute(query.where(column.in_(wanted)).group_by(column, StockLine.item, StockLine.lot))
        for row in rows:
            held[row.place].setdefault(row.item, Counter())[row.lot] += sign * int(row.n)
    return {
        where: {item: left for item, counted in of.items() if (left := {lot: n for lot, n in counted.items() if n > 0})}
        for where, of in held.items()
    }
