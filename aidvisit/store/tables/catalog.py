"""What everybody shares: divisions, hardship categories, items, places; whole values, keyed by code."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from aidvisit.store.database import Base
from aidvisit.store.tables.columns import (
    Code,
    Id,
    JsonList,
    MaybeJson,
    MaybeQuantity,
    MaybeRef,
    MaybeWords,
    OrderKey,
    Ref,
    Words,
)


class Division(Base):
    """2 digits a province, 4 a city, 6 a county, 9 a town, 12 a village."""

    __tablename__ = "division"
    __table_args__ = (Index(None, "stream"), Index(None, "subject"), Index(None, "name"))

    code: Mapped[Code]
    stream: Mapped[Ref]
    subject: Mapped[Id]
    name: Mapped[Words]
    parent: Mapped[MaybeRef]
    contact: Mapped[MaybeJson]
    order_key: Mapped[OrderKey]


class Category(Base):
    """A hardship category, of a household or of a person."""

    __tablename__ = "category"
    __table_args__ = (Index(None, "stream"), Index(None, "subject"))

    code: Mapped[Code]
    stream: Mapped[Ref]
    subject: Mapped[Id]
    name: Mapped[Words]
    level: Mapped[MaybeWords]
    synonyms: Mapped[JsonList]
    basis: Mapped[MaybeWords]
    order_key: Mapped[OrderKey]


class Item(Base):
    """A thing that is given. `item_class`: food, cash, school, health, household_goods or service."""

    __tablename__ = "item"
    __table_args__ = (Index(None, "stream"), Index(None, "subject"))

    code: Mapped[Code]
    stream: Mapped[Ref]
    subject: Mapped[Id]
    name: Mapped[Words]
    unit: Mapped[Words]
    spec: Mapped[MaybeWords]
    item_class: Mapped[Words]
    repeat_days: Mapped[MaybeQuantity]
    value_fen: Mapped[MaybeQuantity]
    order_key: Mapped[OrderKey]


class Place(Base):
    """A warehouse, a fund, a donor, or where goods are left in custody."""

    __tablename__ = "place"
    __table_args__ = (Index(None, "stream"), Index(None, "subject"))

    code: Mapped[Code]
    stream: Mapped[Ref]
    subject: Mapped[Id]
    name: Mapped[Words]
    kind: Mapped[Words]
    division: Mapped[MaybeRef]
    holder: Mapped[MaybeJson]
    order_key: Mapped[OrderKey]
