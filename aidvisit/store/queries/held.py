"""What the centre holds for review, and what became of it: the same lines at both ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Select, select

from aidvisit.domain.held import acceptable
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.stream import stream_type, trip_stream
from aidvisit.store.queries import people
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.audit import AuditLine, lines
from aidvisit.store.queries.catalog import Quantity, items, named
from aidvisit.store.tables import FieldDevice, Household, Trip, User, audited
from sync import clock, log, tables
from sync.op import Op
from sync.quarantine import WENT_AWAY

PAGE = 50
DECISIONS = ("op.released", "op.dismissed")
op = tables.op.c

Name = tuple[str, int]
"""(device, seq) of an op."""


@dataclass(frozen=True, slots=True)
class Held:
    """An op that waits for a decision. `line`: as the audit would show it. `place`: name of the town that it is of.

    `actor`, `team`: ids of who recorded it and of the laptop's team. `missing`: the household that it is about is not
    known here. `goods`: of a delivery; `set`: paths of an edit. `acceptable`: a person may accept it.
    `decides`: the reader answers for the place that it would stand in.
    """

    device: str
    seq: int
    line: AuditLine
    stream: str
    place: str
    actor: str
    team: str | None
    reason: str
    problem: dict[str, Any]
    household: str | None
    name: str
    missing: bool
    goods: list[Quantity]
    date: str
    set: list[str]
    acceptable: bool
    decides: bool

    @property
    def key(self) -> str:
        return f"{self.device}/{self.seq}"


@dataclass(frozen=True, slots=True)
class Decision:
    """A release or a dismissal. `by`: the name, "" for a command line at the centre; `itself`: the reason went away.

    `of`: the op that it was about, None where it is not held here.
    """

    at: datetime
    released: bool
    by: str
    itself: bool
    reason: str
    device: str
    seq: int
    of: AuditLine | None


# --- waiting ----------------------------------------------------------------------------------------------------


def _waits(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return op.problem.is_not(None), op.dismissed.is_(False), op.body.is_not(None), within.records(scope)


def count(conn: Connection, scope: Scope = EVERYTHING) -> int:
    """How many ops wait for a decision."""
    return int(conn.execute(counted(scope)).scalar_one())


def counted(scope: Scope) -> Select[tuple[int]]:
    return select(sa.func.count()).select_from(tables.op).where(*_waits(scope))


def about_trip(trip: str) -> ColumnElement[bool]:
    """What waits and is about a trip: of its own stream, or of a town's that names it."""
    named = sa.or_(op.stream == trip_stream(trip), op.body.contains(f'"{trip}"'))
    return sa.and_(op.problem.is_not(None), op.dismissed.is_(False), named)


def waiting(
    conn: Connection, scope: Scope = EVERYTHING, device: str = "", after: Name | None = None, most: int = PAGE
) -> tuple[list[Held], bool]:
    """What waits, by laptop and in the order of its log, and whether there is more; `device`: of this one alone."""
    query = select(tables.op).where(*_waits(scope)).order_by(op.device, op.seq).limit(most + 1)
    if device:
        query = query.where(op.device == device)
    if after is not None:
        query = query.where(sa.tuple_(op.device, op.seq) > sa.tuple_(sa.literal(after[0]), sa.literal(after[1])))
    rows = conn.execute(query).all()
    return _held(conn, rows[:most], scope), len(rows) > most


def refused(conn: Connection, device: str) -> list[Held]:
    """What a laptop recorded and the centre dismissed, newest first."""
    query = select(tables.op).where(op.device == device, op.problem.is_not(None), op.dismissed.is_(True))
    return _held(conn, conn.execute(query.order_by(op.seq.desc()).limit(PAGE)).all(), EVERYTHING)


def some(conn: Connection, scope: Scope, names: Collection[Name]) -> list[Held]:
    """Those of these that a reader may see, decided ones too: these without a problem."""
    found: list[Row[Any]] = []
    for device, seq in sorted(set(names)):
        query = select(tables.op).where(op.device == device, op.seq == seq, op.body.is_not(None))
        found += conn.execute(query.where(within.records(scope))).all()
    return _held(conn, found, scope)


def _held(conn: Connection, rows: Sequence[Row[Any]], scope: Scope) -> list[Held]:
    entries = [log.to_entry(row) for row in rows]
    shown = lines(conn, rows, scope)
    about = {line.household[0] for line in shown if line.household}
    known = set(conn.execute(select(Household.id).where(Household.id.in_(about))).scalars())
    trips = set() if scope.everything else set(conn.execute(select(Trip.id).where(within.trips(scope))).scalars())
    carriers = select(FieldDevice.id, FieldDevice.team).where(FieldDevice.id.in_({row.device for row in rows}))
    teams = {row.id: row.team for row in conn.execute(carriers)}
    towns = {entry.op.stream for entry in entries if stream_type(entry.op.stream) == "town"}
    places = {place.code: place.name or place.code for place in people.named(conn, towns)}
    names = items(conn)
    found = []
    for entry, line in zip(entries, shown, strict=True):
        body, problem = entry.op.body, entry.problem or {}
        reason = str(problem.get("type", "")).rpartition(":")[2]
        household, name = line.household or (None, "")
        team = teams.get(entry.op.device)
        decides = _decides(scope, entry.op.stream, trips, team)
        if household is not None and household not in known and entry.op.kind == "household.registered" and decides:
            name = _named(body)
        found.append(
            Held(
                entry.op.device, entry.op.seq, line, entry.op.stream, places.get(entry.op.stream, ""), entry.op.actor,
                team, reason, problem, household, name,
                household is not None and household not in known, _goods(body, names), _day(body),
                _paths(body), acceptable(reason, entry.op.kind, entry.op.stream), decides,
            )
        )  # fmt: skip
    return found


def _decides(scope: Scope, stream: str, trips: Collection[str], team: str | None) -> bool:
    """Whether a person answers for the place that an op would stand in."""
    if scope.everything:
        return True
    match stream_type(stream):
        case "town":
            return scope.place(stream)
        case "team":
            return scope.team(stream.removeprefix("team-"))
        case "trip":
            return stream.removeprefix("trip-") in trips
        case "office":
            return scope.team(team)
        case _:
            return False


# What is held may have any body at all: nothing of it is taken for granted.


def _named(body: Mapping[str, Any]) -> str:
    head = body.get("head")
    name = body.get("name") or (head.get("name") if isinstance(head, dict) else "")
    return name[:100] if isinstance(name, str) else ""


def _goods(body: Mapping[str, Any], names: Mapping[str, Any]) -> list[Quantity]:
    given = body.get("lines")
    found = {
        line["item"]: line["quantity"]
        for line in (given if isinstance(given, list) else [])
        if isinstance(line, dict) and isinstance(line.get("item"), str) and isinstance(line.get("quantity"), int)
    }
    return [Quantity(one.code, one.name, one.unit, one.spec, found[one.code]) for one in named(names, found)]


def _day(body: Mapping[str, Any]) -> str:
    day = body.get("date")
    return day[:10] if isinstance(day, str) else ""


def _paths(body: Mapping[str, Any]) -> list[str]:
    fields = body.get("set")
    return sorted(fields)[:20] if isinstance(fields, dict) else []


# --- decided ----------------------------------------------------------------------------------------------------


def _stand() -> tuple[ColumnElement[bool], ...]:
    """Decisions that a laptop claims are none, nor those that a restored centre has not numbered again."""
    return op.kind.in_(DECISIONS), op.body.is_not(None), op.problem.is_(None)


def decisions(conn: Connection, scope: Scope = EVERYTHING, device: str = "", most: int = PAGE) -> list[Decision]:
    """What was released and dismissed, newest first; `device`: of what this laptop recorded."""
    query = select(tables.op).where(audited(), *_stand(), within.records(scope))
    query = query.order_by(op.clock.desc(), op.device.desc(), op.seq.desc())
    if not device:
        return _decided(conn, conn.execute(query.limit(most)).all(), scope)
    rows = (row for row in conn.execute(query) if log.to_entry(row).op.body.get("device") == device)
    return _decided(conn, [row for row, _ in zip(rows, range(most), strict=False)], scope)


def decided(conn: Connection, histories: Iterable[Sequence[log.Entry]]) -> dict[Name, Decision]:
    """What became of ops of these histories, each in order: the last word on each."""
    notices = [one.op for held in histories for one in held if one.op.kind in DECISIONS and one.problem is None]
    return {(one.device, one.seq): one for one in _words(conn, notices, None)}


def _decided(conn: Connection, rows: Sequence[Row[Any]], scope: Scope | None) -> list[Decision]:
    """Without a `scope` what they were about is not looked up."""
    return _words(conn, [log.to_entry(row).op for row in rows], scope)


def _words(conn: Connection, notices: Sequence[Op], scope: Scope | None) -> list[Decision]:
    if not notices:
        return []
    users = select(User.id, User.name).where(User.id.in_({notice.actor for notice in notices}))
    names = {row.id: row.name for row in conn.execute(users)}
    of = {} if scope is None else _lines(conn, {_about(notice.body) for notice in notices}, scope)
    return [
        Decision(
            clock.from_ms(clock.parse(notice.hlc)[0]).astimezone(UTC),
            notice.kind == "op.released",
            names.get(notice.actor) or str(notice.body.get("by", "")),
            notice.body.get("reason") == WENT_AWAY and notice.actor == notice.device,
            str(notice.body.get("reason", "")),
            *_about(notice.body),
            of.get(_about(notice.body)),
        )
        for notice in notices
    ]


def _about(body: Mapping[str, Any]) -> Name:
    return str(body.get("device")), int(body.get("seq", 0))


def _lines(conn: Connection, names: Collection[Name], scope: Scope) -> dict[Name, AuditLine]:
    if not names:
        return {}
    query = select(tables.op).where(sa.tuple_(op.device, op.seq).in_(sorted(names)))
    rows = conn.execute(query).all()
    return {(row.device, row.seq): line for row, line in zip(rows, lines(conn, rows, scope), strict=True)}
