"""Stock: what is where by the books, by which papers it moved, and the entries below any figure."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain.facts.fields import Date, Identity, OneOf, PlaceRef
from aidvisit.domain.selection import COLUMNS
from aidvisit.errors import Problem
from aidvisit.services.bodies import filled
from aidvisit.store.database import reading
from aidvisit.store.queries import entries as queries
from aidvisit.store.queries import goods, paged
from aidvisit.store.queries.entries import Entry
from aidvisit.store.queries.paged import Record
from aidvisit.web.api.v1.figures import SelectionQuery, selection
from aidvisit.web.api.v1.paging import PageQuery, after, cursor, page
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.shapes import Exact
from aidvisit.web.api.v1.spec import Blueprint
from aidvisit.web.days import day_of

blueprint = Blueprint("stock")
figures = Blueprint("entries")

KEY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}~[0-9A-Za-z-]{1,60}~[0-9]{1,9}")


class Amount(Schema):
    item = fields.String(required=True)
    quantity = fields.Integer(required=True)


class Store(Schema):
    place = fields.String(required=True)
    name = fields.String(required=True)
    lines = fields.List(fields.Nested(Amount), required=True)


class Stores(Schema):
    data = fields.List(fields.Nested(Store), required=True)


class MoveQuery(PageQuery):
    trip = Identity()
    place = PlaceRef(metadata={"description": "Goods came from it or went to it, as `warehouse:main`"})


class MovedLine(Amount):
    lot = fields.String()
    expires = Date()
    value_fen = fields.Integer()


class Move(Schema):
    id = Identity(required=True)
    trip = fields.String(required=True, allow_none=True)
    from_ = fields.String(required=True, data_key="from")
    to = fields.String(required=True)
    date = Date(required=True)
    lines = fields.List(fields.Nested(MovedLine), required=True)
    slip = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class Moves(Schema):
    data = fields.List(fields.Nested(Move), required=True)
    next = fields.String(required=True, allow_none=True)


class EntryQuery(PageQuery, SelectionQuery):
    """The selection of a figure, as the page /entries is asked."""

    of = OneOf(*COLUMNS, required=True, metadata={"description": "What the figure counts"})


class EntryLine(Schema):
    kind = fields.String(required=True)
    source = fields.String(required=True, metadata={"description": "Id of the delivery, movement or trip"})
    date = Date(required=True)
    item = fields.String(required=True)
    quantity = fields.Integer(required=True)
    trip = fields.String(required=True, allow_none=True)
    household = fields.String(required=True, allow_none=True)
    from_place = fields.String(required=True, allow_none=True)
    to_place = fields.String(required=True, allow_none=True)
    lot = fields.String(required=True, allow_none=True)
    donor = fields.String(required=True, allow_none=True)
    slip = fields.String(required=True, allow_none=True)


class Entries(Schema):
    data = fields.List(fields.Nested(EntryLine), required=True)
    totals = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": "Of all pages, by item"}
    )
    next = fields.String(required=True, allow_none=True)


@blueprint.on("GET", Stores, query=Exact, named="page")
def listed(_: Any) -> Response:
    """What is in warehouses, funds and custody by the books"""
    with reading() as conn:
        found = goods.stores(conn)
    return shown({"data": [store(one) for one in found if near(one.place)]})


def near(place: str) -> bool:
    """Warehouses are everybody's; goods in custody are a village's."""
    kind, _, code = place.partition(":")
    return kind != "held" or bool(g.scope.place(code))


def store(one: goods.Store) -> dict[str, Any]:
    lines = [{"item": line.item, "quantity": line.quantity} for line in one.lines]
    return {"place": one.place, "name": one.name, "lines": lines}


@blueprint.on("GET /movements", Moves, query=MoveQuery)
def movements(query: dict[str, Any]) -> Response:
    """Papers of stock that are no deliveries, what was recorded last first"""
    asked = {name: query.get(name, "") for name in ("trip", "place")}
    with reading() as conn:
        rows = paged.moves(conn, g.scope, **asked, after=after(query), limit=query["limit"] + 1)
        lines = paged.move_lines(conn, [row.id for row in rows])
    return shown(page(rows, query, lambda row: (row.id,), lambda row: _move(row, lines)))


def _move(row: Record, lines: dict[str, list[Record]]) -> dict[str, Any]:
    return {
        "id": row.id, "trip": row.trip, "from": row.from_place, "to": row.to_place, "date": row.date,
        "slip": row.slip, "reason": row.reason,
        "lines": [
            filled(item=line.item, quantity=line.quantity, lot=line.lot, expires=line.expires,
                   value_fen=line.value_fen)
            for line in lines.get(row.id, ())
        ],
    }  # fmt: skip


@figures.on("GET", Entries, query=EntryQuery, named="page")
def page_of_entries(query: dict[str, Any]) -> Response:
    """The lines below a figure and their sums, newest first"""
    asked, key, today = selection(query), after(query), day_of(None)
    if key is not None and not KEY.fullmatch(key[0]):
        raise Problem("invalid-form", count=1, errors={"cursor": ["不是上一页给的 next。 / This is not such a next."]})
    with reading() as conn:
        rows, more = queries.page(
            conn, query["of"], asked, g.scope, today=today, after=key[0] if key else "", limit=query["limit"]
        )
        totals = queries.totals(conn, query["of"], asked, g.scope, today=today)
    following = cursor([rows[-1].key]) if more else None
    return shown({"data": [_entry(row) for row in rows], "totals": totals, "next": following})


def _entry(row: Entry) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name in EntryLine._declared_fields}
