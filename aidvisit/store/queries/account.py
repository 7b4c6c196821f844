"""People, teams and the laptops they carry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.tables import FieldDevice, Release, Team, Trip, User
from sync import tables

MOST_VERSION = 40  # characters
DISK_LOW = 1 << 30
"""Bytes; with less, somebody should clear up before the next trip."""


@dataclass(frozen=True, slots=True)
class UserRow:
    """`role`: volunteer, leader, office, auditor or admin. `key`: as in `user.defined`."""

    id: str
    login: str
    name: str
    role: str
    team: str
    password_hash: str | None
    active: bool
    phone: str | None = None
    key: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TeamRow:
    """`divisions`: codes of where it works."""

    id: str
    name: str
    type: str | None
    level: int | None
    parent: str | None
    divisions: list[str]


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A laptop. `through`, `waiting`, `version`: what it has sent, and said of itself when last seen.

    `clock_off_s`: seconds that its clock was ahead of the server's, less than 0: behind; None: it did not say.
    `earlier`: the device that the same laptop was before, or that it is a copy of. `disk_free`: bytes;
    `blobs_waiting`: photos and signatures still to come. `carries`: titles of the trips that it was released for and
    that are not closed.
    """

    id: str
    name: str
    team: str | None
    team_name: str
    enrolled_at: str
    last_seen: str | None
    through: int
    waiting: int | None
    clock_off_s: int | None
    version: str | None
    revoked: bool
    revoked_reason: str | None
    earlier: str | None = None
    disk_free: int | None = None
    blobs_waiting: int | None = None
    carries: tuple[str, ...] = ()

    @property
    def disk_low(self) -> bool:
        return self.disk_free is not None and self.disk_free < DISK_LOW


def user_by_login(conn: Connection, login: str) -> UserRow | None:
    """Whoever signs in with this name; where two teams gave it, an active one, then the one defined first."""
    query = select(User).where(User.login == login).order_by(User.active.desc(), User.order_key)
    row = conn.execute(query.limit(1)).first()
    return None if row is None else _user(row)


# Asked on every page.
_USER = select(User.__table__).where(User.id == bindparam("id"))


def user(conn: Connection, identity: str) -> UserRow | None:
    row = conn.execute(_USER, {"id": identity}).first()
    return None if row is None else _user(row)


def users(conn: Connection, team: str | None = None) -> list[UserRow]:
    query = select(User).order_by(User.name, User.id)
    return [_user(row) for row in conn.execute(query if team is None else query.where(User.team == team))]


def _user(row: Row[Any]) -> UserRow:
    return UserRow(row.id, row.login, row.name, row.role, row.team, row.password_hash, row.active, row.phone, row.key)


def teams(conn: Connection, scope: Scope = EVERYTHING) -> list[TeamRow]:
    query = select(Team).where(within.teams(Team.id.expression, scope)).order_by(Team.order_key)
    return [_team(row) for row in conn.execute(query)]


def team(conn: Connection, identity: str) -> TeamRow | None:
    row = conn.execute(select(Team).where(Team.id == identity)).first()
    return None if row is None else _team(row)


def _team(row: Row[Any]) -> TeamRow:
    return TeamRow(row.id, row.name, row.type, row.level, row.parent, row.divisions)


def device_rows(conn: Connection, scope: Scope = EVERYTHING) -> list[DeviceRow]:
    """Every enrolled laptop, by name; a laptop knows of the others only what the organisation shares."""
    query = _devices().where(within.teams(FieldDevice.team.expression, scope))
    carried = _carried(conn)
    rows = conn.execute(query.order_by(FieldDevice.name, FieldDevice.id))
    return [_device(row, carried.get(row.id, ())) for row in rows]


def device_row(conn: Connection, identity: str) -> DeviceRow | None:
    row = conn.execute(_devices().where(FieldDevice.id == identity)).first()
    return None if row is None else _device(row, _carried(conn, identity).get(identity, ()))


def _carried(conn: Connection, device: str = "") -> dict[str, tuple[str, ...]]:
    """By laptop, the open trips that it was released for, the first to start first."""
    query = select(Release.device, Trip.title).join(Trip, Trip.id == Release.trip).where(Trip.status != "closed")
    query = query.where(Release.device == device) if device else query
    found: dict[str, tuple[str, ...]] = {}
    for row in conn.execute(query.order_by(Trip.starts, Trip.id)):
        found[row.device] = (*found.get(row.device, ()), row.title)
    return found


def _devices() -> Select[Any]:
    held = tables.device.c
    return (
        select(
            FieldDevice.id,
            FieldDevice.name,
            FieldDevice.team,
            FieldDevice.enrolled_key,
            FieldDevice.revoked_reason,
            Team.name.label("team_name"),
            held.enrolled_at,
            held.seen_at,
            held.through,
            held.revoked,
            held.status,
            held.earlier,
        )
        .join(Team, Team.id == FieldDevice.team, isouter=True)
        .join(tables.device, held.id == FieldDevice.id, isouter=True)
    )


def _device(row: Row[Any], carries: tuple[str, ...]) -> DeviceRow:
    status: dict[str, Any] = json.loads(row.status) if row.status else {}
    return DeviceRow(
        row.id,
        row.name,
        row.team,
        row.team_name or "",
        row.enrolled_at or "",
        row.seen_at,
        row.through or 0,
        _still_waiting(status, row.through or 0),
        clock_off_s(status.get("clock"), row.seen_at),
        _version(status.get("version")),
        bool(row.revoked) or row.revoked_reason is not None,
        row.revoked_reason,
        row.earlier,
        _whole(status.get("disk_free_bytes")),
        _whole(status.get("blobs_waiting")),
        carries,
    )


def _still_waiting(status: dict[str, Any], through: int) -> int | None:
    """What was waiting when it last asked, less what has come since."""
    waiting, then = _whole(status.get("waiting")), _whole(status.get("through_then"))
    return None if waiting is None else max(0, waiting - (through - (through if then is None else then)))


def _version(said: Any) -> str | None:
    """A word that a page can show; a lone surrogate would take the whole list of laptops down with it."""
    return said if isinstance(said, str) and len(said) <= MOST_VERSION and said.isprintable() else None


def _whole(value: Any) -> int | None:
    """What a laptop says of itself was never checked."""
    return value if type(value) is int else None


def clock_off_s(said: Any, seen_at: str | None) -> int | None:
    """How far a laptop's clock was ahead when it was last seen, from the ISO time that it said it was."""
    if not isinstance(said, str) or seen_at is None:
        return None
    try:
        told = datetime.fromisoformat(said)
    except ValueError:
        return None
    return round((told - datetime.fromisoformat(seen_at)).total_seconds()) if told.tzinfo else None
