"""What figures are asked for, and how they are told: the shapes that reports and reconciliations share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from marshmallow import Schema, fields
from sqlalchemy import Connection

from aidvisit.domain.facts.fields import Date, Identity, PlaceRef, Text, division
from aidvisit.domain.selection import LONGEST, Selection
from aidvisit.services.report import Row
from aidvisit.store.queries.account import DeviceRow
from aidvisit.store.queries.catalog import Quantity
from aidvisit.store.queries.lots import LotRow
from aidvisit.store.queries.reporting import reporting
from aidvisit.web.api.v1.shapes import Exact


class SelectionQuery(Exact):
    """Which facts a figure is about, as the pages' addresses say it; without a part: all of them."""

    from_ = Date(data_key="from", metadata={"description": "First day of the entries"})
    until = Date(metadata={"description": "Last day of the entries"})
    trips_from = Date(metadata={"description": "First day on which trips start"})
    trips_until = Date()
    trip = Identity()
    tour = Identity(metadata={"description": "The id of one of its trips"})
    team = Identity()
    item = Text()
    class_ = Text(data_key="class")
    division = division()
    category = Text()
    donor = Text()
    lot = Text(LONGEST)
    place = PlaceRef()
    household = Identity()


def selection(query: Mapping[str, Any]) -> Selection:
    """What a query asks for, as services and queries have it."""
    return Selection(**{name: query[name] for name in Selection.__slots__ if name in query})


def amounts(**more: Any) -> fields.Dict:
    """Quantities by item code, each in its own unit; cash in fen."""
    return fields.Dict(keys=fields.String(), values=fields.Integer(), required=True, **more)


class Figure(Schema):
    """Households, persons and times are never added up to each other (docs/reports.md)."""

    households = fields.Integer(required=True)
    persons = fields.Integer(required=True)
    times = fields.Integer(required=True)
    items = amounts()
    value_fen = fields.Integer(required=True)
    unpriced = fields.Boolean(required=True, metadata={"description": "Something of it has no price"})


class FigureRow(Figure):
    key = fields.String(required=True, metadata={"description": "A day, a code or an id; empty: not known"})
    name = fields.String(required=True)
    entries = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        allow_none=True,
        metadata={"description": "With which `/entries?of=delivered` lists its facts; null: nothing names them"},
    )


class Heard(Schema):
    device = Identity(required=True)
    name = fields.String(required=True)
    at = fields.String(required=True, allow_none=True)


class Fresh(Schema):
    """As of when figures are: laptops in use, those that never reported, and those that said they had more to send."""

    devices = fields.Integer(required=True)
    never = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    latest = fields.Nested(Heard, required=True, allow_none=True)
    oldest = fields.Nested(Heard, required=True, allow_none=True)


class LotLine(Schema):
    """`lot`: `~several`, `~unknown` where it is not written down. `donor`: its place; null: not known."""

    item = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True)
    lot = fields.String(required=True)
    donor = fields.String(required=True, allow_none=True)
    figures = amounts(metadata={"description": "By column"})


def figure(row: Row) -> dict[str, Any]:
    one = row.figure
    return {
        "households": one.households, "persons": one.persons, "times": one.times, "items": dict(one.items),
        "value_fen": row.value_fen, "unpriced": row.unpriced,
    }  # fmt: skip


def figure_row(row: Row) -> dict[str, Any]:
    entries = None if row.asked is None else row.asked.arguments
    return figure(row) | {"key": row.key, "name": row.name, "entries": entries}


def fresh(conn: Connection) -> dict[str, Any]:
    """Of the laptops that the token reaches."""
    found = reporting(conn, g.scope)
    return {
        "devices": found.count, "never": found.never, "waiting": found.waiting, "latest": _heard(found.latest),
        "oldest": _heard(found.oldest),
    }  # fmt: skip


def _heard(row: DeviceRow | None) -> dict[str, Any] | None:
    return None if row is None else {"device": row.id, "name": row.name, "at": row.last_seen}


def lot_line(row: LotRow) -> dict[str, Any]:
    return {
        "item": row.item, "name": row.name, "unit": row.unit, "lot": row.lot, "donor": row.donor,
        "figures": dict(row.figures),
    }  # fmt: skip


def by_code(lines: list[Quantity]) -> dict[str, int]:
    return {line.item: line.quantity for line in lines}
