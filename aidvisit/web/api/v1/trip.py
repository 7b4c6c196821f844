"""Trips: planned, changed, what households are to get on them, and where their goods went."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, g
from marshmallow import Schema, fields
from sqlalchemy import Connection

from aidvisit.domain import mask
from aidvisit.domain.facts import trip as facts
from aidvisit.domain.facts.fields import Date, Identity, Many, OneOf, Part, Text, Whole, division
from aidvisit.errors import Problem
from aidvisit.services import plan as plans
from aidvisit.services import trip as service
from aidvisit.services.bodies import checked
from aidvisit.store.database import reading, together
from aidvisit.store.queries import catalog, paged
from aidvisit.store.queries import trip as queries
from aidvisit.store.queries.paged import Record
from aidvisit.store.queries.reconcile import ItemRow, Reconciliation, reconcile
from aidvisit.store.queries.trip import TripHead
from aidvisit.web.api.v1 import door
from aidvisit.web.api.v1.figures import LotLine, amounts, lot_line
from aidvisit.web.api.v1.paging import PageQuery, after, page
from aidvisit.web.api.v1.reading import shown, version_of
from aidvisit.web.api.v1.shapes import Exact, Made, closed
from aidvisit.web.api.v1.spec import Blueprint
from aidvisit.web.api.v1.writing import KeyHeader, VersionHeader, made, match, sent, written
from aidvisit.web.days import day_of
from sync import log
from sync.op import uuid7

blueprint = Blueprint("trips")
WHERE = f"{door.PREFIX}/trips"
STATUS = ("planned", "locked", "approved", "released", "closed")
FIELDS = ("title", "starts", "ends", "team", "divisions", "tour", "distance_km", "note")

NewTrip = closed(facts.Trip, "NewTrip")
NewLine = closed(facts.AllocationLine, "NewAllotmentLine")


class ListQuery(PageQuery):
    status = OneOf(*STATUS)
    team = Identity()


class TripDocument(Schema):
    id = Identity(required=True)
    title = fields.String(required=True)
    starts = Date(required=True)
    ends = Date(required=True)
    team = fields.String(required=True, allow_none=True)
    divisions = fields.List(fields.String(), required=True)
    tour = fields.String(required=True, allow_none=True)
    distance_km = fields.Integer(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    status = OneOf(*STATUS, required=True)


class TripPage(Schema):
    data = fields.List(fields.Nested(TripDocument), required=True)
    next = fields.String(required=True, allow_none=True)


class TripChange(Exact):
    """What shall be otherwise (RFC 7396): null takes a field away."""

    title = Text()
    starts = Date()
    ends = Date()
    team = Identity()
    divisions = Many(division(required=True), 1)
    tour = Text(allow_none=True)
    distance_km = Whole(allow_none=True)
    note = Text(2000, allow_none=True)


class AllotmentPage(Schema):
    data = fields.List(fields.Nested(facts.AllocationLine), required=True)
    next = fields.String(required=True, allow_none=True)


class NewAllotment(Exact):
    """A quantity of 0 takes a line away; lines that are not named stay."""

    lines = Many(Part(NewLine), 1, facts.MAX_LINES, required=True)


class Allotted(Schema):
    id = Identity(required=True)
    changed = fields.Integer(required=True, metadata={"description": "Lines that were not so before"})


class ItemLine(Schema):
    """loaded + gained = delivered + returned + lost + held + on_truck; `difference`: what nobody can account for."""

    item = fields.String(required=True)
    allocated = fields.Integer(required=True)
    loaded = fields.Integer(required=True)
    gained = fields.Integer(required=True)
    delivered = fields.Integer(required=True)
    returned = fields.Integer(required=True)
    lost = fields.Integer(required=True)
    held = fields.Integer(required=True)
    on_truck = fields.Integer(required=True)
    counted = fields.Integer(required=True, allow_none=True)
    difference = fields.Integer(required=True)
    missing = fields.Integer(required=True, metadata={"description": "Of the difference, what has no reason yet"})
    still_there = fields.Integer(required=True, metadata={"description": "What must be on the truck now"})
    explained = fields.String(required=True, allow_none=True)
    is_goods = fields.Boolean(required=True)


class HouseholdLine(Schema):
    """`signed`, `received_by`: of the last delivery that counts; `outcome`: of the last visit."""

    household = Identity(required=True)
    name = fields.String(required=True)
    group = fields.String(required=True)
    state = fields.String(required=True)
    allocated = amounts()
    delivered = amounts()
    owed = amounts()
    signed = fields.String(required=True, allow_none=True)
    received_by = fields.String(required=True, allow_none=True)
    received_as = fields.String(required=True, allow_none=True)
    relation = fields.String(required=True, allow_none=True)
    outcome = fields.String(required=True, allow_none=True)


class Carrier(Schema):
    """A laptop that carries the trip: the last op held of it, and when it was last heard of."""

    id = Identity(required=True)
    name = fields.String(required=True)
    through = fields.Integer(required=True)
    last_seen = fields.String(required=True, allow_none=True)


class Reconciled(Schema):
    trip = Identity(required=True)
    status = OneOf(*STATUS, required=True)
    items = fields.List(fields.Nested(ItemLine), required=True)
    elsewhere = amounts(metadata={"description": "What households got on the trip, but not from its truck"})
    lots = fields.List(fields.Nested(LotLine), required=True)
    households = fields.List(fields.Nested(HouseholdLine), required=True)
    devices = fields.List(fields.Nested(Carrier), required=True)
    possible_duplicates = fields.Integer(required=True)
    conflicts = fields.Integer(required=True, metadata={"description": "Households with edits that disagree"})
    held = fields.Integer(required=True, metadata={"description": "Records about it that wait for review"})


@blueprint.on("GET", TripPage, query=ListQuery, named="page")
def listed(query: dict[str, Any]) -> Response:
    """Trips, the latest first"""
    wanted = {name: query.get(name, "") for name in ("status", "team")}
    with reading() as conn:
        rows = paged.trips(conn, g.scope, **wanted, after=after(query, 2), limit=query["limit"] + 1)
    return shown(page(rows, query, lambda row: (row.starts, row.id), trip_document))


def trip_document(row: Record | TripHead) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", *FIELDS, "status")}


@blueprint.on("GET /<id:trip>", TripDocument)
def one(trip: str) -> Response:
    """One trip"""
    with reading() as conn:
        head = known_trip(conn, trip)
        version = _version(conn, trip)
    return shown(trip_document(head), version)


def known_trip(conn: Connection, trip: str) -> TripHead:
    head = queries.trip(conn, trip, g.scope)
    if head is None:
        raise Problem("unknown-trip")
    return head


def _version(conn: Connection, trip: str) -> str:
    return version_of(*(entry.name for entry in log.entries_of(conn, trip) if entry.op.kind != "allocation.set"))


@blueprint.on("POST", Made, headers=KeyHeader, body=NewTrip, status=201)
def plan(headers: dict[str, Any], _: Any) -> Response:
    """Plan a trip"""

    def work() -> dict[str, Any]:
        trip, body = uuid7(), sent()
        checked(service.planned(trip, **body))
        _within(body)
        return made(trip, service.plan(actor=door.actor(), trip=trip, **body))

    return written(headers, work, WHERE)


def _within(body: dict[str, Any]) -> None:
    """Raises: Problem `invalid-form`, `place-outside`, `unknown-team`, `unknown-code`."""
    if "divisions" in body and not body["divisions"]:
        words = "请至少选一个村或乡镇。 / Choose at least one village or town."
        raise Problem("invalid-form", count=1, errors={"divisions": [words]})
    for code in body.get("divisions", ()):
        if not g.scope.place(code):
            raise Problem("place-outside", code=code)
    if "team" in body and not g.scope.team(body["team"]):
        raise Problem("unknown-team", team=body["team"])


@blueprint.on("PATCH /<id:trip>", Made, headers=VersionHeader, body=TripChange)
def edit(headers: dict[str, Any], _: Any, trip: str) -> Response:
    """Change a plan; it must be what was read"""
    with together() as conn:
        known_trip(conn, trip)
        before = _version(conn, trip)
        match(headers, before)
        values = sent()
        _within(values)
        plans.update(actor=door.actor(), trip=trip, values=values, today=day_of(None), scope=g.scope)
        now = _version(conn, trip)
        last = [entry for entry in log.entries_of(conn, trip) if entry.op.kind == "trip.updated"]
    return shown(made(trip, last[-1] if now != before else None), now)


@blueprint.on("GET /<id:trip>/allotments", AllotmentPage, query=PageQuery)
def allotments(query: dict[str, Any], trip: str) -> Response:
    """What households are to get on a trip"""
    with reading() as conn:
        known_trip(conn, trip)
        rows = paged.allotments(conn, trip, g.scope, after=after(query, 2), limit=query["limit"] + 1)
    return shown(page(rows, query, lambda row: (row.household, row.item), lambda row: dict(row._mapping)))


@blueprint.on("POST /<id:trip>/allotments", Allotted, headers=KeyHeader, body=NewAllotment, status=201)
def allot(headers: dict[str, Any], body: dict[str, Any], trip: str) -> Response:
    """Set what households are to get, at most 200 lines at once"""

    def work() -> dict[str, Any]:
        lines = [(line["household"], line["item"], line["quantity"]) for line in body["lines"]]
        with reading() as conn:
            _named(conn, {line[0] for line in lines}, {line[1] for line in lines})
        changed = plans.change(actor=door.actor(), trip=trip, lines=lines, today=day_of(None), scope=g.scope)
        return {"id": trip, "changed": changed}

    return written(headers, work)


def _named(conn: Connection, households: set[str], items: set[str]) -> None:
    """Raises: Problem `unknown-household`, `unknown-code`."""
    outside = households - paged.inside(conn, households, g.scope)
    if outside:
        raise Problem("unknown-household", id=min(outside))
    unknown = items - catalog.items(conn).keys()
    if unknown:
        raise Problem("unknown-code", code=min(unknown))


@blueprint.on("GET /<id:trip>/reconciliation", Reconciled)
def reconciliation(trip: str) -> Response:
    """Where the goods of a trip went, and who got what"""
    with reading() as conn:
        known_trip(conn, trip)
        found = reconcile(conn, trip, g.scope)
    return shown(_reconciled(found))


def _reconciled(found: Reconciliation) -> dict[str, Any]:
    households = [
        {
            "household": row.id,
            **{name: getattr(row, name) for name in (
                "name", "group", "state", "signed", "received_by", "received_as", "relation", "outcome",
            )},
            **{name: {line.item: line.quantity for line in getattr(row, name)}
               for name in ("allocated", "delivered", "owed")},
        }
        for row in found.households
    ]  # fmt: skip
    return {
        "trip": found.trip.id, "status": found.trip.status, "items": [item_line(row) for row in found.items],
        "elsewhere": dict(found.elsewhere), "lots": [lot_line(row) for row in found.lots],
        "households": households, "devices": [asdict(row) for row in found.devices],
        "possible_duplicates": len(found.duplicates), "conflicts": found.conflicts, "held": found.held,
    }  # fmt: skip


def item_line(row: ItemRow) -> dict[str, Any]:
    same = {name: getattr(row, name) for name in ItemLine._declared_fields}
    return same | {"explained": mask.text(row.explained)}
