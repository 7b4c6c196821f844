"""Fields of households on which edits disagree: what each says, whose it is, and what its author had in view."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, tuple_

from aidvisit.domain import fold, mask
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.apply.rows import about, records
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.author import authors
from aidvisit.store.queries.catalog import categories, names_of
from aidvisit.store.tables import FieldConflict, Household
from sync import clock, log
from sync.log import Entry

PAGE = 20
Place = tuple[str, str]
"""(household, path)."""


@dataclass(frozen=True, slots=True)
class Said:
    """A value that one op gave: by whom, when (aware, UTC), from which device; `reason` of an edit.

    `by`: a person's name, else that of their laptop's team, "" for the office; `device_name`: "" for the centre.
    """

    op: str
    value: Any
    by: str
    device_name: str
    at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class Side:
    """`saw`: the values that its author had in view when they gave theirs; `counts`: it is the one that is shown."""

    said: Said
    saw: tuple[Said, ...]
    counts: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field of a household. `members`: their names by id; `words`: names of villages and categories by code.

    `alike`: the values look the same, because what is masked differs. `masked`: some of it can be revealed.
    """

    household: str
    name: str
    group: str
    place: list[str]
    path: str
    sides: tuple[Side, ...]
    members: Mapping[str, str]
    words: Mapping[str, str]
    alike: bool
    masked: bool

    @property
    def heads(self) -> list[str]:
        """The ops that an edit names to settle it."""
        return [side.said.op for side in self.sides]


Shown = Callable[[str, Any], Any]


def count(conn: Connection, scope: Scope = EVERYTHING) -> int:
    """How many fields disagree in a scope."""
    return conn.execute(counted(scope)).scalar_one()


def counted(scope: Scope) -> Select[tuple[int]]:
    query = select(func.count()).select_from(FieldConflict).join(Household, Household.id == FieldConflict.subject)
    return query.where(within.places(Household.division.expression, scope))


_ANY = select(FieldConflict.path).where(FieldConflict.subject == bindparam("household")).limit(1)


def of_household(
    conn: Connection, household: str, scope: Scope = EVERYTHING, *, revealed: bool = False
) -> list[Conflict]:
    """Those of one household, by path. Numbers are masked; `revealed` is for whoever wrote to the audit first."""
    if conn.execute(_ANY, {"household": household}).first() is None:
        return []
    rows = _rows(conn, scope, FieldConflict.subject == household)
    return _conflicts(conn, [(row.subject, row.path) for row in rows], revealed=revealed)


def listed(
    conn: Connection, scope: Scope = EVERYTHING, after: Place | None = None, limit: int = PAGE
) -> tuple[list[Conflict], Place | None]:
    """A page of all in a scope, by household; and where the next one starts, if there is one."""
    later = () if after is None else (tuple_(FieldConflict.subject, FieldConflict.path) > after,)
    rows = _rows(conn, scope, *later, limit=limit + 1)
    places = [(row.subject, row.path) for row in rows]
    return _conflicts(conn, places[:limit]), places[limit - 1] if len(places) > limit else None


def _rows(conn: Connection, scope: Scope, *where: Any, limit: int | None = None) -> list[Any]:
    query = select(FieldConflict.subject, FieldConflict.path).join(Household, Household.id == FieldConflict.subject)
    query = query.where(within.places(Household.division.expression, scope), *where)
    return list(conn.execute(query.order_by(FieldConflict.subject, FieldConflict.path).limit(limit)))


def _conflicts(conn: Connection, places: Collection[Place], *, revealed: bool = False) -> list[Conflict]:
    """Four statements, however many they are."""
    if not places:
        return []
    histories = log.histories(conn, {household for household, _path in places})
    held = {household: about(entries, {"household.registered"}) for household, entries in histories.items()}
    names = _Names(conn, [entry for entries in held.values() for entry in entries])
    found = []
    for household, path in places:
        state = fold.household(records(held[household]))
        if state is not None and path in state.conflicts:
            found.append(_conflict(household, path, state, held[household], names, revealed=revealed))
    return found


class _Names:
    """What ids and codes stand for, read once for all conflicts of a page."""

    def __init__(self, conn: Connection, entries: Iterable[Entry]) -> None:
        ops = [entry.op for entry in entries]
        self.authors = authors(conn, {op.actor for op in ops}, {op.device for op in ops})
        said = ({**op.body, **op.body.get("set", {})} for op in ops)
        self.places = names_of(conn, {body["division"] for body in said if isinstance(body.get("division"), str)})
        self.words = dict(categories(conn)) | {code: chain[-1] for code, chain in self.places.items() if chain}


def _conflict(
    household: str, path: str, state: fold.Household, entries: list[Entry], names: _Names, *, revealed: bool
) -> Conflict:
    shown = _in_the_clear if revealed else mask.field
    given = {record.name: fold.values(record) for record in records(entries)}
    by_name = {entry.name: entry for entry in entries}

    def said(op: str) -> Said:
        entry = by_name[op]
        return Said(
            op, shown(path, given[op].get(path)), names.authors.by(entry.op.actor, entry.op.device),
            names.authors.device(entry.op.device), clock.from_ms(clock.parse(entry.clock)[0]),
            mask.text(entry.op.body.get("reason")),
        )  # fmt: skip

    def saw(op: str) -> tuple[Said, ...]:
        base = by_name[op].op.body.get("base", {}).get(path, [])
        return tuple(said(name) for name in base if name in given and path in given[name])

    field = state.states[path]
    sides = tuple(Side(said(op), saw(op), op == field.heads[-1][0]) for op, _value in field.heads)
    body = state.body
    return Conflict(
        household,
        body.get("name") or body.get("head", {}).get("name", ""),
        body.get("group", ""),
        names.places.get(body["division"], []),
        path,
        sides,
        {one["id"]: one.get("name", "") for one in body["members"]},
        names.words,
        len({str(side.said.value) for side in sides}) == 1,
        any(side.said.value != given[side.said.op].get(path) for side in sides),
    )


def _in_the_clear(_path: str, value: Any) -> Any:
    return value
