"""The overview's figures, reports by one axis, and what became of a donor's goods."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain.facts.fields import OneOf
from aidvisit.domain.report import AXES, FEWEST
from aidvisit.errors import Problem
from aidvisit.services import report as service
from aidvisit.services.report import DonorStatement, Given, Reached
from aidvisit.store.database import reading
from aidvisit.store.queries import goods, held
from aidvisit.store.queries import overview as queries
from aidvisit.web.api.v1.figures import (
    Figure,
    FigureRow,
    Fresh,
    LotLine,
    SelectionQuery,
    amounts,
    figure,
    figure_row,
    fresh,
    lot_line,
    selection,
)
from aidvisit.web.api.v1.paging import PageQuery, sliced
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.spec import Blueprint
from aidvisit.web.api.v1.stock import Store, near, store
from aidvisit.web.days import day_of

overview = Blueprint("overview")
reports = Blueprint("reports")
donors = Blueprint("donors")


class Overview(Schema):
    """`places`: by county, town or village, as `place_axis` says: the widest that tells places apart."""

    households = fields.Integer(required=True, metadata={"description": "Open ones"})
    held = fields.Integer(required=True, metadata={"description": "Records that wait for review"})
    whole = fields.Nested(Figure, required=True)
    place_axis = OneOf("county", "town", "village", required=True)
    days = fields.List(fields.Nested(FigureRow), required=True)
    items = fields.List(fields.Nested(FigureRow), required=True)
    classes = fields.List(fields.Nested(FigureRow), required=True)
    places = fields.List(fields.Nested(FigureRow), required=True)
    teams = fields.List(fields.Nested(FigureRow), required=True)
    categories = fields.List(fields.Nested(FigureRow), required=True)
    stock = fields.List(fields.Nested(Store), required=True)
    fresh = fields.Nested(Fresh, required=True)


class VillageQuery(PageQuery, SelectionQuery):
    pass


class Village(Schema):
    """Of its open households, how many received something of the selection, and how many did not."""

    division = fields.String(required=True)
    name = fields.String(required=True)
    households = fields.Integer(required=True)
    served = fields.Integer(required=True)
    waiting = fields.Integer(required=True)


class VillagePage(Schema):
    data = fields.List(fields.Nested(Village), required=True)
    fresh = fields.Nested(Fresh, required=True)
    next = fields.String(required=True, allow_none=True)


class ReportQuery(PageQuery, SelectionQuery):
    by = OneOf(*AXES, required=True)


class Report(Schema):
    """`whole`: of all of it, not the sum of the rows, in which a household can stand several times."""

    whole = fields.Nested(Figure, required=True)
    data = fields.List(fields.Nested(FigureRow), required=True)
    fresh = fields.Nested(Fresh, required=True)
    next = fields.String(required=True, allow_none=True)


class VillageShare(Schema):
    """`division`: empty for villages together. `households`: null where fewer than three stand for it."""

    division = fields.String(required=True)
    name = fields.String(required=True)
    households = fields.Integer(required=True, allow_none=True)
    quantity = fields.Integer(required=True)


class GivenItem(Schema):
    item = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True)
    figures = amounts(metadata={"description": "By column"})
    value_fen = fields.Integer(required=True, allow_none=True, metadata={"description": "Of what was delivered"})
    villages = fields.List(fields.Nested(VillageShare), required=True)


class Statement(Schema):
    """Nobody's data. `households`, `times`: null where fewer than `fewest` households received something."""

    donor = fields.String(required=True)
    name = fields.String(required=True)
    fewest = fields.Integer(required=True)
    households = fields.Integer(required=True, allow_none=True)
    times = fields.Integer(required=True, allow_none=True)
    items = fields.List(fields.Nested(GivenItem), required=True)
    lots = fields.List(fields.Nested(LotLine), required=True)
    fresh = fields.Nested(Fresh, required=True)


@overview.on("GET", Overview, query=SelectionQuery, named="one")
def overviewed(query: dict[str, Any]) -> Response:
    """What was given, by day, item, class, place, team and category; what is in stock"""
    with reading() as conn:
        charts = service.charts(conn, selection(query), g.scope, today=day_of(None))
        stores = [one for one in goods.stores(conn) if near(one.place)]
        document = {
            "households": queries.open_households(conn, g.scope), "held": held.count(conn, g.scope),
            "whole": figure(charts.whole), "place_axis": charts.reports["place"].by,
            "stock": [store(one) for one in stores], "fresh": fresh(conn),
        }  # fmt: skip
    for name, key in (("days", "day"), ("items", "item"), ("classes", "class"), ("places", "place"),
                      ("teams", "team"), ("categories", "category")):  # fmt: skip
        document[name] = [figure_row(row) for row in charts.reports[key].rows]
    return shown(document)


@overview.on("GET /villages", VillagePage, query=VillageQuery)
def villages(query: dict[str, Any]) -> Response:
    """Households that received something, and those that did not, by village"""
    with reading() as conn:
        rows = service.reached(conn, selection(query), g.scope, today=day_of(None))
        document = sliced(rows, query, lambda row: (row.key,), _village) | {"fresh": fresh(conn)}
    return shown(document)


def _village(row: Reached) -> dict[str, Any]:
    return {
        "division": row.key, "name": row.name, "households": row.households, "served": row.served,
        "waiting": row.waiting,
    }  # fmt: skip


@reports.on("GET", Report, query=ReportQuery, named="page")
def reported(query: dict[str, Any]) -> Response:
    """Households, persons, times, quantities and value, by one axis"""
    with reading() as conn:
        found = service.report(conn, selection(query), query["by"], g.scope, today=day_of(None))
        document = sliced(found.rows, query, lambda row: (row.key,), figure_row)
        document |= {"whole": figure(found.whole), "fresh": fresh(conn)}
    return shown(document)


@donors.on("GET /<code>/statement", Statement, query=SelectionQuery)
def statement(query: dict[str, Any], code: str) -> Response:
    """Where the goods of one donor went, with nobody's data"""
    with reading() as conn:
        try:
            found = service.donor_statement(conn, code, selection(query), g.scope, today=day_of(None))
        except LookupError:
            raise Problem("unknown-code", code=code) from None
        document = _statement(found) | {"fresh": fresh(conn)}
    return shown(document)


def _statement(found: DonorStatement) -> dict[str, Any]:
    return {
        "donor": found.donor, "name": found.name, "fewest": FEWEST, "households": found.households,
        "times": found.times, "items": [_given(one) for one in found.items],
        "lots": [lot_line(one) for one in found.lots],
    }  # fmt: skip


def _given(one: Given) -> dict[str, Any]:
    shares = [
        {"division": share.village, "name": name} | {n: v for n, v in asdict(share).items() if n != "village"}
        for share, name in one.shares
    ]
    return {
        "item": one.item.code, "name": one.item.name, "unit": one.item.unit, "figures": dict(one.figures),
        "value_fen": one.value_fen, "villages": shares,
    }  # fmt: skip
