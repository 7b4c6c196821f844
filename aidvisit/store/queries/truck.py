"""A trip's goods as double entry, and what somebody counted on its truck."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from aidvisit.domain import place
from aidvisit.domain.balance import Balance, Movement, balance
from aidvisit.store.tables import StockCount, StockCountLine, StockLine


def balances(conn: Connection, trip: str) -> dict[str, Balance]:
    """Where what was on a trip's truck went, by item code. Source: docs/facts.md, "The balance".

    It is the truck's balance: what is handed over from custody later stays `held` here, and is a delivery there.
    """
    query = select(StockLine.from_place, StockLine.to_place, StockLine.item, StockLine.quantity)
    return balance(trip, (Movement(*row) for row in conn.execute(_touching(query, place.truck(trip)))))


@dataclass(frozen=True, slots=True)
class Count:
    """The last count of an item at a place. `still_there`: what of it must be there now.

    `explained_for`: the sum of the differences that reasons were given for.
    """

    counted: int
    still_there: int
    explained: str | None
    explained_for: int = 0


def last_counts(conn: Connection, where: str) -> dict[str, Count]:
    """The last count of each item at a place, by item code.

    Still there = counted − what was moved off since (never below 0) + what was moved on since. Movements since are
    those whose op comes after the count's, but for losses and gains, which settle what the count showed; deliveries
    are since when their date is later than the count's: what is typed in from paper in the evening happened before.
    So a bag that is missing at the count stays missing when the rest is returned, until a loss, a gain or a
    corrected slip accounts for it.
    """
    query = (
        select(StockCount.id, StockCount.date, StockCount.order_key, StockCount.explained)
        .where(StockCount.place == where)
        .order_by(StockCount.order_key)
    )
    counts = {row.id: row for row in conn.execute(query)}
    lines = select(StockCountLine.stock_count, StockCountLine.item, StockCountLine.counted).where(
        StockCountLine.stock_count.in_(list(counts))
    )
    counted: dict[str, Counter[str]] = {}
    for row in conn.execute(lines):
        counted.setdefault(row.stock_count, Counter())[row.item] += row.counted
    last = {item: counts[count] for count in counts for item in counted.get(count, ())}
    moves = _moves(conn, where) if last else []
    result = {}
    for item, count in last.items():
        quantity = counted[count.id][item]
        since = [move for move in moves if move.item == item and move.after(count.order_key, count.date)]
        off = sum(move.quantity for move in since if move.off)
        on = sum(move.quantity for move in since if not move.off)
        given = [row for row in count.explained if row.get("item") == item]
        reasons = "; ".join(row["reason"] for row in given)
        covered = sum(row["difference"] for row in given)
        result[item] = Count(quantity, max(quantity - off, 0) + on, reasons or None, covered)
    return result


@dataclass(frozen=True, slots=True)
class _Move:
    item: str
    quantity: int
    off: bool
    order_key: str
    date: str
    delivered: bool

    def after(self, order_key: str, date: str) -> bool:
        return self.date > date if self.delivered else self.order_key > order_key


def _moves(conn: Connection, where: str) -> list[_Move]:
    """What went to or from a place, but for losses and gains."""
    moves = []
    for row in conn.execute(_touching(select(StockLine.__table__), where)):
        off = row.from_place == where
        kind = (row.to_place if off else row.from_place).partition(":")[0]
        if kind not in ("loss", "gain"):
            moves.append(_Move(row.item, row.quantity, off, row.order_key, row.date, kind == "household"))
    return moves


def _touching(query: Select[Any], where: str) -> Select[Any]:
    return query.where(or_(StockLine.from_place == where, StockLine.to_place == where))
