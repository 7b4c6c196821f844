"""What an import compares a list with."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Connection, or_, select

from aidvisit.domain import fold
from aidvisit.domain.stream import stream_type
from aidvisit.store.apply.rows import about, records
from aidvisit.store.queries.alias import aliases
from aidvisit.store.tables import (
    Access,
    Allocation,
    Category,
    FieldConflict,
    FieldDevice,
    Household,
    HouseholdCategory,
    Member,
    Release,
)
from sync import freshness, log
from sync.rows import among

ROW_SAID: Final = "list-row"
"""What an access says of a row of a list: `household` is the one that it is, `detail` the row's fingerprint; the last
one counts (docs/adr/0016-what-was-said-of-a-row.md)."""


def known_households(
    conn: Connection, towns: Collection[str], numbers: Collection[str], ids: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Households of towns (9 digits), any where somebody has one of these ID numbers, and those of these ids.

    `into`: of a merged one, the household that it stands for, which is there as well; `closed`: the reason. Each:
    id, name, id_number, division, group, size, phone, address, note, categories (a frozenset of codes), disputed (path
    → values of conflicting edits), members
    (each: id, name, relation, id_number, born, sex, phone, guardian, categories as facts have them).
    """
    of_member = select(Member.household).where(among(conn, Member.id_number, numbers))
    anywhere = or_(
        among(conn, Household.stream, towns),
        among(conn, Household.head_id_number, numbers),
        Household.id.in_(of_member),
        among(conn, Household.id, ids),
    )
    alias = aliases(conn)
    query = select(Household.__table__).order_by(Household.order_key)
    rows = list(conn.execute(query.where(anywhere)))
    missing = {alias.of(row.id) for row in rows} - {row.id for row in rows}
    rows += conn.execute(query.where(among(conn, Household.id, missing))) if missing else ()
    categories: dict[str, set[str]] = {row.id: set() for row in rows}
    members: dict[str, list[dict[str, Any]]] = {row.id: [] for row in rows}
    streams = {row.stream for row in rows}
    of_towns = select(HouseholdCategory.household, HouseholdCategory.code)
    for category in conn.execute(of_towns.where(among(conn, HouseholdCategory.stream, streams))):
        categories.get(category.household, set()).add(category.code)
    disputed: dict[str, dict[str, list[Any]]] = {row.id: {} for row in rows}
    conflicts = select(FieldConflict.subject, FieldConflict.path, FieldConflict.heads)
    for row in conn.execute(conflicts.where(among(conn, FieldConflict.stream, streams))):
        disputed.get(row.subject, {})[row.path] = [value for value, *_ in row.heads]
    of_members = select(Member.__table__).where(among(conn, Member.stream, streams)).order_by(Member.position)
    for row in conn.execute(of_members):
        if row.household in members:
            members[row.household].append(_member(row))
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
            "categories": frozenset(categories[row.id]),
            "members": members[row.id],
            "into": "" if alias.of(row.id) == row.id else alias.of(row.id),
            "closed": row.closed_reason or "",
            "disputed": disputed[row.id],
        }
        for row in rows
    ]


def _member(row: Any) -> dict[str, Any]:
    texts = {name: getattr(row, name) or "" for name in ("relation", "id_number", "born", "sex", "phone")}
    return {"id": row.id, "name": row.name, "guardian": row.guardian or {}, "categories": row.categories, **texts}


def household_stream(conn: Connection, household: str) -> str | None:
    """The stream that a household was registered in."""
    return conn.execute(select(Household.stream).where(Household.id == household)).scalar()


def field_heads(conn: Connection, household: str) -> dict[str, list[str]]:
    """Path → names of the ops whose values an author has in view now: the `base` of an edit."""
    state = fold.household(records(about(log.entries_of(conn, household), {"household.registered"})))
    return {} if state is None else {path: state.in_view(path) for path in state.states}


def heads_of_fields(conn: Connection, households: Collection[str]) -> dict[str, dict[str, list[str]]]:
    """`field_heads` of many households."""
    found = {}
    for household, entries in log.histories(conn, households).items():
        state = fold.household(records(about(entries, {"household.registered"})))
        found[household] = {} if state is None else {path: state.in_view(path) for path in state.states}
    return found


def rows_said(conn: Connection, fingerprints: Collection[str]) -> dict[str, str]:
    """Of these rows of lists those that somebody said a household is, here or on a laptop of which this node knows."""
    said = select(Access.detail, Access.household).where(Access.what == ROW_SAID).order_by(Access.order_key)
    return {row.detail: row.household for row in conn.execute(said.where(among(conn, Access.detail, fingerprints)))}


def of_households(conn: Connection) -> frozenset[str]:
    """Codes of the categories that a whole household has."""
    return frozenset(conn.execute(select(Category.code).where(Category.level == "household")).scalars())


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


def held_towns(conn: Connection) -> tuple[str, ...]:
    """The towns (9 digits) that this laptop was granted."""
    return tuple(one.stream for one in freshness.streams(conn) if stream_type(one.stream) == "town")
