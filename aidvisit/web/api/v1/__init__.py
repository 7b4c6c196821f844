"""The API for other systems (docs/api.md). At the centre only, which alone imports it: it costs a laptop nothing."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify
from flask_wtf import CSRFProtect

from aidvisit.web.api.v1 import (
    account,
    audit,
    catalog,
    conflict,
    delivery,
    door,
    held,
    household,
    inbox,
    listing,
    month,
    pair,
    picture,
    plan,
    reconciliation,
    report,
    spec,
    statement,
    stock,
    trip,
    visit,
)
from aidvisit.web.api.v1.reading import conditional

NOUNS = (
    household.blueprint,
    conflict.blueprint,
    listing.blueprint,
    pair.blueprint,
    trip.blueprint,
    delivery.blueprint,
    visit.blueprint,
    stock.blueprint,
    stock.figures,
    report.overview,
    report.reports,
    report.donors,
    reconciliation.blueprint,
    month.blueprint,
    inbox.blueprint,
    held.blueprint,
    account.teams,
    account.people,
    account.devices,
    audit.blueprint,
    catalog.items,
    catalog.categories,
    catalog.places,
    catalog.tree,
)

BESIDE = (picture, plan, statement)
"""Files with operations of a noun above: to be imported is all that they need."""


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Register every operation. Raises: LookupError for one without a right."""
    app.config.update(spec.settings())
    app.url_map.converters |= {"id": spec.IdConverter, "hash": spec.HashConverter}
    api = spec.Api(app)
    for noun in NOUNS:
        csrf.exempt(noun)
        api.register_blueprint(noun)
    description = Blueprint("api_description", __name__, url_prefix=door.PREFIX)

    @description.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(spec.document(api))

    app.register_blueprint(description)
    app.after_request(_conditional)
    door.check(app)


def _conditional(response: Response) -> Response:
    return conditional(response) if door.here() else response
