"""Whose personal data were erased, and what an erasure of somebody would be about."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from aidvisit.store.queries.alias import of_one
from aidvisit.store.tables import Delivery, Erasure, Household, Visit
from sync import log, tables
from sync.log import Entry
from sync.rows import among


@dataclass(frozen=True, slots=True)
class ErasureView:
    """`members`: none means the whole household. `at`: the merge clock."""

    household: str
    members: tuple[str, ...]
    reason: str
    actor: str
    at: str


def erasures(conn: Connection, households: Collection[str]) -> list[ErasureView]:
    """What was erased of these households, in its order."""
    query = select(Erasure.__table__).where(among(conn, Erasure.household, households)).order_by(Erasure.order_key)
    return [
        ErasureView(row.household, tuple(json.loads(row.members) if isinstance(row.members, str) else row.members),
                    row.reason, row.actor, row.order_key.partition("/")[0])
        for row in conn.execute(query)
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
