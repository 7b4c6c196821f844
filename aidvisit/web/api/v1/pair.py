"""Households that may be one and of which nobody has said anything yet."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain.facts.fields import Identity
from aidvisit.domain.likeness import Reason
from aidvisit.errors import Problem
from aidvisit.services import pair as service
from aidvisit.store.database import reading
from aidvisit.store.queries import pair as queries
from aidvisit.store.queries.pair import Pair
from aidvisit.web.api.v1.paging import PageQuery, after, cursor
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.spec import Blueprint

blueprint = Blueprint("pairs")


class PairDocument(Schema):
    """`persons`: names in `first` and in `second` of who is most alike. `sure`: both heads have the same right number
    and the same name, and they are of one village."""

    first = Identity(required=True)
    second = Identity(required=True)
    score = fields.Integer(required=True)
    reasons = fields.List(fields.String(metadata={"enum": [reason.value for reason in Reason]}), required=True)
    persons = fields.List(fields.String(), required=True)
    sure = fields.Boolean(required=True)


class Pairs(Schema):
    """A page may have fewer than `limit`: of what was found, only what is still so is told."""

    data = fields.List(fields.Nested(PairDocument), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.on("GET", Pairs, query=PageQuery, named="page")
def listed(query: dict[str, Any]) -> Response:
    """Two and two households that may be one, the likeliest first"""
    last, limit = _place(after(query, 3)), query["limit"]
    with reading() as conn:
        left = [pair for pair in service.likely(conn, g.scope) if last is None or pair.place > last]
        still = queries.still(conn, [pair.ids for pair in left[:limit]], g.scope)
    more = left[limit - 1] if len(left) > limit else None
    following = cursor([str(more.score), *more.ids]) if more else None
    return shown({"data": [_pair(pair) for pair in still], "next": following})


def _place(key: list[str] | None) -> tuple[int, str, str] | None:
    if key is None:
        return None
    if not (key[0].isascii() and key[0].isdigit() and len(key[0]) < 4):
        raise Problem("invalid-form", count=1, errors={"cursor": ["不是上一页给的 next。 / This is not such a next."]})
    return -int(key[0]), key[1], key[2]


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "first": pair.first, "second": pair.second, "score": pair.score,
        "reasons": [reason.value for reason in pair.reasons], "persons": list(pair.persons), "sure": pair.sure,
    }  # fmt: skip
