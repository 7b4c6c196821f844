"""Two households side by side: what somebody looks at who says whether they are one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.apply.rows import order_key
from aidvisit.store.queries.alias import of_one
from aidvisit.store.queries.author import authors
from aidvisit.store.queries.catalog import Quantity, items, quantities
from aidvisit.store.queries.household import HouseholdView, household
from aidvisit.store.queries.trip import recorded_at
from aidvisit.store.tables import DeliveryLine, Visit
from sync import log
from sync.log import Entry

SHOWN = 3
"""Deliveries of a side."""


@dataclass(frozen=True, slots=True)
class Said:
    """Who recorded a fact, on which laptop ("" at the centre) and when. `reason`: what they wrote.

    `by`: a person's name, else that of their laptop's team, "" for the office.
    """

    by: str
    device: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Part:
    """One household as it was registered; `merged`: how it became part of another, if it did."""

    view: HouseholdView
    registered: Said
    merged: Said | None


@dataclass(frozen=True, slots=True)
class Side:
    """A household with all that was merged into it, its own part first.

    `deliveries`: the last few days with what was given, of `delivered` days in all; `visits`: how many.
    """

    parts: list[Part]
    deliveries: list[tuple[str, list[Quantity]]]
    delivered: int
    visits: int

    @property
    def view(self) -> HouseholdView:
        return self.parts[0].view


def side(conn: Connection, identity: str, scope: Scope = EVERYTHING) -> Side | None:
    """A household as the side of a pair; None when it is not held or lies outside."""
    ids = of_one(conn, identity).all(identity)
    found = [_part(conn, view) for one in ids if (view := household(conn, one, scope)) is not None]
    if not found:
        return None
    lines = select(DeliveryLine.date, DeliveryLine.item, func.sum(DeliveryLine.quantity).label("quantity"))
    lines = lines.where(DeliveryLine.household.in_(ids), DeliveryLine.counts)
    by_day: dict[str, dict[str, int]] = {}
    for row in conn.execute(lines.group_by(DeliveryLine.date, DeliveryLine.item).order_by(DeliveryLine.date.desc())):
        by_day.setdefault(row.date, {})[row.item] = int(row.quantity)
    visits = select(func.count()).select_from(Visit).where(Visit.household.in_(ids), Visit.void_reason.is_(None))
    return Side(found, _named(conn, by_day), len(by_day), conn.execute(visits).scalar_one())


def merged_into(conn: Connection, identity: str, scope: Scope = EVERYTHING) -> list[Part]:
    """What was merged into a household, directly or by way of others."""
    ids = [one for one in of_one(conn, identity).all(identity) if one != identity]
    return [_part(conn, view) for one in ids if (view := household(conn, one, scope)) is not None]


def _named(conn: Connection, by_day: Mapping[str, Mapping[str, int]]) -> list[tuple[str, list[Quantity]]]:
    names = items(conn)
    return [(day, quantities(names, amounts)) for day, amounts in list(by_day.items())[:SHOWN]]


def _part(conn: Connection, view: HouseholdView) -> Part:
    entries = log.entries_of(conn, view.id, ("household.registered", "household.merged"))
    merged = [entry for entry in entries if entry.op.kind == "household.merged"]
    return Part(view, _said(conn, entries[0]), _said(conn, merged[-1]) if view.into and merged else None)


def _said(conn: Connection, entry: Entry) -> Said:
    op = entry.op
    known = authors(conn, [op.actor], [op.device])
    at = recorded_at(order_key(entry))
    return Said(known.by(op.actor, op.device), known.device(op.device), at, op.body.get("reason") or "")
