"""What one household received: sums by year; and its own statement, in the audit before it is told."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain.facts.fields import YesNo
from aidvisit.errors import Problem
from aidvisit.services import audit, sync
from aidvisit.services import household as service
from aidvisit.store.database import reading, together
from aidvisit.store.queries import audit as looked
from aidvisit.store.queries.audit import AuditLine
from aidvisit.store.queries.received import Received
from aidvisit.store.queries.received import received as totals
from aidvisit.store.queries.timeline import WHOLE, timeline
from aidvisit.web.api.v1 import door
from aidvisit.web.api.v1.figures import amounts, by_code
from aidvisit.web.api.v1.household import Happened, HouseholdDocument, blueprint, happened, household_document, known
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.shapes import Exact


class YearReceived(Schema):
    year = fields.String(required=True)
    deliveries = fields.Integer(required=True)
    items = amounts()


class ReceivedDocument(Schema):
    """All that counts, of it and of those merged into it; voided and replaced deliveries do not."""

    items = amounts()
    deliveries = fields.Integer(required=True)
    visits = fields.Integer(required=True)
    years = fields.List(fields.Nested(YearReceived), required=True)


class StatementAsked(Exact):
    in_full = YesNo(metadata={"description": "With all numbers; needs `household.reveal` as well"})


class Look(Schema):
    """`person`, `role`: empty where no person is known: a command line. `detail`: of an export, what it was."""

    at = fields.String(required=True)
    person = fields.String(required=True)
    role = fields.String(required=True)
    device = fields.String(required=True)
    what = fields.String(required=True, metadata={"description": "`reveal` or `export`"})
    detail = fields.String(required=True)


class StatementDocument(Schema):
    household = fields.Nested(HouseholdDocument, required=True)
    received = fields.Nested(ReceivedDocument, required=True)
    history = fields.List(fields.Nested(Happened), required=True, metadata={"description": "The latest 1,000"})
    looks = fields.List(
        fields.Nested(Look), required=True,
        metadata={"description": "Who saw it in full or took it along by itself, newest first; the latest 1,000"},
    )  # fmt: skip
    more_looks = fields.Boolean(required=True, metadata={"description": "Earlier ones are in the audit"})


@blueprint.on("GET /<id:household>/received", ReceivedDocument)
def received(household: str) -> Response:
    """What it received in all and by year, and how often anybody was there"""
    with reading() as conn:
        known(conn, household)
        return shown(_received(totals(conn, household)))


@blueprint.on("POST /<id:household>/statement", StatementDocument, body=StatementAsked)
def statement(body: dict[str, Any], household: str) -> Response:
    """All that it received, what is held about it, and who looked; who asked is written down first"""
    in_full = body.get("in_full", False)
    if in_full and not g.bearer.may("household.reveal"):
        raise Problem("token-narrow", right="household.reveal")
    detail = "statement-in-full" if in_full else "statement"
    with together() as conn:
        held = service.in_view(conn, household, g.scope)
        audit.record(door.actor(), audit.EXPORT, conn=conn, rows=1, detail=detail, household=household)
        zone = sync.current_settings().zone
        told = timeline(conn, household, most=WHOLE, zone=zone, revealed=in_full)
        looks, more = looked.looks(conn, household, zone, WHOLE)
        document = {
            "household": household_document(household, held.now, revealed=in_full),
            "received": _received(totals(conn, household)), "history": [happened(one) for one in told.entries],
            "looks": [_look(one) for one in looks], "more_looks": more,
        }  # fmt: skip
    response = shown(document)
    response.headers["Cache-Control"] = "no-store"
    return response


def _look(line: AuditLine) -> dict[str, Any]:
    said = {name: getattr(line, name) for name in ("person", "role", "device", "what")}
    return said | {"at": line.at.isoformat(), "detail": str(line.body.get("detail", ""))}


def _received(found: Received) -> dict[str, Any]:
    years = [{"year": one.year, "deliveries": one.deliveries, "items": by_code(one.items)} for one in found.years]
    return {
        "items": by_code(found.items), "deliveries": found.deliveries, "visits": found.visits, "years": years,
    }  # fmt: skip
