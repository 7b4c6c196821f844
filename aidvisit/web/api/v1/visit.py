"""Visits: read and recorded."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain import mask
from aidvisit.domain.facts import visit as facts
from aidvisit.domain.facts.delivery import Proof
from aidvisit.domain.facts.fields import Date, Identity, OneOf
from aidvisit.errors import Problem
from aidvisit.services import visit as service
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import paged, trip
from aidvisit.store.queries.paged import Record
from aidvisit.web.api.v1 import door
from aidvisit.web.api.v1.delivery import Happening, masked, wanted
from aidvisit.web.api.v1.household import known
from aidvisit.web.api.v1.paging import after, page
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.shapes import Made, closed
from aidvisit.web.api.v1.spec import Blueprint
from aidvisit.web.api.v1.writing import KeyHeader, made, sent, written
from sync.op import uuid7

blueprint = Blueprint("visits")
WHERE = f"{door.PREFIX}/visits"

NewVisit = closed(facts.Visit, "NewVisit", "proofs", "at")


class VisitDocument(Schema):
    id = Identity(required=True)
    household = fields.String(required=True)
    member = fields.String(required=True, allow_none=True)
    trip = fields.String(required=True, allow_none=True)
    date = Date(required=True)
    outcome = OneOf(*facts.OUTCOMES, required=True)
    with_ = fields.Nested(facts.Met, required=True, allow_none=True, data_key="with")
    purposes = fields.List(OneOf(*facts.PURPOSES), required=True)
    by = fields.List(fields.String(), required=True)
    minutes = fields.Integer(required=True, allow_none=True)
    needs = fields.List(fields.String(), required=True)
    proofs = fields.List(fields.Nested(Proof), required=True)
    note = fields.String(required=True, allow_none=True)
    void_reason = fields.String(required=True, allow_none=True)
    op = fields.String(required=True, metadata={"description": "`<device>/<seq>` of the fact"})


class VisitPage(Schema):
    data = fields.List(fields.Nested(VisitDocument), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.on("GET", VisitPage, query=Happening, named="page")
def listed(query: dict[str, Any]) -> Response:
    """Visits, the latest day first; also voided ones"""
    with reading() as conn:
        rows = paged.visits(conn, g.scope, limit=query["limit"] + 1, after=after(query, 2), **wanted(query))
    return shown(page(rows, query, lambda row: (row.date, row.id), _document))


@blueprint.on("GET /<id:visit>", VisitDocument)
def one(visit: str) -> Response:
    """One visit"""
    with reading() as conn:
        row = paged.visit(conn, visit, g.scope)
    if row is None:
        raise Problem("unknown-visit", id=visit)
    return shown(_document(row))


def _document(row: Record) -> dict[str, Any]:
    shared = ("id", "household", "member", "trip", "date", "outcome", "purposes", "minutes")
    return {name: getattr(row, name) for name in shared} | {
        "with": row.met_with, "by": row.visited_by, "op": f"{row.device}/{row.seq}",
        "needs": [mask.text(need) for need in row.needs], "proofs": masked(row.proofs), "note": mask.text(row.note),
        "void_reason": mask.text(row.void_reason),
    }  # fmt: skip


@blueprint.on("POST", Made, headers=KeyHeader, body=NewVisit, status=201)
def record(headers: dict[str, Any], _: Any) -> Response:
    """Record that somebody was at a household"""

    def work() -> dict[str, Any]:
        visit, body = uuid7(), sent()
        with transaction() as conn:
            known(conn, body["household"])
            if "trip" in body and trip.trip(conn, body["trip"], g.scope) is None:
                raise Problem("unknown-trip")
        said = {name: body[name] for name in ("note", "by", "member", "minutes", "needs") if name in body}
        entry = service.record_visit(
            actor=door.actor(), visit=visit, household=body["household"], trip=body.get("trip"), date=body["date"],
            outcome=body["outcome"], purposes=body["purposes"], with_=body.get("with"), scope=g.scope, **said,
        )  # fmt: skip
        return made(visit, entry)

    return written(headers, work, WHERE)
