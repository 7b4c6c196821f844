"""Whose personal data were erased, and what an erasure of somebody would be about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, literal, or_, select, tuple_

from aidvisit.domain.rights import Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import of_one
from aidvisit.store.queries.author import authors
from aidvisit.store.queries.catalog import names_of
from aidvisit.store.queries.trip import recorded_at
from aidvisit.store.tables import Delivery, Erasure, Household, HouseholdSearch, Visit
from sync import log, tables
from sync.log import Entry
from sync.rows import among, one_of


@dataclass(frozen=True, slots=True)
class ErasureView:
    """`members`: none means the whole household. `by`: "" for the centre itself. `at`: aware, UTC."""

    household: str
    members: tuple[str, ...]
    reason: str
    by: str
    at: datetime


_OF = select(Erasure.__table__).where(one_of(Erasure.household, "ids")).order_by(Erasure.order_key)


def erasures(conn: Connection, households: Collection[str]) -> list[ErasureView]:
    """What was erased of these households, in its order."""
    return _views(conn, conn.execute(_OF, {"ids": [*households]}).all())


def latest(conn: Connection, scope: Scope, most: int) -> list[ErasureView]:
    """The last erasures of somebody's places."""
    inside = within.places(Household.division.expression, scope)
    query = select(Erasure.__table__).join(Household, Household.id == Erasure.household).where(inside)
    return _views(conn, conn.execute(query.order_by(Erasure.order_key.desc()).limit(most)).all())


def _views(conn: Connection, rows: Sequence[Row[Any]]) -> list[ErasureView]:
    known = authors(conn, {row.actor for row in rows}, ())
    return [
        ErasureView(row.household, tuple(row.members), row.reason, known.user(row.actor), recorded_at(row.order_key))
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Closed:
    """A household that was closed. `key`: its place in the list."""

    id: str
    name: str
    division: str
    place: list[str]
    closed_on: str
    reason: str
    key: str


def closed_until(conn: Connection, until: str, scope: Scope, *, after: str = "", most: int = 50) -> list[Closed]:
    """Households closed on or before a day, without a visit or delivery since then, that are not erased; the longest
    first.
    """
    quiet = [or_(day.is_(None), day <= until) for day in (HouseholdSearch.last_visit, HouseholdSearch.last_delivery)]
    erased = select(Erasure.household).where(Erasure.members == [])
    query = (
        select(Household.id, Household.name, Household.division, Household.closed_on, Household.closed_reason)
        .join(HouseholdSearch, HouseholdSearch.household == Household.id)
        .where(Household.closed_on <= until, *quiet, within.places(Household.division.expression, scope))
        .where(Household.id.not_in(erased))
        .order_by(Household.closed_on, Household.id)
    )
    day, _, identity = after.partition("/")
    if identity:
        query = query.where(tuple_(Household.closed_on, Household.id) > tuple_(literal(day), literal(identity)))
    rows = conn.execute(query.limit(most)).all()
    called = names_of(conn, {row.division for row in rows})
    return [
        Closed(
            row.id, row.name, row.division, called[row.division], row.closed_on, row.closed_reason or "",
            f"{row.closed_on}/{row.id}",
        )
        for row in rows
    ]  # fmt: skip


def same(conn: Connection, household: str) -> list[str]:
    """Every id under which a household is held: merged ones, and those that it had in other towns; itself first."""
    found, new = [household], [household]
    while new:
        one = new.pop()
        ids = set(of_one(conn, one).all(one))
        moved = select(Household.id, Household.continues).where((Household.id == one) | (Household.continues == one))
        for row in conn.execute(moved):
            ids |= {row.id} | ({row.continues} if row.continues else set())
        more = sorted(streams(conn, ids).keys() - set(found))
        found += more
        new += more
    return found


def streams(conn: Connection, households: Collection[str]) -> dict[str, str]:
    """By household that is held here, its stream."""
    query = select(Household.id, Household.stream).where(among(conn, Household.id, households))
    return {row.id: row.stream for row in conn.execute(query)}


def erased_facts(conn: Connection) -> int:
    """How many facts held here have less in them than was recorded."""
    return int(conn.execute(select(func.count()).where(tables.op.c.erased)).scalar_one())


def members(conn: Connection, household: str) -> set[str]:
    """The ids of everybody who is or was a member of a household."""
    return {one["id"] for entry in log.entries_of(conn, household) for one in _people(entry)}


def naming(conn: Connection, household: str, members: Collection[str]) -> list[str]:
    """The facts of a household that name these members in a text, or have a number of theirs, in their order."""
    words = {word for entry in log.entries_of(conn, household) for word in _words(entry, members)}
    ids = {household}
    for model in (Delivery, Visit):
        ids |= set(conn.execute(select(model.id).where(model.household == household)).scalars())
    found = [entry for entries in log.histories(conn, ids).values() for entry in entries]
    named = [entry for entry in found if any(word in text for word in words for text in _texts(entry.op.body))]
    return [entry.name for entry in sorted(named, key=lambda entry: entry.order)]


def _people(entry: Entry) -> Iterator[dict[str, Any]]:
    if entry.op.kind in ("household.registered", "household.updated"):
        yield from entry.op.body.get("members", [])
        yield from entry.op.body.get("add", {}).get("members", [])


def _words(entry: Entry, members: Collection[str]) -> Iterator[str]:
    said = [(one["id"], name, value) for one in _people(entry) for name, value in one.items()]
    for path, value in entry.op.body.get("set", {}).items():
        steps: Sequence[str] = path.split(".")
        if steps[0] == "members" and len(steps) == 3:
            said.append((steps[1], steps[2], value))
    for identity, name, value in said:
        telling = name in ("name", "id_number", "phone") and isinstance(value, str) and len(value) > 1
        if identity in members and telling:
            yield value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != "base":
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
