"""What the centre holds for review, by laptop and in the order of its log."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain import mask
from aidvisit.domain.facts.fields import Identity
from aidvisit.errors import Problem
from aidvisit.store.database import reading
from aidvisit.store.queries import held as queries
from aidvisit.store.queries.held import Held
from aidvisit.web.api.v1.figures import amounts, by_code
from aidvisit.web.api.v1.paging import PageQuery, after, page
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.spec import Blueprint

blueprint = Blueprint("held")


class HeldDocument(Schema):
    """A record that is stored and does not count yet. `reason`: the problem's name; `goods`: of a delivery; `set`:
    paths of an edit; `missing`: the household that it is about is not known; `decides`: the token's places cover it."""

    op = fields.String(required=True, metadata={"description": "`<device>/<seq>`"})
    kind = fields.String(required=True)
    recorded_at = fields.String(required=True)
    received_at = fields.String(required=True)
    person = fields.String(required=True)
    device = Identity(required=True)
    team = fields.String(required=True, allow_none=True)
    place = fields.String(required=True)
    reason = fields.String(required=True)
    household = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    missing = fields.Boolean(required=True)
    goods = amounts()
    date = fields.String(required=True)
    set = fields.List(fields.String(), required=True)
    acceptable = fields.Boolean(required=True)
    decides = fields.Boolean(required=True)


class HeldPage(Schema):
    data = fields.List(fields.Nested(HeldDocument), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.on("GET", HeldPage, query=PageQuery, named="page")
def listed(query: dict[str, Any]) -> Response:
    """Records that wait for review"""
    key = after(query, 2)
    if key is not None and not (key[1].isascii() and key[1].isdigit() and len(key[1]) < 16):
        raise Problem("invalid-form", count=1, errors={"cursor": ["不是上一页给的 next。 / This is not such a next."]})
    with reading() as conn:
        place = (key[0], int(key[1])) if key else None
        rows, more = queries.waiting(conn, g.scope, after=place, most=query["limit"])
    return shown(page([*rows, *rows[-1:] * more], query, lambda row: (row.device, str(row.seq)), held_document))


def held_document(row: Held) -> dict[str, Any]:
    return {
        "op": row.key, "kind": row.line.what, "recorded_at": row.line.at.isoformat(),
        "received_at": row.line.arrived.isoformat(), "person": row.line.person, "device": row.device,
        "team": row.team, "place": row.place, "reason": row.reason, "household": row.household,
        "name": mask.text(row.name) or "", "missing": row.missing, "goods": by_code(row.goods), "date": row.date,
        "set": row.set, "acceptable": row.acceptable, "decides": row.decides,
    }  # fmt: skip
