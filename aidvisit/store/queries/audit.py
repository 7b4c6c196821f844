"""Who looked at what, and who decided what: the lines of the audit, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, select

from aidvisit.domain import mask
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases
from aidvisit.store.tables import (
    Access,
    Delivery,
    FieldDevice,
    Household,
    Settlement,
    Team,
    Trip,
    User,
    Visit,
    audited,
)
from sync import clock, log, tables
from sync.rows import among

PAGE = 50
STEP = 500
op = tables.op.c


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the audit is wanted; ids, and days YYYY-MM-DD, both included.

    `what`: a kind of fact (`user.updated`), or what an access was for (`reveal`).
    """

    person: str = ""
    household: str = ""
    device: str = ""
    what: str = ""
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One op. `at`: when by its device's clock; `arrived`: when it was received here; both aware, UTC.

    `what`: its kind, of an access what for. `person`, `role`: who; "" where no person is known: a command line.
    `household`: (id, name), the name "" where it is not the reader's. `about`: the name of whatever else it is about.
    `body`: of the fact, numbers masked and secrets left out. `held`: in quarantine.
    """

    key: str
    at: datetime
    arrived: datetime
    what: str
    person: str
    role: str
    device: str
    household: tuple[str, str] | None
    about: str
    rows: int | None
    body: dict[str, Any]
    held: bool


def page(
    conn: Connection, asked: Asked, scope: Scope, zone: ZoneInfo, before: str = "", limit: int = PAGE
) -> tuple[list[AuditLine], str | None]:
    """A page of lines, and the key to ask for the next one with (`before`), None at the end."""
    query = _wanted(conn, select(tables.op), asked, scope, zone)
    if before:
        query = query.where(sa.tuple_(op.clock, op.device, op.seq) < sa.tuple_(*_unkey(before)))
    rows = conn.execute(_newest_first(query).limit(limit + 1)).all()
    found = lines(conn, rows[:limit], scope)
    return found, found[-1].key if len(rows) > limit else None


def looks(conn: Connection, household: str, zone: ZoneInfo, limit: int) -> tuple[list[AuditLine], bool]:
    """Who saw a household in full or took it along by itself, the newest first; whether there are more.

    Whoever it was, of whatever team: it is the household's to know.
    """
    found, more = page(conn, Asked(household=household), EVERYTHING, zone, limit=limit)
    return [line for line in found if "." not in line.what], more is not None


def count(conn: Connection, asked: Asked, scope: Scope, zone: ZoneInfo) -> int:
    return int(conn.execute(_wanted(conn, select(sa.func.count()), asked, scope, zone)).scalar_one())


def every(conn: Connection, asked: Asked, scope: Scope, zone: ZoneInfo) -> Iterator[AuditLine]:
    """All lines, read little by little."""
    query = _newest_first(_wanted(conn, select(tables.op), asked, scope, zone))
    rows = iter(conn.execute(query, execution_options={"yield_per": STEP}))
    while batch := list(islice(rows, STEP)):
        yield from lines(conn, batch, scope)


def is_key(text: str) -> bool:
    """Whether it is the key of a line, as it stands in an address."""
    at, _, rest = text.partition("/")
    device, _, seq = rest.partition("/")
    return clock.is_hlc(at) and len(device) == 36 and seq.isascii() and seq.isdigit() and len(seq) < 17


def _unkey(key: str) -> tuple[ColumnElement[Any], ...]:
    at, device, seq = key.split("/")
    return sa.literal(at), sa.literal(device), sa.literal(int(seq))


def _newest_first(query: sa.Select[Any]) -> sa.Select[Any]:
    return query.order_by(op.clock.desc(), op.device.desc(), op.seq.desc())


# --- which ------------------------------------------------------------------------------------------------------


def _wanted(conn: Connection, query: sa.Select[Any], asked: Asked, scope: Scope, zone: ZoneInfo) -> sa.Select[Any]:
    query = query.select_from(tables.op).where(audited(), within.records(scope))
    if asked.person:
        query = query.where(op.actor == asked.person)
    if asked.device:
        query = query.where(op.device == asked.device)
    if asked.what:
        kind = "." in asked.what
        query = query.where(op.kind == asked.what if kind else _accesses(Access.what == asked.what))
    if asked.household:
        households = aliases(conn).all(asked.household)
        query = query.where(op.subject.in_(_about(households)) | among(conn, op.subject, _settled(conn, households)))
    if asked.first:
        query = query.where(op.clock >= _begins(asked.first, 0, zone))
    if asked.last:
        query = query.where(op.clock < _begins(asked.last, 1, zone))
    return query


def _begins(day: str, later: int, zone: ZoneInfo) -> str:
    """The clock at the beginning of a day, or of the day after it."""
    begin = datetime.combine(date.fromisoformat(day) + timedelta(days=later), datetime.min.time(), zone)
    return clock.stamp(clock.to_ms(begin.astimezone(UTC)), 0)


def _accesses(which: ColumnElement[bool]) -> ColumnElement[bool]:
    return op.subject.in_(select(Access.id).where(which))


def _about(households: Sequence[str]) -> sa.CompoundSelect[Any]:
    """Subjects of ops that are about a household: itself, who looked at it, and what was voided of it."""
    return sa.union_all(
        select(Household.id).where(Household.id.in_(households)),
        select(Access.id).where(Access.household.in_(households)),
        select(Delivery.id).where(Delivery.household.in_(households)),
        select(Visit.id).where(Visit.household.in_(households)),
    )


def _settled(conn: Connection, households: Sequence[str]) -> list[str]:
    """Verdicts on deliveries to them: there are few in all."""
    theirs = set(conn.execute(select(Delivery.id).where(Delivery.household.in_(households))).scalars())
    every = conn.execute(select(Settlement.id, Settlement.deliveries)).all() if theirs else ()
    return [one.id for one in every if not theirs.isdisjoint(one.deliveries)]


# --- in which words ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Names:
    """What the ids of some lines stand for."""

    people: Mapping[str, Row[Any]]
    devices: Mapping[str, str]
    teams: Mapping[str, str]
    trips: Mapping[str, str]
    households: Mapping[str, str]
    of_subject: Mapping[str, str]

    def any(self, identity: str) -> str:
        """A person's, a laptop's, a team's or a trip's name."""
        if identity in self.people:
            return str(self.people[identity].name)
        return next((names[identity] for names in (self.devices, self.teams, self.trips) if identity in names), "")


def lines(conn: Connection, rows: Sequence[Row[Any]], scope: Scope) -> list[AuditLine]:
    """Rows of the log, as they are shown to somebody."""
    entries = [(row, _sound(log.to_entry(row).op.body) if row.body is not None else {}) for row in rows]
    names = _names(conn, entries, scope)
    return [_line(row, body, names) for row, body in entries]


_TYPES: dict[str, type] = {
    "rows": int, "seq": int, "set": dict, "deliveries": list,
    **dict.fromkeys(("what", "detail", "device", "household", "reason", "role", "verdict"), str),
}  # fmt: skip


def _sound(body: dict[str, Any]) -> dict[str, Any]:
    """What words are made from, as far as it has the right type: what is held for review may have any body."""
    found = {name: body[name] for name, kind in _TYPES.items() if isinstance(body.get(name), kind)}
    if "deliveries" in found:
        found["deliveries"] = [one for one in found["deliveries"] if isinstance(one, str)]
    return found


def _names(conn: Connection, entries: Sequence[tuple[Row[Any], dict[str, Any]]], scope: Scope) -> _Names:
    subjects = {row.subject for row, _ in entries}
    said = {value for _, body in entries for value in body.values() if isinstance(value, str)}
    settled = {one for _, body in entries for one in body.get("deliveries") or ()}
    of_subject = {
        row.id: row.household
        for model in (Delivery, Visit)
        for row in conn.execute(select(model.id, model.household).where(model.id.in_(subjects | settled)))
    }
    people = select(User.id, User.name, User.role).where(
        User.id.in_({row.actor for row, _ in entries} | subjects | said)
    )
    shown = Household.id.in_(subjects | said | set(of_subject.values()))
    households = select(Household.id, Household.name).where(shown, within.places(Household.division.expression, scope))
    return _Names(
        {row.id: row for row in conn.execute(people)},
        {
            **{row.id: row.name for row in conn.execute(select(tables.device.c.id, tables.device.c.name))},
            **{row.id: row.name for row in conn.execute(select(FieldDevice.id, FieldDevice.name))},
        },
        {row.id: row.name for row in conn.execute(select(Team.id, Team.name))},
        {row.id: row.title for row in conn.execute(select(Trip.id, Trip.title).where(Trip.id.in_(subjects | said)))},
        {row.id: row.name for row in conn.execute(households)},
        of_subject,
    )


def _line(row: Row[Any], body: dict[str, Any], names: _Names) -> AuditLine:
    person = names.people.get(row.actor)
    household = _household(row, body, names)
    access = row.kind == "access.recorded"
    other = body.get("detail", "") if access else body.get("device", "") if row.kind.startswith("op.") else row.subject
    return AuditLine(
        f"{row.clock}/{row.device}/{row.seq}",
        clock.from_ms(clock.parse(row.hlc)[0]).astimezone(UTC),
        datetime.fromisoformat(row.received_at),
        body.get("what", row.kind) if access else row.kind,
        person.name if person else "",
        person.role if person else "",
        names.devices.get(row.device, ""),
        (household, names.households.get(household, "")) if household else None,
        names.any(other),
        body.get("rows"),
        _shown(body),
        row.problem is not None,
    )


def _household(row: Row[Any], body: dict[str, Any], names: _Names) -> str | None:
    if row.kind.startswith("household."):
        return str(row.subject)
    settled = next((names.of_subject[one] for one in body.get("deliveries") or () if one in names.of_subject), None)
    found: str | None = body.get("household") or names.of_subject.get(row.subject) or settled
    return found


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    """What words are made from, and no more: of a person's fields that were set, secrets only by their name."""
    shown: dict[str, Any] = {name: body[name] for name in ("role", "seq", "verdict") if name in body}
    shown |= {"reason": mask.text(body["reason"])} if "reason" in body else {}
    shown |= {"detail": body.get("detail")} if body.get("what") == "export" else {}
    if isinstance(body.get("set"), dict):
        plain = ("role", "active", "name", "login", "level")
        shown["set"] = {path: value if path in plain else None for path, value in body["set"].items()}
    return shown


# --- what can be chosen -----------------------------------------------------------------------------------------


def people(conn: Connection, scope: Scope) -> list[tuple[str, str]]:
    """(id, name) of everybody of the reader's teams."""
    query = select(User.id, User.name).where(within.teams(User.team.expression, scope)).order_by(User.name, User.id)
    return [(row.id, row.name) for row in conn.execute(query)]


def devices(conn: Connection, scope: Scope) -> list[tuple[str, str]]:
    """(id, name) of the reader's laptops; the centre's own first for who answers for everything."""
    own = [(row.id, row.name) for row in conn.execute(select(tables.device.c.id, tables.device.c.name))
           if row.id == log.own(conn)] if scope.everything else []  # fmt: skip
    query = select(FieldDevice.id, FieldDevice.name).where(within.laptops(FieldDevice.id.expression, scope))
    return own + [(row.id, row.name) for row in conn.execute(query.order_by(FieldDevice.name, FieldDevice.id))]
