"""Who asks, and whether they may. Exact by default: an operation that the table does not name does not start."""

from __future__ import annotations

from typing import Final

from flask import Flask, g, request

from aidvisit.errors import Problem
from aidvisit.services import token as tokens
from aidvisit.services.token import Bearer
from aidvisit.web.api import sync
from sync.op import is_text

PREFIX: Final = "/api/v1"
NAMED: Final = "api_v1"
"""How the names of its blueprints begin."""
MOST_BYTES: Final = 1024 * 1024

NEEDS: Final = {
    "audit.page": "audit.read",
    "categories.one": "catalog.read",
    "categories.page": "catalog.read",
    "conflicts.page": "household.read",
    "deliveries.one": "household.read",
    "deliveries.page": "household.read",
    "deliveries.record": "delivery.record",
    "deliveries.void": "delivery.void",
    "devices.one": "device.read",
    "devices.page": "device.read",
    "devices.silent": "device.read",
    "divisions.one": "catalog.read",
    "divisions.page": "catalog.read",
    "donors.statement": "report.read",
    "entries.page": "report.read",
    "held.page": "report.read",
    "households.close": "household.close",
    "households.conflicts": "household.read",
    "households.edit": "household.write",
    "households.history": "household.read",
    "households.one": "household.read",
    "households.page": "household.read",
    "households.picture": "household.read",
    "households.received": "household.read",
    "households.register": "household.write",
    "households.reveal": "household.reveal",
    "households.search": "household.read",
    "households.statement": "household.export",
    "inbox.counts": "report.read",
    "inbox.one": "report.read",
    "inbox.page": "report.read",
    "items.one": "catalog.read",
    "items.page": "catalog.read",
    "lists.page": "household.read",
    "months.changes": "report.read",
    "months.one": "report.read",
    "months.page": "report.read",
    "overview.one": "report.read",
    "overview.villages": "report.read",
    "pairs.page": "household.close",
    "people.one": "account.read",
    "people.page": "account.read",
    "places.one": "catalog.read",
    "places.page": "catalog.read",
    "reconciliation.households": "report.read",
    "reconciliation.items": "report.read",
    "reconciliation.lots": "report.read",
    "reconciliation.teams": "report.read",
    "reconciliation.trips": "report.read",
    "reports.page": "report.read",
    "stock.movements": "report.read",
    "stock.page": "report.read",
    "teams.one": "account.read",
    "teams.page": "account.read",
    "trips.allot": "trip.plan",
    "trips.allotments": "trip.read",
    "trips.closing": "trip.read",
    "trips.edit": "trip.plan",
    "trips.one": "trip.read",
    "trips.page": "trip.read",
    "trips.plan": "trip.plan",
    "trips.planned": "trip.read",
    "trips.planned_households": "trip.read",
    "trips.progress": "trip.read",
    "trips.reconciliation": "trip.read",
    "visits.one": "household.read",
    "visits.page": "household.read",
    "visits.record": "visit.record",
}
"""Operation → the right that its token needs (aidvisit/domain/rights.py)."""


def check(app: Flask) -> None:
    """Raises: LookupError for an operation without a right, and for a right without an operation."""
    named = {_operation(rule.endpoint) for rule in app.url_map.iter_rules() if rule.endpoint.startswith(f"{NAMED}_")}
    if named != NEEDS.keys():
        raise LookupError(f"{', '.join(sorted(named ^ NEEDS.keys()))}: not alike in NEEDS (web/api/v1/door.py)")


def _operation(endpoint: str | None) -> str:
    return (endpoint or "").removeprefix(f"{NAMED}_")


def here() -> bool:
    """Whether this request is one to the API."""
    return (request.blueprint or "").startswith(f"{NAMED}_")


def enter() -> None:
    """`g.bearer`, and what pages know them by: `g.user`, `g.scope`.

    Raises: Problem `token-invalid`, `too-many-sign-ins`, `token-narrow`, `not-found`, `unsupported-media-type`.
    """
    who: Bearer = tokens.bearer(sync.token(), request.remote_addr or "unknown")
    g.bearer, g.user, g.scope = who, who.user, who.scope
    right = NEEDS[_operation(request.endpoint)]
    if not who.may(right):
        raise Problem("token-narrow", right=right)
    if not all(map(is_text, (request.path, *request.args.values()))):
        raise Problem("not-found")
    if request.method in ("POST", "PATCH"):
        request.max_content_length = MOST_BYTES
        if not request.is_json:
            raise Problem("unsupported-media-type")


def actor() -> str:
    """Id of the user that the token acts as."""
    who: Bearer = g.bearer
    return who.user.id
