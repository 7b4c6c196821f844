"""Nobody home, and the like: an outcome in two actions."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services.visit import record_visit
from aidvisit.store.database import reading
from aidvisit.store.queries import household as queries
from aidvisit.store.queries import trip as trips
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.forms import OutcomeForm, at_fields, read
from sync.op import uuid7

blueprint = Blueprint("visit", __name__)


@blueprint.route("/households/<household>/visit", methods=["GET", "POST"])
def outcome(household: str) -> ResponseReturnValue:
    """Raises: Problem `unknown-household`."""
    problem = None
    if request.method == "POST":
        try:
            return _save(household)
        except Problem as raised:
            if raised.name == "unknown-household":
                raise
            problem = raised
    with reading() as conn:
        view = queries.household(conn, household)
        head = trips.current(conn, day_of(None))
        listed = [one for one in trips.today(conn, head.id).households if one.id == household] if head else []
    if view is None:
        raise Problem("unknown-household")
    typed = request.form if problem else {"visit": uuid7(), "trip": head.id if head and listed else "",
                                          "date": day_of(head)}  # fmt: skip
    page = render_template(
        "visit/outcome.html", household=view, owed=listed[0].owed if listed else [], typed=typed, problem=problem,
        errors=at_fields(problem),
    )  # fmt: skip
    return page, problem.status if problem else 200


def _save(household: str) -> ResponseReturnValue:
    form = read(OutcomeForm)
    record_visit(
        actor=auth.actor(), visit=form["visit"], household=household, trip=form["trip"] or None, date=form["date"],
        outcome=form["outcome"], purposes=["distribution" if form["trip"] else "regular"], note=form["note"] or None,
    )  # fmt: skip
    send_soon()
    return redirect(url_for("trip.today", saved=form["visit"]), 303)
