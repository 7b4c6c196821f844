"""Households: found, read, registered, corrected and closed; their numbers in full only by an operation of its own."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields, validate
from sqlalchemy import Connection

from aidvisit.domain import mask
from aidvisit.domain.facts import household as facts
from aidvisit.domain.facts.fields import Date, Identity, Many, OneOf, Part, Text, Whole, division
from aidvisit.domain.fold import Household
from aidvisit.errors import Problem
from aidvisit.services import audit, sync
from aidvisit.services import household as service
from aidvisit.services.bodies import checked
from aidvisit.store.database import reading, together
from aidvisit.store.queries import paged
from aidvisit.store.queries import search as searching
from aidvisit.store.queries.edit import HouseholdEdit
from aidvisit.store.queries.paged import Record
from aidvisit.store.queries.timeline import groups, timeline
from aidvisit.store.queries.timeline_entry import TimelineEntry
from aidvisit.web.api.v1 import door
from aidvisit.web.api.v1.paging import PageQuery, after, cursor, page
from aidvisit.web.api.v1.reading import shown, version_of
from aidvisit.web.api.v1.shapes import Exact, Made, closed
from aidvisit.web.api.v1.spec import Blueprint
from aidvisit.web.api.v1.writing import KeyHeader, VersionHeader, made, match, sent, written
from sync.op import uuid7

blueprint = Blueprint("households")
WHERE = f"{door.PREFIX}/households"

NewHousehold = closed(facts.Household, "NewHousehold", "continues", "brought")
Closing = closed(facts.Closed, "Closing")


class ListQuery(PageQuery):
    division = division(metadata={"description": "A code: only what lies in it"})
    category = Text(metadata={"description": "A hardship category's code"})


class Found(Schema):
    id = Identity(required=True)
    kind = OneOf("household", "institution", required=True)
    name = fields.String(required=True)
    division = fields.String(required=True)
    group = fields.String(required=True, allow_none=True)
    size = fields.Integer(required=True, allow_none=True)
    categories = fields.List(fields.String(), required=True)
    closed = fields.String(required=True, allow_none=True, metadata={"description": "Why it gets nothing any more"})
    into = fields.String(required=True, allow_none=True, metadata={"description": "What it was merged into"})


class FoundPage(Schema):
    data = fields.List(fields.Nested(Found), required=True)
    next = fields.String(required=True, allow_none=True)


class HouseholdDocument(facts.Household):
    """As a fact registers it, with every correction since; ID numbers and phones masked."""

    id = Identity(required=True)
    closed = fields.Nested(facts.Closed, required=True, allow_none=True)
    into = fields.String(required=True, allow_none=True)


class ChangedHead(Exact):
    name = Text()
    id_number = Text(allow_none=True)
    phone = Text(allow_none=True)
    born = Date(allow_none=True)
    sex = Text(allow_none=True)


class Correction(Exact):
    """What shall be otherwise (RFC 7396): null takes a field away; a list is given whole. A number that is still masked
    as it was shown stays what it is."""

    name = Text(allow_none=True)
    head = Part(ChangedHead)
    division = division(12)
    address = Text(300, allow_none=True)
    group = Text(allow_none=True)
    size = Whole(allow_none=True)
    categories = Many(Part(closed(facts.HeldCategory, "NewHeldCategory")))
    members = Many(Part(closed(facts.Member, "NewMember")))
    lat = Whole(-900_000_000, 900_000_000, allow_none=True)
    lon = Whole(-1_800_000_000, 1_800_000_000, allow_none=True)
    note = Text(2000, allow_none=True)


class Asked(Exact):
    q = Text(metadata={"description": "Words: of names, pinyin, phones, ID numbers, villages, as on the page"})
    division = division()
    category = Text()
    not_visited_since = Date()
    not_served_since = Date()
    after = Identity(metadata={"description": "`after` of the page before"})


class Hit(Schema):
    id = Identity(required=True)
    name = fields.String(required=True)
    group = fields.String(required=True)
    division = fields.String(required=True)
    place = fields.List(fields.String(), required=True)
    phone_masked = fields.String(required=True)
    id_last4 = fields.String(required=True)
    categories = fields.List(fields.String(), required=True)
    closed = fields.String(required=True, allow_none=True)
    because = fields.String(required=True, allow_none=True)
    last_visit = fields.String(required=True, allow_none=True)
    last_delivery = fields.String(required=True, allow_none=True)


class Hits(Schema):
    data = fields.List(fields.Nested(Hit), required=True)
    count = fields.Integer(required=True, metadata={"description": "Of all pages, at most 200"})
    more = fields.Boolean(required=True, metadata={"description": "There are others: narrow it down"})
    after = fields.String(required=True, allow_none=True)


class HistoryQuery(Exact):
    kind = OneOf(*groups(), metadata={"description": "Only these"})
    cursor = fields.String(validate=validate.Length(1, 200))


class Happened(Schema):
    id = fields.String(required=True)
    kind = fields.String(required=True)
    date = fields.String(required=True)
    household = fields.String(required=True)
    recorded_at = fields.DateTime(required=True)
    by = fields.String(required=True)
    device = fields.String(required=True)
    trip = fields.String(required=True, allow_none=True)
    lines = fields.List(fields.Dict(), required=True)
    received_by = fields.String(required=True, allow_none=True)
    outcome = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    void_reason = fields.String(required=True, allow_none=True)
    counts = fields.Boolean(required=True)
    changed = fields.List(fields.String(), required=True, metadata={"description": "Paths that an edit changed"})


class History(Schema):
    data = fields.List(fields.Nested(Happened), required=True)
    next = fields.String(required=True, allow_none=True)


@blueprint.on("GET", FoundPage, query=ListQuery, named="page")
def listed(query: dict[str, Any]) -> Response:
    """Households by village, also closed and merged ones"""
    with reading() as conn:
        wanted = {name: query.get(name, "") for name in ("division", "category")}
        rows = paged.households(conn, g.scope, **wanted, after=after(query, 2), limit=query["limit"] + 1)
        held = paged.categories(conn, [row.id for row in rows])
    return shown(page(rows, query, lambda row: (row.division, row.id), lambda row: _found(row, held)))


def _found(row: Record, held: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "name": row.name, "division": row.division, "group": row.village_group,
        "size": row.size, "categories": held.get(row.id, []), "closed": row.closed_reason, "into": row.into,
    }  # fmt: skip


@blueprint.on("POST /search", Hits, body=Asked)
def search(asked: dict[str, Any]) -> Response:
    """Search as the page does; a POST, so that no name stands in an address"""
    filters = searching.Filters(
        asked.get("category") or None, asked.get("division"), asked.get("not_visited_since"),
        asked.get("not_served_since"), None,
    )  # fmt: skip
    with reading() as conn:
        found = searching.search(conn, asked.get("q", ""), scope=g.scope, filters=filters, after=asked.get("after"))
    names = (*(name for name in Hit._declared_fields if name != "categories"),)
    rows = [{name: getattr(one, name) for name in names} | {"categories": one.tags} for one in found.found]
    return shown({"data": rows, "count": found.count, "more": found.more, "after": found.after})


@blueprint.on("GET /<id:household>", HouseholdDocument)
def one(household: str) -> Response:
    """One household, its numbers masked"""
    with reading() as conn:
        held = service.in_view(conn, household, g.scope)
    return shown(household_document(household, held.now, revealed=False), _version(held))


@blueprint.on("POST /<id:household>/reveal", HouseholdDocument, body=Exact)
def reveal(_: Any, household: str) -> Response:
    """One household with all numbers; who asked is written down first"""
    with together() as conn:
        held = service.in_view(conn, household, g.scope)
        audit.record(door.actor(), audit.REVEAL, household=household, detail=g.bearer.token.id)
    response = shown(household_document(household, held.now, revealed=True), _version(held))
    response.headers["Cache-Control"] = "no-store"
    return response


def household_document(household: str, now: Household, *, revealed: bool) -> dict[str, Any]:
    body = now.body if revealed else mask.body(now.body)
    known = {name: value for name, value in body.items() if name in HouseholdDocument._declared_fields}
    left = None if now.closed is None else {key: now.closed.get(key) for key in ("reason", "date", "to")}
    if left is not None and left["to"] is None:
        del left["to"]
    return known | {"id": household, "closed": left, "into": now.into}


def _version(held: HouseholdEdit) -> str:
    return version_of(held.seen)


@blueprint.on("GET /<id:household>/history", History, query=HistoryQuery)
def history(query: dict[str, Any], household: str) -> Response:
    """All that happened to it and to those merged into it, newest first"""
    key, zone = after(query, 2), sync.current_settings().zone
    with reading() as conn:
        known(conn, household)
        told = timeline(conn, household, chosen=query.get("kind", ""), after="/".join(key or ()), zone=zone)
    following = cursor(told.more.split("/", 1)) if told.more else None
    return shown({"data": [happened(entry) for entry in told.entries], "next": following})


def happened(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "id": entry.id, "kind": entry.kind, "date": entry.date, "household": entry.household,
        "recorded_at": entry.recorded_at.isoformat(), "by": entry.by, "device": entry.device_name, "trip": entry.trip,
        "lines": [{"item": line.item, "quantity": line.quantity} for line in entry.lines],
        "received_by": entry.received_by, "outcome": entry.outcome, "note": entry.note,
        "void_reason": entry.void_reason, "counts": entry.counts, "changed": [change.path for change in entry.changed],
    }  # fmt: skip


@blueprint.on("POST", Made, headers=KeyHeader, body=NewHousehold, status=201)
def register(headers: dict[str, Any], _: Any) -> Response:
    """Register a household or an institution"""

    def work() -> dict[str, Any]:
        household, body = uuid7(), sent()
        checked(service.registered(household, body))
        _within(body["division"])
        return made(household, service.register(actor=door.actor(), household=household, body=body))

    return written(headers, work, WHERE)


def _within(code: str) -> None:
    if not g.scope.place(code):
        raise Problem("place-outside", code=code)


@blueprint.on("PATCH /<id:household>", Made, headers=VersionHeader, body=Correction)
def edit(headers: dict[str, Any], _: Any, household: str) -> Response:
    """Correct a household; it must be what was read"""
    with together() as conn:
        held = service.in_view(conn, household, g.scope)
        match(headers, _version(held))
        wanted = _corrected(held.now.body, sent())
        checked(service.registered(household, wanted))
        _within(wanted["division"])
        entry = service.edit(actor=door.actor(), household=household, seen=held.seen, wanted=wanted, scope=g.scope)
        now = service.in_view(conn, household, g.scope)
    return shown(made(household, entry), _version(now))


def _corrected(before: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """RFC 7396 over a body, with what is still masked as it was."""
    found: dict[str, Any] = mask.unmasked(_patched(before, patch), before)
    return found


def _patched(before: Any, patch: dict[str, Any]) -> dict[str, Any]:
    found = dict(before) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = _patched(found.get(name), value) if isinstance(value, dict) else value
    return found


@blueprint.on("POST /<id:household>/close", Made, headers=KeyHeader, body=Closing, status=201)
def close(headers: dict[str, Any], body: dict[str, Any], household: str) -> Response:
    """Close it: it gets nothing any more"""

    def work() -> dict[str, Any]:
        reason, date, to = body["reason"], body["date"], body.get("to")
        entry = service.close(
            actor=door.actor(), household=household, reason=reason, date=date, to=to, scope=g.scope
        )  # fmt: skip
        return made(household, entry)

    return written(headers, work)


def known(conn: Connection, household: str) -> None:
    """Raises: Problem `unknown-household` for one that the token does not reach."""
    service.in_view(conn, household, g.scope)
