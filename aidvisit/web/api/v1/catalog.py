"""What everybody shares: items, hardship categories, places and divisions, by code."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from aidvisit.domain import mask
from aidvisit.domain.facts import catalog as facts
from aidvisit.domain.facts.fields import Text, division
from aidvisit.errors import Problem
from aidvisit.store.database import reading
from aidvisit.store.queries import catalog as queries
from aidvisit.store.queries import division as divisions
from aidvisit.store.queries.catalog import Noun
from aidvisit.store.queries.division import DivisionView
from aidvisit.web.api.v1.paging import PageQuery, after, page
from aidvisit.web.api.v1.reading import shown, version_of
from aidvisit.web.api.v1.spec import Blueprint

MOST_CODE = 100


def _noun(noun: Noun, plural: str, schema: type[Schema], words: str) -> Blueprint:
    """The list and the one of items, categories or places."""
    blueprint = Blueprint(plural)
    many = type(f"{noun.title()}Page", (Schema,), {
        "data": fields.List(fields.Nested(schema), required=True),
        "next": fields.String(required=True, allow_none=True),
    })  # fmt: skip

    def listed(query: dict[str, Any]) -> Response:
        key = after(query)
        with reading() as conn:
            rows, more = queries.defined(conn, noun, key[0] if key else "", query["limit"])
        return shown(page([*rows, *rows[-1:] * more], query, lambda row: (row.code,), lambda row: mask.body(row.body)))

    def one(code: str) -> Response:
        with reading() as conn:
            found = queries.definition(conn, noun, code)
        if found is None:
            raise Problem("unknown-code", code=code)
        return shown(mask.body(found.body), version_of(found.seen))

    listed.__doc__, one.__doc__ = f"{words}, by code", f"One of them: {words.lower()}"
    blueprint.on("GET", many, query=PageQuery, named="page")(listed)
    blueprint.on("GET /<code>", schema)(one)
    return blueprint


items = _noun("item", "items", facts.Item, "Things that are given")
categories = _noun("category", "categories", facts.Category, "Hardship categories")
places = _noun("place", "places", facts.DefinedPlace, "Warehouses, funds, donors and places of custody")
tree = Blueprint("divisions")


class DivisionQuery(PageQuery):
    under = division(metadata={"description": "Its code: what lies directly below it; without, the provinces"})
    q = Text(metadata={"description": "A part of the name, or how the code begins"})


class DivisionDocument(Schema):
    code = fields.String(required=True)
    name = fields.String(required=True)
    line = fields.List(fields.String(), required=True, metadata={"description": "Codes of what it lies in"})


class DivisionPage(Schema):
    data = fields.List(fields.Nested(DivisionDocument), required=True)
    next = fields.String(required=True, allow_none=True)


@tree.on("GET", DivisionPage, query=DivisionQuery, named="page")
def listed(query: dict[str, Any]) -> Response:
    """Divisions of the whole country, by code"""
    key = (after(query) or [""])[0]
    with reading() as conn:
        if query.get("q", "").strip():
            rows, more = divisions.find(conn, query["q"].strip(), key, query["limit"])
        else:
            rows, more = divisions.children(conn, query.get("under", ""), key, query["limit"])
    return shown(page([*rows, *rows[-1:] * more], query, lambda row: (row.code,), _division))


@tree.on("GET /<code>", DivisionDocument)
def one(code: str) -> Response:
    """One division"""
    with reading() as conn:
        found = divisions.division(conn, code)
    if found is None:
        raise Problem("unknown-code", code=code)
    return shown(_division(found))


def _division(row: DivisionView) -> dict[str, Any]:
    return {"code": row.code, "name": row.name, "line": [code for code, _ in row.line]}
