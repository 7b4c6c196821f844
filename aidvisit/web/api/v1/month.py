"""Closed periods: their figures as they were, as they are now, and every fact that came after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g
from marshmallow import Schema, fields
from sqlalchemy import Connection

from aidvisit.domain.facts.fields import Date, Identity
from aidvisit.errors import Problem
from aidvisit.store.database import reading
from aidvisit.store.queries import period as queries
from aidvisit.store.queries.period import Change, Closed, PeriodRow
from aidvisit.web.api.v1.figures import amounts
from aidvisit.web.api.v1.paging import PageQuery, sliced
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.spec import Blueprint

blueprint = Blueprint("months")


def by_column() -> fields.Dict:
    """Quantities by column (as `of` of `/entries`) and item."""
    return fields.Dict(keys=fields.String(), values=amounts(), required=True)


class ClosedPeriod(Schema):
    """`at`: when it was closed, `actor`: by whom, `team`: whose teams' and places' figures these are."""

    id = Identity(required=True)
    from_ = Date(required=True, data_key="from")
    until = Date(required=True)
    at = fields.String(required=True)
    actor = fields.String(required=True)
    team = fields.String(required=True)
    figures = by_column()


class ClosedPeriods(Schema):
    data = fields.List(fields.Nested(ClosedPeriod), required=True)
    next = fields.String(required=True, allow_none=True)


class ItemThen(Schema):
    """One item by column. `value_fen`: what was delivered was worth at the closing."""

    item = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True)
    closed = amounts()
    now = amounts()
    value_fen = fields.Integer(required=True, allow_none=True)


class PeriodDocument(ClosedPeriod):
    """`unexplained`: what has changed without a fact of the period: households or teams moved."""

    items = fields.List(fields.Nested(ItemThen), required=True)
    changes = fields.Integer(required=True, metadata={"description": "How many facts came after, see `/changes`"})
    unexplained = by_column()


class Came(Schema):
    """One fact that changed the figures after the closing, and by how much; less than 0 takes away."""

    kind = fields.String(required=True)
    source = fields.String(required=True, metadata={"description": "Id of the delivery or movement"})
    date = Date(required=True)
    arrived = fields.String(required=True)
    recorded_at = fields.String(required=True)
    by = fields.String(required=True)
    device = fields.String(required=True)
    household = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    figures = by_column()


class CameLater(Schema):
    data = fields.List(fields.Nested(Came), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.on("GET", ClosedPeriods, query=PageQuery, named="page")
def listed(query: dict[str, Any]) -> Response:
    """Closed periods, the earliest first"""
    with reading() as conn:
        rows = queries.closed_periods(conn, g.scope)
    return shown(sliced(rows, query, lambda row: (row.from_, row.id), _closed))


@blueprint.on("GET /<id:closing>", PeriodDocument)
def one(closing: str) -> Response:
    """One of them, as it was closed and as it is now"""
    with reading() as conn:
        found = queries.period(conn, _known(conn, closing))
    return shown(_closed(found.closed) | {
        "items": [_row(row) for row in found.rows], "changes": len(found.changes), "unexplained": _plain(found.unknown),
    })  # fmt: skip


@blueprint.on("GET /<id:closing>/changes", CameLater, query=PageQuery)
def changes(query: dict[str, Any], closing: str) -> Response:
    """What came in after the closing, in the order of its arrival"""
    with reading() as conn:
        found = queries.period(conn, _known(conn, closing))
    return shown(sliced(found.changes, query, lambda row: (row.arrived, row.source), _change))


def _known(conn: Connection, closing: str) -> Closed:
    found = next((one for one in queries.closed_periods(conn, g.scope) if one.id == closing), None)
    if found is None:
        raise Problem("not-found")
    return found


def _closed(row: Closed) -> dict[str, Any]:
    return {
        "id": row.id, "from": row.from_, "until": row.until, "at": row.at, "actor": row.actor, "team": row.team,
        "figures": _plain(row.figures),
    }  # fmt: skip


def _row(row: PeriodRow) -> dict[str, Any]:
    return {
        "item": row.item, "name": row.name, "unit": row.unit, "closed": dict(row.closed), "now": dict(row.now),
        "value_fen": row.value_fen,
    }  # fmt: skip


def _change(row: Change) -> dict[str, Any]:
    return {
        "kind": row.kind, "source": row.source, "date": row.date, "arrived": row.arrived,
        "recorded_at": row.recorded.isoformat(), "by": row.by, "device": row.device_name,
        "household": row.household if row.household_name else None, "reason": row.reason,
        "figures": _plain(row.figures),
    }  # fmt: skip


def _plain(figures: Mapping[Any, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    return {column: dict(sums) for column, sums in figures.items()}
