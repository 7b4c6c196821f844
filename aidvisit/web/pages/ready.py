"""Ready to go offline: what the laptop has for a trip, and what is missing, before anybody leaves."""

from __future__ import annotations

from flask import Blueprint, g, render_template, request

from aidvisit.errors import Problem
from aidvisit.services import ready as service
from aidvisit.store.database import reading
from aidvisit.store.queries import trip as trips
from aidvisit.web.chip import clock_warning
from aidvisit.web.days import day_of

field = Blueprint("ready", __name__)


@field.get("/ready", endpoint="page")
def page() -> str:
    """Of the trip in the query (`trip`), else of the one that Today shows. Raises: Problem `unknown-trip`."""
    with reading() as conn:
        every = [one for one in trips.trips(conn, g.scope) if one.status != "closed"]
        asked = request.args.get("trip")
        chosen = trips.current(conn, day_of(None)) if asked is None else trips.trip(conn, asked, g.scope)
    if asked is not None and chosen is None:
        raise Problem("unknown-trip")
    lines = service.lines(chosen, clock_warning) if chosen else []
    return render_template(
        "ready/page.html", trip=chosen, trips=every, lines=lines, missing=sum(bool(one.lacks) for one in lines)
    )
