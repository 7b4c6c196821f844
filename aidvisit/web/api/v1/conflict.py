"""Edits of a household that disagree: both values, masked, with who gave them and what they had in view."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain.facts.fields import Identity
from aidvisit.store.database import reading
from aidvisit.store.queries import conflict as queries
from aidvisit.store.queries.conflict import Conflict, Said, Side
from aidvisit.web.api.v1.household import blueprint as households
from aidvisit.web.api.v1.household import known
from aidvisit.web.api.v1.paging import PageQuery, after, cursor
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.spec import Blueprint

blueprint = Blueprint("conflicts")


class SaidValue(Schema):
    """`op`: `<device>/<seq>` of the fact that gave it. `by`: a name, or a team's; `device`: empty for the centre."""

    op = fields.String(required=True)
    value = fields.Raw(required=True, allow_none=True)
    by = fields.String(required=True)
    device = fields.String(required=True)
    at = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)


class SideDocument(SaidValue):
    """`counts`: it is the one that is shown. `saw`: what its author had in view."""

    counts = fields.Boolean(required=True)
    saw = fields.List(fields.Nested(SaidValue), required=True)


class ConflictDocument(Schema):
    """`alike`: the values look the same, because what is masked differs."""

    household = Identity(required=True)
    name = fields.String(required=True)
    path = fields.String(required=True)
    sides = fields.List(fields.Nested(SideDocument), required=True)
    alike = fields.Boolean(required=True)
    masked = fields.Boolean(required=True)


class Conflicts(Schema):
    data = fields.List(fields.Nested(ConflictDocument), required=True)
    next = fields.String(required=True, allow_none=True)


class ConflictsOfOne(Schema):
    data = fields.List(fields.Nested(ConflictDocument), required=True)


@blueprint.on("GET", Conflicts, query=PageQuery, named="page")
def listed(query: dict[str, Any]) -> Response:
    """Fields on which edits disagree, by household"""
    key = after(query, 2)
    with reading() as conn:
        rows, more = queries.listed(conn, g.scope, (key[0], key[1]) if key else None, query["limit"])
    return shown({"data": [conflict_document(row) for row in rows], "next": cursor(more) if more else None})


@households.on("GET /<id:household>/conflicts", ConflictsOfOne)
def conflicts(household: str) -> Response:
    """Its fields on which edits disagree"""
    with reading() as conn:
        known(conn, household)
        rows = queries.of_household(conn, household, g.scope)
    return shown({"data": [conflict_document(row) for row in rows]})


def conflict_document(row: Conflict) -> dict[str, Any]:
    return {
        "household": row.household, "name": row.name, "path": row.path, "sides": [_side(side) for side in row.sides],
        "alike": row.alike, "masked": row.masked,
    }  # fmt: skip


def _side(side: Side) -> dict[str, Any]:
    return _said(side.said) | {"counts": side.counts, "saw": [_said(one) for one in side.saw]}


def _said(one: Said) -> dict[str, Any]:
    return {
        "op": one.op, "value": one.value, "by": one.by, "device": one.device_name, "at": one.at.isoformat(),
        "reason": one.reason,
    }  # fmt: skip
