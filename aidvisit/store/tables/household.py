"""Households, their members and categories, and fields on which edits disagree."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from aidvisit.store.database import Base
from aidvisit.store.tables.columns import (
    Code,
    Id,
    JsonList,
    Key,
    MaybeDate,
    MaybeId,
    MaybeJson,
    MaybeQuantity,
    MaybeWords,
    OrderKey,
    Quantity,
    Ref,
    Words,
)


class Household(Base):
    """The state after every edit. `name`: the institution's or the head's. It is found by `household_search`."""

    __tablename__ = "household"
    __table_args__ = (
        Index(None, "stream"),
        Index(None, "division"),
        Index(None, "into"),
        Index(None, "continues"),
    )

    id: Mapped[Key]
    stream: Mapped[Ref]
    kind: Mapped[Words]
    name: Mapped[Words]
    head_name: Mapped[Words]
    head_id_number: Mapped[MaybeWords]
    head_phone: Mapped[MaybeWords]
    head_born: Mapped[MaybeWords]
    head_sex: Mapped[MaybeWords]
    division: Mapped[Ref]
    address: Mapped[MaybeWords]
    village_group: Mapped[MaybeWords]
    size: Mapped[MaybeQuantity]
    note: Mapped[MaybeWords]
    lat: Mapped[MaybeQuantity]
    lon: Mapped[MaybeQuantity]
    continues: Mapped[MaybeId]
    brought: Mapped[JsonList]
    closed_reason: Mapped[MaybeWords]
    closed_on: Mapped[MaybeDate]
    closed_to: Mapped[MaybeWords]
    into: Mapped[MaybeId]
    order_key: Mapped[OrderKey]


class HouseholdCategory(Base):
    """One hardship category that a household has now."""

    __tablename__ = "household_category"
    __table_args__ = (Index(None, "stream"), Index(None, "code"))

    household: Mapped[Key]
    code: Mapped[Code]
    stream: Mapped[Ref]
    since: Mapped[MaybeWords]
    until: Mapped[MaybeWords]
    grade: Mapped[MaybeWords]
    certificate: Mapped[MaybeWords]


class Member(Base):
    """One person of a household beside its head."""

    __tablename__ = "member"
    __table_args__ = (Index(None, "stream"),)

    household: Mapped[Key]
    id: Mapped[Key]
    stream: Mapped[Ref]
    position: Mapped[Quantity]
    name: Mapped[Words]
    relation: Mapped[MaybeWords]
    id_number: Mapped[MaybeWords]
    born: Mapped[MaybeWords]
    sex: Mapped[MaybeWords]
    phone: Mapped[MaybeWords]
    guardian: Mapped[MaybeJson]
    categories: Mapped[JsonList]


class FieldConflict(Base):
    """A field whose heads differ; `heads`: [[value, op name, merge clock], …], least in order first."""

    __tablename__ = "field_conflict"
    __table_args__ = (Index(None, "stream"),)

    subject: Mapped[Key]
    path: Mapped[Code]
    stream: Mapped[Ref]
    heads: Mapped[JsonList]


class Erasure(Base):
    """Somebody's personal data were erased: of `members`, or, where there are none, of the whole household.

    `id`: the fact, `<device>/<seq>`. `ops`: facts whose free texts name one of the members.
    """

    __tablename__ = "erasure"
    __table_args__ = (Index(None, "stream"), Index(None, "subject"), Index(None, "household"))

    id: Mapped[Code]
    subject: Mapped[Id]
    stream: Mapped[Ref]
    household: Mapped[Id]
    members: Mapped[JsonList]
    ops: Mapped[JsonList]
    reason: Mapped[Words]
    actor: Mapped[Id]
    order_key: Mapped[OrderKey]


class LikenessKey(Base):
    """What the head ("") or a member of a household may have in common with others (domain/likeness.py: `Keys`)."""

    __tablename__ = "likeness_key"
    __table_args__ = (
        Index(None, "stream"),
        Index(None, "number"),
        Index(None, "phone"),
        Index(None, "name"),
        Index(None, "birth"),
    )

    household: Mapped[Key]
    person: Mapped[Key]
    stream: Mapped[Ref]
    number: Mapped[MaybeQuantity]
    phone: Mapped[MaybeQuantity]
    name: Mapped[MaybeQuantity]
    birth: Mapped[MaybeQuantity]
    swapped: Mapped[MaybeQuantity]
