"""A team at a household on a day."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from aidvisit.store.database import Base
from aidvisit.store.tables.columns import (
    Date,
    Id,
    JsonList,
    Key,
    MaybeId,
    MaybeJson,
    MaybeQuantity,
    MaybeWords,
    OrderKey,
    Quantity,
    Ref,
    Words,
)


class Visit(Base):
    """`met_with` is who was spoken to: {name, relation}."""

    __tablename__ = "visit"
    __table_args__ = (Index(None, "stream"), Index(None, "household", "date"), Index(None, "trip"), Index(None, "date"))

    id: Mapped[Key]
    stream: Mapped[Ref]
    household: Mapped[Id]
    member: Mapped[MaybeId]
    trip: Mapped[MaybeId]
    date: Mapped[Date]
    outcome: Mapped[Words]
    met_with: Mapped[MaybeJson]
    purposes: Mapped[JsonList]
    visited_by: Mapped[JsonList]
    minutes: Mapped[MaybeQuantity]
    needs: Mapped[JsonList]
    note: Mapped[MaybeWords]
    proofs: Mapped[JsonList]
    at: Mapped[MaybeJson]
    void_reason: Mapped[MaybeWords]
    actor: Mapped[Id]
    device: Mapped[Id]
    seq: Mapped[Quantity]
    order_key: Mapped[OrderKey]
