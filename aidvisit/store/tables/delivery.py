"""Deliveries: header, lines, and what the office decided about possible duplicates."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from aidvisit.store.database import Base
from aidvisit.store.tables.columns import (
    Date,
    Id,
    JsonList,
    Key,
    MaybeId,
    MaybeJson,
    MaybeRef,
    MaybeWords,
    Number,
    OrderKey,
    Quantity,
    Ref,
    Words,
)


class Delivery(Base):
    """A household received items. Of deliveries joined by `replaces`, `counts` is true for one at most."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index(None, "stream"),
        Index(None, "household", "date"),
        Index(None, "trip"),
        Index(None, "replaces"),
        Index(None, "date"),
        Index(None, "member", sqlite_where=text("member IS NOT NULL"), postgresql_where=text("member IS NOT NULL")),
    )

    id: Mapped[Key]
    stream: Mapped[Ref]
    household: Mapped[Id]
    member: Mapped[MaybeId]
    trip: Mapped[MaybeId]
    visit: Mapped[MaybeId]
    date: Mapped[Date]
    from_place: Mapped[MaybeRef]
    method: Mapped[MaybeWords]
    received_as: Mapped[Words]
    received_by: Mapped[Words]
    received_relation: Mapped[MaybeWords]
    received_id_last4: Mapped[MaybeWords]
    handed_by: Mapped[JsonList]
    witness: Mapped[MaybeJson]
    proofs: Mapped[JsonList]
    at: Mapped[MaybeJson]
    overrides: Mapped[JsonList]
    replaces: Mapped[MaybeId]
    note: Mapped[MaybeWords]
    void_reason: Mapped[MaybeWords]
    replaced: Mapped[bool]
    counts: Mapped[bool]
    actor: Mapped[Id]
    device: Mapped[Id]
    seq: Mapped[Quantity]
    order_key: Mapped[OrderKey]


class DeliveryLine(Base):
    """So much of an item, with what lists and repeat intervals ask for beside it."""

    __tablename__ = "delivery_line"
    __table_args__ = (
        Index(None, "stream"),
        Index(None, "household", "item", "date"),
        Index(None, "trip"),
        Index(None, "item", "date"),
        Index(None, "date"),
    )

    delivery: Mapped[Key]
    line: Mapped[Number]
    stream: Mapped[Ref]
    household: Mapped[Id]
    trip: Mapped[MaybeId]
    date: Mapped[Date]
    item: Mapped[Ref]
    quantity: Mapped[Quantity]
    lot: Mapped[MaybeWords]
    counts: Mapped[bool]


class Settlement(Base):
    """The office's verdict on deliveries that looked like duplicates."""

    __tablename__ = "settlement"
    __table_args__ = (Index(None, "stream"),)

    id: Mapped[Key]
    stream: Mapped[Ref]
    deliveries: Mapped[JsonList]
    verdict: Mapped[Words]
    reason: Mapped[MaybeWords]
    actor: Mapped[Id]
    order_key: Mapped[OrderKey]
