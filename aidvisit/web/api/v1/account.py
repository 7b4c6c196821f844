"""Teams, and the laptops that they carry."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain.facts.fields import Identity
from aidvisit.errors import Problem
from aidvisit.services.device import device_within
from aidvisit.services.reach import team_within
from aidvisit.store.database import reading
from aidvisit.store.queries import account as queries
from aidvisit.store.queries.account import DeviceRow, TeamRow
from aidvisit.web.api.v1.paging import PageQuery, after, page
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.spec import Blueprint

teams = Blueprint("teams")
devices = Blueprint("devices")


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
    revoked = fields.Boolean(required=True)


class DevicePage(Schema):
    data = fields.List(fields.Nested(DeviceDocument), required=True)
    next = fields.String(required=True, allow_none=True)


@teams.on("GET", TeamPage, query=PageQuery, named="page")
def listed_teams(query: dict[str, Any]) -> Response:
    """Teams, by id"""
    with reading() as conn:
        rows = sorted(queries.teams(conn, g.scope), key=lambda one: one.id)
    return _by_id(rows, query, _team)


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
        rows = sorted(queries.device_rows(conn, g.scope), key=lambda one: one.id)
    return _by_id(rows, query, _device)


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


def _by_id(rows: list[Any], query: dict[str, Any], show: Any) -> Response:
    """There are some hundreds at most."""
    key = after(query)
    rest = [row for row in rows if key is None or row.id > key[0]]
    return shown(page(rest[: query["limit"] + 1], query, lambda row: (row.id,), show))
