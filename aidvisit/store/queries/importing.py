"""What an import compares a list with."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, or_, select

from aidvisit.domain import fold
from aidvisit.store.apply.rows import about, records
from aidvisit.store.tables import Allocation, Category, FieldDevice, Household, HouseholdCategory, Release
from sync import log


def known_households(conn: Connection, town: str, id_numbers: Collection[str]) -> list[dict[str, Any]]:
    """Households of a town (9 digits), and any whose head has one of these ID numbers; closed and merged ones not.

    Each: id, name, id_number, division, group, size, phone, address, note, categories (a frozenset of codes).
    """
    numbered = Household.head_id_number.in_(sorted(id_numbers))
    query = select(Household.__table__).where(
        or_(Household.stream == town, numbered), Household.closed_reason.is_(None), Household.into.is_(None)
    )
    rows = conn.execute(query).all()
    held: dict[str, set[str]] = {row.id: set() for row in rows}
    of_town = HouseholdCategory.stream.in_({row.stream for row in rows})
    for category in conn.execute(select(HouseholdCategory.household, HouseholdCategory.code).where(of_town)):
        held.get(category.household, set()).add(category.code)
    return [
        {
            "id": row.id,
            "name": row.head_name,
            "id_number": row.head_id_number or "",
            "division": row.division,
            "group": row.village_group or "",
            "size": row.size,
            "phone": row.head_phone or "",
            "address": row.address or "",
            "note": row.note or "",
            "categories": frozenset(held[row.id]),
        }
        for row in rows
    ]


def household_stream(conn: Connection, household: str) -> str | None:
    """The stream that a household was registered in."""
    return conn.execute(select(Household.stream).where(Household.id == household)).scalar()


def field_heads(conn: Connection, household: str) -> dict[str, list[str]]:
    """Path → names of the ops whose values an author has in view now: the `base` of an edit."""
    state = fold.household(records(about(log.entries_of(conn, household), {"household.registered"})))
    return {} if state is None else {path: state.heads(path) for path in state.states}


def category_words(conn: Connection) -> dict[str, str]:
    """Every name and synonym of a hardship category → its code; a name goes before another's synonym."""
    rows = conn.execute(select(Category.code, Category.name, Category.synonyms).order_by(Category.order_key)).all()
    words = {synonym: row.code for row in rows for synonym in row.synonyms}
    return words | {row.name: row.code for row in rows}


def allotments(conn: Connection, trip: str) -> dict[tuple[str, str], int]:
    """(household, item) → quantity, as the trip's allotment is now."""
    query = select(Allocation.household, Allocation.item, Allocation.quantity).where(Allocation.trip == trip)
    return {(row.household, row.item): row.quantity for row in conn.execute(query)}


def released_devices(conn: Connection, trip: str) -> dict[str, list[str]]:
    """The laptops that a trip went to → the groups that each serves, none for all."""
    query = select(Release.device, Release.groups).where(Release.trip == trip).order_by(Release.device)
    return {row.device: row.groups for row in conn.execute(query)}


def active_devices(conn: Connection, team: str) -> list[str]:
    """A team's laptops that were not revoked."""
    query = select(FieldDevice.id).where(FieldDevice.team == team, FieldDevice.revoked_reason.is_(None))
    return list(conn.execute(query.order_by(FieldDevice.id)).scalars())


def own_team(conn: Connection) -> str:
    """The team that this laptop was enrolled in. Raises: LookupError before its first pull."""
    team = conn.execute(select(FieldDevice.team).where(FieldDevice.id == log.own(conn))).scalar()
    if team is None:
        raise LookupError("this laptop does not know its team yet")
    return team
