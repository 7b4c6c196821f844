"""Teams, the people in them, the laptops they carry, and who looked at what."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from aidvisit.store.database import Base
from aidvisit.store.tables.columns import (
    Id,
    JsonList,
    Key,
    MaybeId,
    MaybeJson,
    MaybeQuantity,
    MaybeWords,
    OrderKey,
    Ref,
    Words,
)


class Team(Base):
    """`divisions`: where it works; a county stands for its towns."""

    __tablename__ = "team"
    __table_args__ = (Index(None, "stream"),)

    id: Mapped[Key]
    stream: Mapped[Ref]
    name: Mapped[Words]
    type: Mapped[MaybeWords]
    level: Mapped[MaybeQuantity]
    parent: Mapped[MaybeId]
    divisions: Mapped[JsonList]
    order_key: Mapped[OrderKey]


class User(Base):
    """`user` is a word of SQL, hence the name of the table."""

    __tablename__ = "person"
    __table_args__ = (Index(None, "stream"), Index(None, "login"))

    id: Mapped[Key]
    stream: Mapped[Ref]
    team: Mapped[Id]
    login: Mapped[Words]
    name: Mapped[Words]
    phone: Mapped[MaybeWords]
    role: Mapped[Words]
    password_hash: Mapped[MaybeWords]
    key: Mapped[MaybeJson]
    active: Mapped[bool]
    order_key: Mapped[OrderKey]


class FieldDevice(Base):
    """A laptop as everybody knows it; what only the server knows (token, last seen) is in the log."""

    __tablename__ = "field_device"
    __table_args__ = (Index(None, "stream"), Index(None, "team"))

    id: Mapped[Key]
    stream: Mapped[Ref]
    name: Mapped[Words]
    team: Mapped[MaybeId]
    public_key: Mapped[MaybeWords]
    revoked_reason: Mapped[MaybeWords]
    enrolled_key: Mapped[OrderKey]


class Access(Base):
    """One line of the audit."""

    __tablename__ = "access"
    __table_args__ = (Index(None, "stream"), Index(None, "household"), Index(None, "order_key"), Index(None, "what"))

    id: Mapped[Key]
    stream: Mapped[Ref]
    actor: Mapped[Id]
    device: Mapped[Id]
    what: Mapped[Words]
    household: Mapped[MaybeId]
    rows: Mapped[MaybeQuantity]
    detail: Mapped[MaybeWords]
    order_key: Mapped[OrderKey]
