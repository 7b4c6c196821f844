"""Double entry: every movement of goods from a place to a place, and what was counted there."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from aidvisit.store.database import Base
from aidvisit.store.tables.columns import (
    Date,
    JsonList,
    Key,
    MaybeDate,
    MaybeId,
    MaybeQuantity,
    MaybeWords,
    Number,
    OrderKey,
    Quantity,
    Ref,
)


class StockMove(Base):
    """The paper of one movement."""

    __tablename__ = "stock_move"
    __table_args__ = (Index(None, "stream"), Index(None, "trip"))

    id: Mapped[Key]
    stream: Mapped[Ref]
    trip: Mapped[MaybeId]
    from_place: Mapped[Ref]
    to_place: Mapped[Ref]
    date: Mapped[Date]
    slip: Mapped[MaybeWords]
    reason: Mapped[MaybeWords]
    actor: Mapped[MaybeId]
    order_key: Mapped[OrderKey]


class StockLine(Base):
    """So much of an item from a place to a place; `source` is the movement, or the delivery that counts.

    `trip` is the trip whose stock it changes. Balances are sums over these rows, never stored.
    """

    __tablename__ = "stock_line"
    __table_args__ = (
        Index(None, "stream"),
        Index(None, "trip", "item"),
        Index(None, "from_place", "item"),
        Index(None, "to_place", "item"),
        Index(None, "date"),
    )

    source: Mapped[Key]
    line: Mapped[Number]
    stream: Mapped[Ref]
    trip: Mapped[MaybeId]
    from_place: Mapped[Ref]
    to_place: Mapped[Ref]
    item: Mapped[Ref]
    quantity: Mapped[Quantity]
    date: Mapped[Date]
    lot: Mapped[MaybeWords]
    expires: Mapped[MaybeDate]
    value_fen: Mapped[MaybeQuantity]
    order_key: Mapped[OrderKey]


class StockCount(Base):
    """Somebody counted what is at a place; `explained`: [{item, difference, reason}, …]."""

    __tablename__ = "stock_count"
    __table_args__ = (Index(None, "stream"), Index(None, "trip"), Index(None, "place"))

    id: Mapped[Key]
    stream: Mapped[Ref]
    trip: Mapped[MaybeId]
    place: Mapped[Ref]
    date: Mapped[Date]
    explained: Mapped[JsonList]
    actor: Mapped[MaybeId]
    order_key: Mapped[OrderKey]


class StockCountLine(Base):
    """So much of an item (of a lot) was there."""

    __tablename__ = "stock_count_line"
    __table_args__ = (Index(None, "stream"),)

    stock_count: Mapped[Key]
    line: Mapped[Number]
    stream: Mapped[Ref]
    item: Mapped[Ref]
    lot: Mapped[MaybeWords]
    counted: Mapped[Quantity]
