"""Deliveries: read, recorded and voided. A photo of the proof is no part of it; a laptop or the page brings that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, g
from marshmallow import Schema, fields
from sqlalchemy import Connection

from aidvisit.domain import mask
from aidvisit.domain.facts import delivery as facts
from aidvisit.domain.facts.fields import Date, Identity, Many, OneOf, Part, Why, division
from aidvisit.errors import Problem
from aidvisit.services import delivery as service
from aidvisit.services.bodies import checked, filled
from aidvisit.services.household import stream_of
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import catalog, paged, trip
from aidvisit.store.queries.paged import Record
from aidvisit.web.api.v1 import door
from aidvisit.web.api.v1.household import known
from aidvisit.web.api.v1.paging import PageQuery, after, page
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.shapes import Made, closed
from aidvisit.web.api.v1.spec import Blueprint
from aidvisit.web.api.v1.writing import KeyHeader, made, sent, written
from sync.op import uuid7

blueprint = Blueprint("deliveries")
WHERE = f"{door.PREFIX}/deliveries"

NewVoid = closed(Why, "NewVoid")


class NewProof(closed(facts.Proof, "ProofByWords", "sha256", "bytes", "media_type")):  # type: ignore[misc]
    """A sheet that was signed, by its page and row, or why there is no proof: pictures come by a laptop or a page."""

    as_ = OneOf("paper", "none", required=True, data_key="as")


class NewDelivery(closed(facts.Delivery, "DeliveryByWords", "visit")):  # type: ignore[misc]
    """`for` is a member; without `from` the goods come from the trip's truck."""

    proofs = Many(Part(NewProof), 1, required=True)


class Happening(PageQuery):
    trip = Identity()
    household = Identity(metadata={"description": "Also of those that were merged into it"})
    division = division()
    from_ = Date(data_key="from", metadata={"description": "The first day"})
    until = Date(metadata={"description": "The last day"})


class DeliveryDocument(Schema):
    """`counts`: not voided, nor replaced by another that counts."""

    id = Identity(required=True)
    household = fields.String(required=True)
    for_ = fields.String(required=True, allow_none=True, data_key="for")
    trip = fields.String(required=True, allow_none=True)
    date = Date(required=True)
    from_ = fields.String(required=True, allow_none=True, data_key="from")
    lines = fields.List(fields.Nested(facts.DeliveredLine), required=True)
    method = OneOf("cash", "transfer", allow_none=True, required=True)
    received_by = fields.Nested(facts.ReceivedBy, required=True)
    handed_by = fields.List(fields.String(), required=True)
    proofs = fields.List(fields.Nested(facts.Proof), required=True)
    overrides = fields.List(fields.Nested(facts.Override), required=True)
    replaces = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    void_reason = fields.String(required=True, allow_none=True)
    counts = fields.Boolean(required=True)
    op = fields.String(required=True, metadata={"description": "`<device>/<seq>` of the fact"})


class DeliveryPage(Schema):
    data = fields.List(fields.Nested(DeliveryDocument), required=True)
    next = fields.String(required=True, allow_none=True)


def wanted(query: dict[str, Any]) -> dict[str, str]:
    """The filters of a list of what happened."""
    return {name: query.get(name, "") for name in ("trip", "household", "division", "from_", "until")}


@blueprint.on("GET", DeliveryPage, query=Happening, named="page")
def listed(query: dict[str, Any]) -> Response:
    """Deliveries, the latest day first; also voided ones"""
    with reading() as conn:
        rows = paged.deliveries(conn, g.scope, limit=query["limit"] + 1, after=after(query, 2), **wanted(query))
        lines = paged.delivery_lines(conn, [row.id for row in rows])
    return shown(page(rows, query, lambda row: (row.date, row.id), lambda row: _document(row, lines)))


@blueprint.on("GET /<id:delivery>", DeliveryDocument)
def one(delivery: str) -> Response:
    """One delivery"""
    with reading() as conn:
        row = _row(conn, delivery)
        lines = paged.delivery_lines(conn, [delivery])
    return shown(_document(row, lines))


def _row(conn: Connection, delivery: str) -> Record:
    row = paged.delivery(conn, delivery, g.scope)
    if row is None:
        raise Problem("unknown-delivery", id=delivery)
    return row


def _document(row: Record, lines: dict[str, list[Record]]) -> dict[str, Any]:
    shared = ("id", "household", "trip", "date", "method", "handed_by", "replaces", "counts")
    received = filled(
        as_=row.received_as, name=row.received_by, relation=row.received_relation, id_last4=row.received_id_last4
    )
    return {name: getattr(row, name) for name in shared} | {
        "for": row.member, "from": row.from_place, "op": f"{row.device}/{row.seq}", "received_by": received,
        "lines": [filled(item=line.item, quantity=line.quantity, lot=line.lot) for line in lines.get(row.id, ())],
        "proofs": masked(row.proofs),
        "overrides": [each | {"reason": mask.text(each["reason"])} for each in row.overrides],
        "note": mask.text(row.note), "void_reason": mask.text(row.void_reason),
    }  # fmt: skip


def masked(proofs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Proofs without the numbers that somebody wrote among the reasons for having none."""
    return [{k: mask.text(v) if k == "reason" else v for k, v in each.items()} for each in proofs]


@blueprint.on("POST", Made, headers=KeyHeader, body=NewDelivery, status=201)
def record(headers: dict[str, Any], _: Any) -> Response:
    """Record that a household received something. What is odd about it needs a reason in `overrides`"""

    def work() -> dict[str, Any]:
        delivery, body = uuid7(), sent()
        reasons = {each["rule"]: each["reason"] for each in body.get("overrides", ())}
        plain = {name: value for name, value in body.items() if name != "overrides"}
        with transaction() as conn:
            known(conn, body["household"])
            checked(Fact(stream_of(conn, body["household"]), "delivery.recorded", delivery, plain))
            _named(conn, body)
            entry = service.save(conn, actor=door.actor(), delivery=delivery, body=plain, reasons=reasons)
        return made(delivery, entry)

    return written(headers, work, WHERE)


def _named(conn: Connection, body: dict[str, Any]) -> None:
    """Raises: Problem `unknown-trip`, `unknown-code`, `unknown-delivery`, `invalid-form`."""
    service.check_form({line["item"]: line["quantity"] for line in body["lines"]}, body["received_by"], body["proofs"])
    if "trip" in body and trip.trip(conn, body["trip"], g.scope) is None:
        raise Problem("unknown-trip")
    for line in body["lines"]:
        if line["item"] not in catalog.items(conn):
            raise Problem("unknown-code", code=line["item"])
    if "replaces" in body and paged.delivery(conn, body["replaces"], g.scope) is None:
        raise Problem("unknown-delivery", id=body["replaces"])


@blueprint.on("POST /<id:delivery>/void", Made, headers=KeyHeader, body=NewVoid, status=201)
def void(headers: dict[str, Any], body: dict[str, Any], delivery: str) -> Response:
    """Say that a delivery was not, or not so; final"""

    def work() -> dict[str, Any]:
        with transaction() as conn:
            household = _row(conn, delivery).household
        reason = body["reason"]
        entry = service.void(
            actor=door.actor(), household=household, delivery=delivery, reason=reason, scope=g.scope
        )  # fmt: skip
        return made(delivery, entry)

    return written(headers, work)
