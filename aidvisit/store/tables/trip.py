"""Trips, who may carry them, and what each household is to get."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from aidvisit.store.database import Base
from aidvisit.store.tables.columns import (
    Code,
    Date,
    JsonList,
    Key,
    MaybeId,
    MaybeQuantity,
    MaybeWords,
    OrderKey,
    Quantity,
    Ref,
    Words,
)


class Trip(Base):
    """One team, one truck, some days. `status`: planned, locked, approved, released or closed."""

    __tablename__ = "trip"
    __table_args__ = (Index(None, "stream"), Index(None, "starts"))

    id: Mapped[Key]
    stream: Mapped[Ref]
    title: Mapped[Words]
    starts: Mapped[Date]
    ends: Mapped[Date]
    team: Mapped[MaybeId]
    divisions: Mapped[JsonList]
    tour: Mapped[MaybeWords]
    distance_km: Mapped[MaybeQuantity]
    note: Mapped[MaybeWords]
    status: Mapped[Words]
    planned_by: Mapped[MaybeId]
    """The device that planned it."""
    order_key: Mapped[OrderKey]


class Release(Base):
    """A device that a trip was released to; `groups`: the village groups that it serves, none named: all."""

    __tablename__ = "trip_release"
    __table_args__ = (Index(None, "stream"), Index(None, "device"))

    trip: Mapped[Key]
    device: Mapped[Key]
    stream: Mapped[Ref]
    groups: Mapped[JsonList]


class Allocation(Base):
    """What one household is to get of one item, as the greatest op says; 0 takes the line away.

    `first_key`: where it was named first, `<order key>/<line>`: the order of the list.
    """

    __tablename__ = "allocation"
    __table_args__ = (Index(None, "stream"), Index(None, "household"))

    trip: Mapped[Key]
    household: Mapped[Key]
    item: Mapped[Code]
    stream: Mapped[Ref]
    quantity: Mapped[Quantity]
    order_key: Mapped[OrderKey]
    first_key: Mapped[OrderKey]
