"""The audit: who looked at what, and who decided what."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields, validate

from aidvisit.domain.facts.fields import Date, Identity
from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.store.database import reading
from aidvisit.store.queries import audit as queries
from aidvisit.store.queries.audit import Asked, AuditLine
from aidvisit.web.api.v1.paging import PageQuery, after, cursor
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.spec import Blueprint

blueprint = Blueprint("audit")

DAYS = ("1971-01-01", "9998-12-31")


class AuditQuery(PageQuery):
    person = Identity()
    household = Identity()
    device = Identity()
    what = fields.String(
        validate=validate.Regexp(r"[a-z.-]{1,60}\Z", error="应为一种记录。 / This must be a kind."),
        metadata={"description": "A kind of fact (`user.updated`), or what an access was for (`reveal`)"},
    )
    first = Date(metadata={"description": "First day"})
    last = Date(metadata={"description": "Last day"})


class AuditDocument(Schema):
    """`person`, `role`: empty where no person is known: a command line. `body`: what the fact says of it, numbers
    masked and secrets left out. `held`: it waits for review."""

    op = fields.String(required=True, metadata={"description": "`<device>/<seq>`"})
    at = fields.String(required=True)
    arrived = fields.String(required=True)
    what = fields.String(required=True)
    person = fields.String(required=True)
    role = fields.String(required=True)
    device = fields.String(required=True)
    household = fields.String(required=True, allow_none=True)
    about = fields.String(required=True)
    rows = fields.Integer(required=True, allow_none=True)
    body = fields.Dict(keys=fields.String(), required=True)
    held = fields.Boolean(required=True)


class AuditPage(Schema):
    data = fields.List(fields.Nested(AuditDocument), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.on("GET", AuditPage, query=AuditQuery, named="page")
def listed(query: dict[str, Any]) -> Response:
    """Lines of the audit, newest first"""
    for name in ("first", "last"):
        if name in query and not DAYS[0] <= query[name] <= DAYS[1]:
            words = f"应在 {DAYS[0]} 和 {DAYS[1]} 之间。 / This must be between {DAYS[0]} and {DAYS[1]}."
            raise Problem("invalid-form", count=1, errors={name: [words]})
    asked = Asked(**{name: query[name] for name in Asked.__slots__ if name in query})
    before = (after(query) or [""])[0]
    if before and not queries.is_key(before):
        raise Problem("invalid-form", count=1, errors={"cursor": ["不是上一页给的 next。 / This is not such a next."]})
    with reading() as conn:
        rows, more = queries.page(conn, asked, g.scope, sync.current_settings().zone, before, query["limit"])
    return shown({"data": [_line(row) for row in rows], "next": cursor([more]) if more else None})


def _line(row: AuditLine) -> dict[str, Any]:
    same = ("what", "person", "role", "device", "about", "rows", "body", "held")
    return {name: getattr(row, name) for name in same} | {
        "op": row.key.partition("/")[2], "at": row.at.isoformat(), "arrived": row.arrived.isoformat(),
        "household": row.household[0] if row.household else None,
    }  # fmt: skip
