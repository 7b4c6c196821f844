"""A trip's goods as double entry, and what somebody counted on its truck."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, or_, select

from aidvisit.domain import place
from aidvisit.store.tables import StockCount, StockCountLine, StockLine

Account = Literal["loaded", "gained", "delivered", "returned", "lost", "held", "on_truck"]


@dataclass(slots=True)
class Flow:
    """The sums of one item over a trip's movements. `loaded + gained` equals the sum of all others."""

    loaded: int = 0
    gained: int = 0
    delivered: int = 0
    returned: int = 0
    lost: int = 0
    held: int = 0
    on_truck: int = 0

    def leave(self, source: str, trip: str, quantity: int) -> None:
        """Goods go from a place: what came from a store was loaded, what came from anywhere else is less there."""
        account = _account(source, trip)
        if account is None:
            self.loaded += quantity
        elif account == "gained":
            self.gained += quantity
        else:
            setattr(self, account, getattr(self, account) - quantity)

    def arrive(self, target: str, trip: str, quantity: int) -> None:
        account = _account(target, trip)
        if account is None:
            self.returned += quantity
        elif account == "gained":
            self.gained -= quantity
        else:
            setattr(self, account, getattr(self, account) + quantity)


_BY_KIND: dict[str, Account] = {"household": "delivered", "held": "held", "gain": "gained", "loss": "lost"}


def _account(reference: str, trip: str) -> Account | None:
    """Where a place stands in a trip's balance; None: outside of it (a warehouse, fund, donor, another truck)."""
    if reference == place.truck(trip):
        return "on_truck"
    return _BY_KIND.get(reference.partition(":")[0])


def flows(conn: Connection, trip: str) -> dict[str, Flow]:
    """Every movement of a trip, and every other that touches its truck, by item code.

    Source: docs/facts.md, "The balance". Goods taken from custody count as delivered, and less as held.
    """
    truck = place.truck(trip)
    query = select(StockLine.item, StockLine.from_place, StockLine.to_place, StockLine.quantity).where(
        or_(StockLine.trip == trip, StockLine.from_place == truck, StockLine.to_place == truck)
    )
    sums: dict[str, Flow] = {}
    for row in conn.execute(query):
        flow = sums.setdefault(row.item, Flow())
        flow.leave(row.from_place, trip, row.quantity)
        flow.arrive(row.to_place, trip, row.quantity)
    return sums


@dataclass(frozen=True, slots=True)
class Count:
    """The last count of an item at a place. `still_there`: what of it must be there now."""

    counted: int
    still_there: int
    explained: str | None


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
        reasons = [row["reason"] for row in count.explained if row.get("item") == item]
        result[item] = Count(quantity, max(quantity - off, 0) + on, "; ".join(reasons) or None)
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
    query = select(StockLine).where(or_(StockLine.from_place == where, StockLine.to_place == where))
    moves = []
    for row in conn.execute(query):
        off = row.from_place == where
        kind = (row.to_place if off else row.from_place).partition(":")[0]
        if kind not in ("loss", "gain"):
            moves.append(_Move(row.item, row.quantity, off, row.order_key, row.date, kind == "household"))
    return moves
