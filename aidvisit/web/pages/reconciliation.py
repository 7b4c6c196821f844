"""Reconciliation over many trips, at the centre."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, g, render_template, request

from aidvisit.domain.selection import Selection
from aidvisit.store.database import reading
from aidvisit.store.queries import account, catalog, over_trips
from aidvisit.store.queries.goods import place_names
from aidvisit.store.queries.lots import by_lot
from aidvisit.store.queries.names import names
from aidvisit.web.days import day_of
from aidvisit.web.pages.entries import selected

blueprint = Blueprint("reconciliation", __name__, url_prefix="/reconciliation")

BY = ("item", "trip", "team", "lot", "household")
ASKED = ("trips_from", "trips_until", "tour", "team", "item")


@blueprint.get("", endpoint="page")
def page() -> str:
    """Of a period, a tour or a team; every figure opens its entries. Raises: Problem `not-found`."""
    today, after = day_of(None), request.args.get("after", "")
    asked, by = _asked(today), request.args.get("by", "item")
    by, narrow = by if by in BY else "item", request.args.get("open") == "yes"
    with reading() as conn:
        found: dict[str, Any] = {"rows": [], "more": False}
        if by == "item":
            found["rows"] = over_trips.by_item(conn, asked, g.scope, today=today)
        elif by == "team":
            found["rows"] = over_trips.by_team(conn, asked, g.scope, today=today)
        elif by == "lot":
            found["rows"] = by_lot(conn, asked, g.scope)
            found["donors"] = place_names(conn, {row.donor for row in found["rows"] if row.donor})
        else:
            read = over_trips.by_trip if by == "trip" else over_trips.by_household
            kept = {"still_open" if by == "trip" else "owed": narrow}
            found["rows"], found["more"] = read(conn, asked, g.scope, today=today, after=after, **kept)
        teams = [team for team in account.teams(conn) if g.scope.team(team.id)]
        tours, items = over_trips.tours(conn, g.scope), catalog.items(conn)
        called = names(conn, asked, g.scope)
    return render_template(
        "reconciliation/page.html", asked=asked, by=by, kinds=BY, narrow=narrow, after=after, teams=teams, tours=tours,
        items=items, called=called, **found,
    )  # fmt: skip


def _asked(today: str) -> Selection:
    """Without a filter: the trips of this month and the one before."""
    if not set(request.args) & {*ASKED, "by"}:
        before = date.fromisoformat(today).replace(day=1) - timedelta(days=1)
        return Selection(trips_from=before.replace(day=1).isoformat())
    given = selected()
    return Selection(**{name: getattr(given, name) for name in ASKED})
