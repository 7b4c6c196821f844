"""A trip: today's list in the field; all trips and their reconciliation at the office."""

from __future__ import annotations

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import preview, sync
from aidvisit.store.database import reading
from aidvisit.store.queries import delivery as deliveries
from aidvisit.store.queries import holding, overview
from aidvisit.store.queries import trip as queries
from aidvisit.store.queries.reconcile import reconcile as reconciled
from aidvisit.web.days import day_of
from aidvisit.web.fresh import known
from sync import clock, log
from sync.op import is_uuid

field = Blueprint("trip", __name__)
central = Blueprint("trips", __name__)


@field.get("/", endpoint="today")
def today() -> ResponseReturnValue:
    """The next household first, what is left on the truck, how far every group is, who was not at home."""
    skip = frozenset(one for one in request.args.getlist("skip") if is_uuid(one))
    with reading() as conn:
        head = queries.current(conn, day_of(None))
        view = queries.today(conn, head.id, skip, sync.current_settings().zone) if head else None
        done = request.args.get("saved", "")
        saved = deliveries.saved(conn, done) if is_uuid(done) else None
        notices, fresh = preview.notices(conn), known(conn, trip=head)
        gone = [one for one in holding.gone(conn, log.state(conn), clock.wall()) if one.unsent]
    return render_template(
        "trip/today.html",
        view=view,
        saved=saved,
        skip=sorted(skip),
        day=day_of(head),
        notices=notices,
        fresh=fresh,
        gone=gone,
    )


@central.get("/trips", endpoint="page")
def trips() -> ResponseReturnValue:
    with reading() as conn:
        rows = overview.progress(conn, g.scope)
    return render_template("trip/list.html", trips=rows)


@central.get("/trips/<trip>", endpoint="reconcile")
def reconcile(trip: str) -> ResponseReturnValue:
    """Where the goods went, and who got what. Raises: Problem `unknown-trip`."""
    with reading() as conn:
        try:
            view = reconciled(conn, trip, g.scope)
        except LookupError:
            raise Problem("unknown-trip") from None
        place = queries.today(conn, trip, frozenset(), sync.current_settings().zone).place
    return render_template("trip/reconcile.html", view=view, place=place)
