"""Lists for work: households by village and group, with who was not visited or not served since a day."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain.facts.fields import Date, Identity, OneOf, Text, division
from aidvisit.store.database import reading
from aidvisit.store.queries import listing as queries
from aidvisit.store.queries.listing import Listed, Wanted
from aidvisit.web.api.v1.paging import PageQuery, after, page
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.spec import Blueprint
from aidvisit.web.days import day_of

blueprint = Blueprint("lists")


class WantedQuery(PageQuery):
    """`item` narrows `not_served_since` to one item."""

    place = division()
    category = Text()
    not_visited_since = Date()
    not_served_since = Date()
    item = Text()
    needs = OneOf("yes", metadata={"description": "Only with a need since which nothing was delivered"})


class ListedDocument(Schema):
    """`place`: county, town, village. `visited`, `served`: the last day, null for never. Numbers are masked."""

    household = Identity(required=True)
    division = fields.String(required=True)
    place = fields.List(fields.String(), required=True)
    group = fields.String(required=True)
    name = fields.String(required=True)
    id_number = fields.String(required=True)
    phone = fields.String(required=True)
    address = fields.String(required=True)
    size = fields.Integer(required=True, allow_none=True)
    categories = fields.List(fields.String(), required=True, metadata={"description": "Their names"})
    visited = fields.String(required=True, allow_none=True)
    served = fields.String(required=True, allow_none=True)
    needs = fields.List(fields.String(), required=True)


class ListedPage(Schema):
    data = fields.List(fields.Nested(ListedDocument), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.on("GET", ListedPage, query=WantedQuery, named="page")
def listed(query: dict[str, Any]) -> Response:
    """A list for work, by village, group and name"""
    given = {name: query[name] for name in Wanted.__slots__ if name in query}
    asked = Wanted(**given | {"needs": "needs" in query})
    with reading() as conn:
        rows, more = queries.page(
            conn, asked, g.scope, today=day_of(None), after=(after(query) or [""])[0], limit=query["limit"]
        )
    return shown(page([*rows, *rows[-1:] * more], query, lambda row: (row.id,), _listed))


def _listed(row: Listed) -> dict[str, Any]:
    same = ("division", "place", "group", "name", "id_number", "phone", "address", "size", "visited", "served", "needs")
    return {name: getattr(row, name) for name in same} | {"household": row.id, "categories": row.tags}
