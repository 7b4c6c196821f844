"""The office's inbox, to be read: what somebody should look at, and what was said of it."""

from __future__ import annotations

from typing import Any

from flask import Response, g
from marshmallow import Schema, fields

from aidvisit.domain import mask
from aidvisit.domain.facts.fields import Date, Identity, OneOf
from aidvisit.domain.inbox import KINDS
from aidvisit.errors import Problem
from aidvisit.store import inbox as store
from aidvisit.store.database import reading
from aidvisit.store.inbox import Item
from aidvisit.store.queries import inbox_view
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.inbox_view import Shown, Side
from aidvisit.web.api.v1.conflict import ConflictDocument, conflict_document
from aidvisit.web.api.v1.figures import amounts, by_code
from aidvisit.web.api.v1.held import HeldDocument, held_document
from aidvisit.web.api.v1.paging import PageQuery, after, page
from aidvisit.web.api.v1.reading import shown
from aidvisit.web.api.v1.shapes import Exact
from aidvisit.web.api.v1.spec import Blueprint
from aidvisit.web.api.v1.trip import ItemLine, item_line

blueprint = Blueprint("inbox")

NOBODY = "nobody"


class AboutTrip(Exact):
    trip = Identity(metadata={"description": "Only what is about it"})


class InboxQuery(PageQuery, AboutTrip):
    kind = OneOf(*KINDS)
    assigned_to = fields.String(metadata={"description": "A person's id, or `nobody`: what is nobody's yet"})
    settled = OneOf("yes", metadata={"description": "What was settled, the latest first"})


class InboxItem(Schema):
    """A question, never a verdict. `since`: when the centre had what it asks about. `verdict`: `gone` when nobody
    settled it here: what it asked about is no more, or was put right elsewhere."""

    id = Identity(required=True)
    kind = OneOf(*KINDS, required=True)
    since = fields.String(required=True)
    deliveries = fields.List(fields.String(), required=True)
    household = fields.String(required=True, allow_none=True)
    division = fields.String(required=True, allow_none=True)
    team = fields.String(required=True, allow_none=True)
    trip = fields.String(required=True, allow_none=True)
    assigned_to = fields.String(required=True, allow_none=True)
    settled_at = fields.String(required=True, allow_none=True)
    settled_by = fields.String(required=True, allow_none=True)
    verdict = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class InboxPage(Schema):
    data = fields.List(fields.Nested(InboxItem), required=True)
    next = fields.String(required=True, allow_none=True)


class Counts(Schema):
    """How many wait, by kind."""

    counts = amounts()
    total = fields.Integer(required=True)


class DeliverySide(Schema):
    """One delivery of an item, the first twelve. `planned`: what the trip's list has for the household. `name`,
    `received_by`: empty of a household outside of the token's places. `reasons`: why somebody went on past a warning.
    """

    delivery = Identity(required=True)
    household = Identity(required=True)
    name = fields.String(required=True)
    date = Date(required=True)
    recorded_at = fields.String(required=True)
    lines = amounts()
    planned = amounts()
    received_by = fields.String(required=True)
    received_as = fields.String(required=True)
    relation = fields.String(required=True, allow_none=True)
    trip = fields.String(required=True, allow_none=True)
    team_name = fields.String(required=True)
    device_name = fields.String(required=True)
    reasons = fields.List(fields.String(), required=True)
    counts = fields.Boolean(required=True)


class WholeItem(InboxItem):
    """With what it is about: deliveries, a conflict, a held record, or what of a trip is open."""

    sides = fields.List(fields.Nested(DeliverySide), required=True)
    conflict = fields.Nested(ConflictDocument, required=True, allow_none=True)
    held = fields.Nested(HeldDocument, required=True, allow_none=True)
    unsettled = fields.List(fields.Nested(ItemLine), required=True)


@blueprint.on("GET", InboxPage, query=InboxQuery, named="page")
def listed(query: dict[str, Any]) -> Response:
    """What waits, the oldest first"""
    key, settled, whose = after(query, 2), "settled" in query, query.get("assigned_to")
    with reading() as conn:
        rows, more = store.listed(
            conn, g.scope, kind=query.get("kind", ""), assigned_to="" if whose == NOBODY else whose,
            trip=_trip(conn, query), settled=settled, after=(key[0], key[1]) if key else None, limit=query["limit"],
        )  # fmt: skip

    def place(row: Item) -> tuple[str, str]:
        return (row.settled_at or "") if settled else row.since, row.id

    return shown(page([*rows, *rows[-1:] * more], query, place, _item))


@blueprint.on("GET /counts", Counts, query=AboutTrip)
def counts(query: dict[str, Any]) -> Response:
    """How many wait of each kind"""
    with reading() as conn:
        found = store.counts(conn, g.scope, trip=_trip(conn, query))
    return shown({"counts": found, "total": sum(found.values())})


@blueprint.on("GET /<id:question>", WholeItem)
def one(question: str) -> Response:
    """One item with both its sides"""
    with reading() as conn:
        found = store.some(conn, [question], g.scope)
        if not found:
            raise Problem("unknown-item")
        (whole,) = inbox_view.shown(conn, found, g.scope)
    return shown(_whole(whole))


def _trip(conn: Any, query: dict[str, Any]) -> str:
    trip: str = query.get("trip", "")
    if trip and trips.trip(conn, trip, g.scope) is None:
        raise Problem("unknown-trip")
    return trip


def _item(row: Item) -> dict[str, Any]:
    same = ("id", "kind", "since", "deliveries", "division", "team", "trip", "assigned_to", "settled_at", "settled_by",
            "verdict")  # fmt: skip
    return {name: getattr(row, name) for name in same} | {
        "household": row.about.get("household"), "reason": mask.text(row.reason),
    }  # fmt: skip


def _whole(whole: Shown) -> dict[str, Any]:
    return _item(whole.item) | {
        "sides": [_side(side) for side in whole.sides],
        "conflict": conflict_document(whole.conflict) if whole.conflict else None,
        "held": held_document(whole.held) if whole.held else None,
        "unsettled": [item_line(row) for row in whole.rows],
    }


def _side(side: Side) -> dict[str, Any]:
    same = ("household", "name", "date", "received_as", "relation", "trip", "team_name", "device_name",
            "counts")  # fmt: skip
    return {name: getattr(side, name) for name in same} | {
        "delivery": side.id, "received_by": side.received_by if side.name else "",
        "recorded_at": side.recorded.isoformat(), "lines": by_code(side.lines),
        "planned": by_code(side.planned), "reasons": [mask.text(reason) or "" for reason in side.reasons],
    }  # fmt: skip
