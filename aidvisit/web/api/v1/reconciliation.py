"""Reconciliation over many trips: by item, trip, team, lot or household."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain.facts.fields import Date, Identity, OneOf, Text
from aidvisit.store.database import reading
from aidvisit.store.queries import over_trips
from aidvisit.store.queries.lots import by_lot
from aidvisit.store.queries.over_trips import HomeTotals, TeamTotals, Total, TripTotals
from aidvisit.web.api.v1.figures import LotLine, amounts, by_code, lot_line, selection
from aidvisit.web.api.v1.paging import PageQuery, after, page, sliced
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.shapes import Exact
from aidvisit.web.api.v1.spec import Blueprint
from aidvisit.web.api.v1.trip import STATUS, ItemLine, item_line
from aidvisit.web.days import day_of

blueprint = Blueprint("reconciliation")


class Trips(Exact):
    """Of which trips; without a part: of all."""

    trips_from = Date(metadata={"description": "First day on which trips start"})
    trips_until = Date()
    tour = Identity(metadata={"description": "The id of one of its trips"})
    team = Identity()
    item = Text()


class TripsQuery(PageQuery, Trips):
    pass


class TripQuery(TripsQuery):
    open = OneOf("yes", metadata={"description": "Only those that are over and not closed"})


class HomeQuery(TripsQuery):
    owed = OneOf("yes", metadata={"description": "Only those that did not get all of it"})


class TotalLine(Schema):
    """One item's columns. A service is on no truck."""

    item = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True)
    is_goods = fields.Boolean(required=True)
    figures = amounts(metadata={"description": "By column, as `of` of `/entries`"})


class TotalPage(Schema):
    data = fields.List(fields.Nested(TotalLine), required=True)
    next = fields.String(required=True, allow_none=True)


class TripLine(Schema):
    trip = Identity(required=True)
    title = fields.String(required=True)
    starts = Date(required=True)
    ends = Date(required=True)
    team = fields.String(required=True, allow_none=True)
    status = OneOf(*STATUS, required=True)
    items = fields.List(fields.Nested(TotalLine), required=True)
    unsettled = fields.List(
        fields.Nested(ItemLine), required=True, metadata={"description": "What of it nobody has accounted for"}
    )


class TripLines(Schema):
    data = fields.List(fields.Nested(TripLine), required=True)
    next = fields.String(required=True, allow_none=True)


class TeamLine(Schema):
    team = fields.String(required=True, allow_none=True, metadata={"description": "null: not known here"})
    name = fields.String(required=True)
    items = fields.List(fields.Nested(TotalLine), required=True)


class TeamLines(Schema):
    data = fields.List(fields.Nested(TeamLine), required=True)
    next = fields.String(required=True, allow_none=True)


class LotLines(Schema):
    data = fields.List(fields.Nested(LotLine), required=True)
    next = fields.String(required=True, allow_none=True)


class HomeLine(Schema):
    """`signed`, `received_by`: of the last delivery on these trips. `owed`: per trip, what it did not get there."""

    household = Identity(required=True)
    name = fields.String(required=True)
    place = fields.List(fields.String(), required=True)
    group = fields.String(required=True)
    allocated = amounts()
    delivered = amounts()
    owed = amounts()
    signed = fields.String(required=True, allow_none=True)
    received_by = fields.String(required=True)
    received_as = fields.String(required=True, allow_none=True)
    relation = fields.String(required=True, allow_none=True)


class HomeLines(Schema):
    data = fields.List(fields.Nested(HomeLine), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.on("GET /items", TotalPage, query=TripsQuery)
def items(query: dict[str, Any]) -> Response:
    """By item: allocated, loaded, gained, handed over, returned, lost, in custody, on the truck"""
    with reading() as conn:
        rows = over_trips.by_item(conn, selection(query), g.scope, today=day_of(None))
    return shown(sliced(rows, query, lambda row: (row.item,), _total))


@blueprint.on("GET /teams", TeamLines, query=TripsQuery)
def teams(query: dict[str, Any]) -> Response:
    """By team, each with its items"""
    with reading() as conn:
        rows = over_trips.by_team(conn, selection(query), g.scope, today=day_of(None))
    return shown(sliced(rows, query, lambda row: (row.team or "",), _team))


@blueprint.on("GET /lots", LotLines, query=TripsQuery)
def lots(query: dict[str, Any]) -> Response:
    """By item and lot, with the donor where it is known"""
    with reading() as conn:
        rows = by_lot(conn, selection(query), g.scope)
    return shown(sliced(rows, query, lambda row: (row.item, row.lot), lot_line))


@blueprint.on("GET /trips", TripLines, query=TripQuery)
def trips(query: dict[str, Any]) -> Response:
    """By trip, the latest first"""
    with reading() as conn:
        rows, more = over_trips.by_trip(
            conn, selection(query), g.scope, today=day_of(None), still_open="open" in query,
            after=(after(query) or [""])[0], limit=query["limit"],
        )  # fmt: skip
    return shown(page([*rows, *rows[-1:] * more], query, lambda row: (row.trip.id,), _trip))


@blueprint.on("GET /households", HomeLines, query=HomeQuery)
def households(query: dict[str, Any]) -> Response:
    """By household, in the order of their villages: what it was to get, got, and did not get"""
    with reading() as conn:
        rows, more = over_trips.by_household(
            conn, selection(query), g.scope, today=day_of(None), owed="owed" in query,
            after=(after(query) or [""])[0], limit=query["limit"],
        )  # fmt: skip
    return shown(page([*rows, *rows[-1:] * more], query, lambda row: (row.id,), _home))


def _total(row: Total) -> dict[str, Any]:
    return {
        "item": row.item, "name": row.name, "unit": row.unit, "is_goods": row.is_goods, "figures": dict(row.figures),
    }  # fmt: skip


def _totals(rows: Sequence[Total]) -> list[dict[str, Any]]:
    return [_total(row) for row in rows]


def _team(row: TeamTotals) -> dict[str, Any]:
    return {"team": row.team, "name": row.name, "items": _totals(row.totals)}


def _trip(row: TripTotals) -> dict[str, Any]:
    head = row.trip
    return {
        "trip": head.id, "title": head.title, "starts": head.starts, "ends": head.ends, "team": head.team,
        "status": head.status, "items": _totals(row.totals), "unsettled": [item_line(one) for one in row.unsettled],
    }  # fmt: skip


def _home(row: HomeTotals) -> dict[str, Any]:
    return {
        "household": row.id, "name": row.name, "place": row.place, "group": row.group,
        **{name: by_code(getattr(row, name)) for name in ("allocated", "delivered", "owed")},
        "signed": row.signed, "received_by": row.received_by, "received_as": row.received_as,
        "relation": row.relation,
    }  # fmt: skip
