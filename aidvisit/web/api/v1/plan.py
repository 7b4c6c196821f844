"""A trip's plan, whom it is for, its releases, how far it is, and what came after its closing."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain.facts.fields import Date, Identity
from aidvisit.errors import Problem
from aidvisit.store.database import reading
from aidvisit.store.queries import closing as closings
from aidvisit.store.queries import overview, paged
from aidvisit.store.queries import plan as queries
from aidvisit.store.queries.closing import LateFact
from aidvisit.store.queries.plan import Plan, PlannedHousehold
from aidvisit.web.api.v1.figures import amounts, by_code
from aidvisit.web.api.v1.paging import PageQuery, after, page, sliced
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.trip import ListQuery, TripDocument, blueprint, known_trip, trip_document
from aidvisit.web.days import day_of
from sync import clock


class Progress(TripDocument):
    """`total`: households with an allotment; `done`: those of them that something was delivered to."""

    total = fields.Integer(required=True)
    done = fields.Integer(required=True)


class ProgressPage(Schema):
    data = fields.List(fields.Nested(Progress), required=True)
    next = fields.String(required=True, allow_none=True)


class PlannedLine(Schema):
    """`in_stock`: in all warehouses and funds; `taken`: what the trip has out of them; `missing`: what nobody has."""

    item = fields.String(required=True)
    allotted = fields.Integer(required=True)
    households = fields.Integer(required=True)
    in_stock = fields.Integer(required=True)
    taken = fields.Integer(required=True)
    missing = fields.Integer(required=True)


class PlanStep(Schema):
    """What somebody did with the plan as a whole."""

    kind = fields.String(required=True)
    at = fields.String(required=True)
    actor = fields.String(required=True)
    name = fields.String(required=True)


class Approved(Schema):
    """`stands`: approved, and nothing of the allotment changed since; `changed`: how many lines did."""

    locked_by = fields.String(required=True, allow_none=True)
    approved_by = fields.String(required=True, allow_none=True)
    changed = fields.Integer(required=True)
    stands = fields.Boolean(required=True)


class ReleasedTo(Schema):
    """`groups`: the village groups that the laptop serves; none: all."""

    device = Identity(required=True)
    groups = fields.List(fields.String(), required=True)


class PlanDocument(Schema):
    trip = Identity(required=True)
    households = fields.Integer(required=True)
    overlapping = fields.Integer(required=True, metadata={"description": "Households with an overlap"})
    items = fields.List(fields.Nested(PlannedLine), required=True)
    steps = fields.List(fields.Nested(PlanStep), required=True)
    approval = fields.Nested(Approved, required=True)
    releases = fields.List(fields.Nested(ReleasedTo), required=True)


class OverlapDocument(Schema):
    """Another trip on some of the same days has the same item for the same household."""

    item = fields.String(required=True)
    trip = Identity(required=True)
    title = fields.String(required=True)
    starts = Date(required=True)
    ends = Date(required=True)
    quantity = fields.Integer(required=True)


class PlannedFor(Schema):
    """`closed`: why it gets nothing any more."""

    household = Identity(required=True)
    name = fields.String(required=True)
    group = fields.String(required=True)
    size = fields.Integer(required=True, allow_none=True)
    categories = fields.List(fields.String(), required=True)
    allotted = amounts()
    overlaps = fields.List(fields.Nested(OverlapDocument), required=True)
    closed = fields.String(required=True, allow_none=True)


class PlannedPage(Schema):
    data = fields.List(fields.Nested(PlannedFor), required=True)
    next = fields.String(required=True, allow_none=True)


class ClosingStep(Schema):
    """Somebody closed the trip or opened it again. `why`: the note, or the reason."""

    closed = fields.Boolean(required=True)
    at = fields.String(required=True)
    by = fields.String(required=True)
    why = fields.String(required=True, allow_none=True)


class Late(Schema):
    """A fact about the trip that counted here only after it was closed."""

    kind = fields.String(required=True)
    source = fields.String(required=True)
    arrived = fields.String(required=True)
    recorded_at = fields.String(required=True)
    by = fields.String(required=True)
    device = fields.String(required=True)
    date = fields.String(required=True)
    household = fields.String(required=True, allow_none=True)
    lines = amounts()


class ClosingDocument(Schema):
    trip = Identity(required=True)
    steps = fields.List(fields.Nested(ClosingStep), required=True)
    late = fields.List(fields.Nested(Late), required=True)


@blueprint.on("GET /progress", ProgressPage, query=ListQuery)
def progress(query: dict[str, Any]) -> Response:
    """Trips, the latest first, with how far they are"""
    wanted = {name: query.get(name, "") for name in ("status", "team")}
    with reading() as conn:
        rows = paged.trips(conn, g.scope, **wanted, after=after(query, 2), limit=query["limit"] + 1)
        done = overview.counted(conn, [row.id for row in rows])

    def show(row: Any) -> dict[str, Any]:
        return trip_document(row) | dict(zip(("total", "done"), done.get(row.id, (0, 0)), strict=True))

    return shown(page(rows, query, lambda row: (row.starts, row.id), show))


@blueprint.on("GET /<id:trip>/plan", PlanDocument, named="planned")
def planned(trip: str) -> Response:
    """What a trip is planned to give, its approval and its releases"""
    found = _plan(trip)
    return shown({
        "trip": trip, "households": len(found.households), "overlapping": len(found.overlapping),
        "items": [
            {name: getattr(row, name) for name in PlannedLine._declared_fields} for row in found.items
        ],
        "steps": [
            {"kind": row.kind, "at": clock.from_ms(clock.parse(row.at)[0]).isoformat(), "actor": row.actor,
             "name": row.name} for row in found.steps
        ],
        "approval": {name: getattr(found.approval, name) for name in Approved._declared_fields},
        "releases": [{"device": device, "groups": list(groups)} for device, groups in sorted(found.releases.items())],
    })  # fmt: skip


@blueprint.on("GET /<id:trip>/plan/households", PlannedPage, query=PageQuery)
def planned_households(query: dict[str, Any], trip: str) -> Response:
    """Households with an allotment, by id, with other trips that have the same for them"""
    return shown(sliced(_plan(trip).households, query, lambda row: (row.id,), _household))


@blueprint.on("GET /<id:trip>/closing", ClosingDocument)
def closing(trip: str) -> Response:
    """Who closed and opened it again, and what came in about it afterwards"""
    with reading() as conn:
        known_trip(conn, trip)
        steps, late = closings.steps(conn, trip), closings.late(conn, trip, g.scope)
    told = [{"closed": one.closed, "at": one.at.isoformat(), "by": one.by, "why": one.why} for one in steps]
    return shown({"trip": trip, "steps": told, "late": [_late(one) for one in late]})


def _plan(trip: str) -> Plan:
    with reading() as conn:
        found = queries.plan(conn, trip, day_of(None), g.scope)
    if found is None:
        raise Problem("unknown-trip")
    return found


def _household(row: PlannedHousehold) -> dict[str, Any]:
    overlaps = [{name: getattr(one, name) for name in OverlapDocument._declared_fields} for one in row.overlaps]
    return {
        "household": row.id, "name": row.name, "group": row.group, "size": row.size,
        "categories": list(row.categories), "allotted": dict(row.allotted), "overlaps": overlaps,
        "closed": row.closed,
    }  # fmt: skip


def _late(row: LateFact) -> dict[str, Any]:
    return {
        "kind": row.kind, "source": row.source, "arrived": row.arrived, "recorded_at": row.recorded.isoformat(),
        "by": row.by, "device": row.device_name, "date": row.date,
        "household": row.household if row.household_name else None, "lines": by_code(row.lines),
    }  # fmt: skip
