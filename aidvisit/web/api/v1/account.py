"""Teams, their people, and the laptops that they carry."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain import mask
from aidvisit.domain.facts.fields import Date, Identity, OneOf
from aidvisit.domain.rights import ROLES
from aidvisit.errors import Problem
from aidvisit.services.device import device_within
from aidvisit.services.reach import team_within, user_within
from aidvisit.store.database import reading
from aidvisit.store.queries import account as queries
from aidvisit.store.queries.account import DeviceRow, TeamRow, UserRow
from aidvisit.store.queries.silent import Silent, silent
from aidvisit.web.api.v1.paging import PageQuery, sliced
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.spec import Blueprint
from aidvisit.web.days import day_of

teams = Blueprint("teams")
devices = Blueprint("devices")
people = Blueprint("people")


class TeamDocument(Schema):
    id = Identity(required=True)
    name = fields.String(required=True)
    type = fields.String(required=True, allow_none=True)
    level = fields.Integer(required=True, allow_none=True)
    parent = fields.String(required=True, allow_none=True)
    divisions = fields.List(fields.String(), required=True)


class TeamPage(Schema):
    data = fields.List(fields.Nested(TeamDocument), required=True)
    next = fields.String(required=True, allow_none=True)


class DeviceDocument(Schema):
    """`through`: the last op held of it; `waiting`: how many it still has to send, as it said."""

    id = Identity(required=True)
    name = fields.String(required=True)
    team = fields.String(required=True, allow_none=True)
    enrolled_at = fields.String(required=True)
    last_seen = fields.String(required=True, allow_none=True)
    through = fields.Integer(required=True)
    waiting = fields.Integer(required=True, allow_none=True)
    clock_off_s = fields.Integer(required=True, allow_none=True)
    version = fields.String(required=True, allow_none=True)
    disk_free = fields.Integer(required=True, allow_none=True, metadata={"description": "Bytes"})
    blobs_waiting = fields.Integer(required=True, allow_none=True)
    carries = fields.List(fields.String(), required=True, metadata={"description": "Titles of trips"})
    revoked = fields.Boolean(required=True)


class DevicePage(Schema):
    data = fields.List(fields.Nested(DeviceDocument), required=True)
    next = fields.String(required=True, allow_none=True)


class PersonDocument(Schema):
    """Who may sign in, with the phone masked."""

    id = Identity(required=True)
    login = fields.String(required=True)
    name = fields.String(required=True)
    role = OneOf(*ROLES, required=True)
    team = fields.String(required=True)
    active = fields.Boolean(required=True)
    phone = fields.String(required=True, allow_none=True)


class PersonPage(Schema):
    data = fields.List(fields.Nested(PersonDocument), required=True)
    next = fields.String(required=True, allow_none=True)


class Leader(Schema):
    name = fields.String(required=True)
    phone = fields.String(required=True)


class SilentDocument(Schema):
    """A laptop that carried a trip which is over: not heard of since (`heard`), or it said that something waits."""

    device = Identity(required=True)
    name = fields.String(required=True)
    team = fields.String(required=True, allow_none=True)
    last_seen = fields.String(required=True, allow_none=True)
    waiting = fields.Integer(required=True, allow_none=True)
    trip = Identity(required=True)
    title = fields.String(required=True)
    ended = Date(required=True)
    heard = fields.Boolean(required=True)
    leaders = fields.List(fields.Nested(Leader), required=True, metadata={"description": "Of its team; masked"})


class SilentPage(Schema):
    data = fields.List(fields.Nested(SilentDocument), required=True)
    next = fields.String(required=True, allow_none=True)


@teams.on("GET", TeamPage, query=PageQuery, named="page")
def listed_teams(query: dict[str, Any]) -> Response:
    """Teams, by id"""
    with reading() as conn:
        return shown(sliced(queries.teams(conn, g.scope), query, _id, _team))


@teams.on("GET /<id:team>", TeamDocument, named="one")
def one_team(team: str) -> Response:
    """One team"""
    with reading() as conn:
        return shown(_team(team_within(conn, g.scope, team)))


def _team(row: TeamRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TeamDocument._declared_fields}


@devices.on("GET", DevicePage, query=PageQuery, named="page")
def listed_devices(query: dict[str, Any]) -> Response:
    """Laptops, by id"""
    with reading() as conn:
        return shown(sliced(queries.device_rows(conn, g.scope), query, _id, _device))


@devices.on("GET /<id:device>", DeviceDocument, named="one")
def one_device(device: str) -> Response:
    """One laptop"""
    with reading() as conn:
        found = device_within(conn, g.scope, device)
    if found is None:
        raise Problem("unknown-device", device=device)
    return shown(_device(found))


def _device(row: DeviceRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in DeviceDocument._declared_fields}


@devices.on("GET /silent", SilentPage, query=PageQuery, named="silent")
def unheard_devices(query: dict[str, Any]) -> Response:
    """Laptops that a trip which is over still waits for, the trip that ended first before"""
    with reading() as conn:
        rows = silent(conn, day_of(None), g.scope)
    return shown(sliced(rows, query, lambda row: (row.ended, row.trip, row.device.id), _silent))


def _silent(row: Silent) -> dict[str, Any]:
    one = row.device
    return {
        "device": one.id, "name": one.name, "team": one.team, "last_seen": one.last_seen, "waiting": one.waiting,
        "trip": row.trip, "title": row.title, "ended": row.ended, "heard": row.heard,
        "leaders": [{"name": name, "phone": mask.field("phone", phone)} for name, phone in row.phones],
    }  # fmt: skip


@people.on("GET", PersonPage, query=PageQuery, named="page")
def listed_people(query: dict[str, Any]) -> Response:
    """People of the teams within reach, by id"""
    with reading() as conn:
        rows = [one for one in queries.users(conn) if g.scope.team(one.team)]
    return shown(sliced(rows, query, _id, _person))


@people.on("GET /<id:person>", PersonDocument, named="one")
def one_person(person: str) -> Response:
    """One of them"""
    with reading() as conn:
        return shown(_person(user_within(conn, g.scope, person)))


def _person(row: UserRow) -> dict[str, Any]:
    same = ("id", "login", "name", "role", "team", "active")
    return {name: getattr(row, name) for name in same} | {"phone": mask.field("phone", row.phone)}


def _id(row: TeamRow | DeviceRow | UserRow) -> tuple[str]:
    return (row.id,)
