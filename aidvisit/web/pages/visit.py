"""A team was there: nobody home in two actions, a visit without goods in two, and what was recorded by mistake."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from aidvisit.domain.facts.visit import OUTCOMES, PURPOSES
from aidvisit.errors import Problem
from aidvisit.services import custody, sync
from aidvisit.services import visit as service
from aidvisit.services.visit import record_visit
from aidvisit.store.database import reading
from aidvisit.store.queries import account, catalog
from aidvisit.store.queries import household as queries
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries import visit as visits
from aidvisit.store.queries.household import HouseholdView
from aidvisit.store.queries.progress import share
from aidvisit.store.queries.warning import visit_warnings
from aidvisit.web import auth, photos
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.forms import SIGNATURE, OutcomeForm, VisitForm, at_fields, read, saved_or_shown, together
from aidvisit.web.pages.mend import taken_back
from aidvisit.web.trip_forms import amounts
from sync.op import is_uuid, uuid7

field = Blueprint("visit", __name__)
blueprint = Blueprint("visits", __name__)


@field.route("/households/<household>/visit", methods=["GET", "POST"])
def outcome(household: str) -> ResponseReturnValue:
    """Not at home, and the like. Raises: Problem `unknown-household`."""
    return saved_or_shown(lambda: _save_outcome(household), lambda problem: _outcome_page(household, problem))


def _outcome_page(household: str, problem: Problem | None) -> str:
    with reading() as conn:
        view = _view(conn, household)
        head = trips.current(conn, day_of(None))
        listed = share(conn, head.id, household) if head else None
        owed = catalog.quantities(catalog.items(conn), listed.owed) if listed else []
    typed = request.form if problem else {"visit": uuid7(), "trip": head.id if head and listed else "",
                                          "date": day_of(head)}  # fmt: skip
    return render_template(
        "visit/outcome.html", household=view, owed=owed, typed=typed, problem=problem, errors=at_fields(problem)
    )


def _leave(household: str) -> ResponseReturnValue:
    """The goods stay with the village committee; its slip is printed."""
    with reading() as conn:
        items = catalog.items(conn)
    form, lines = together(lambda: read(OutcomeForm), lambda: amounts(items))
    strokes, blobs = request.form.get("signature", ""), []
    proofs: list[dict[str, Any]] = [{"as": "paper"}] if request.form.get("proof") == "paper" else []
    if strokes and SIGNATURE.fullmatch(strokes):
        blobs.append(photos.drawn(strokes))
        proofs = [photos.proof("signature", blobs[0])]
    keeper = {"name": request.form.get("with_name", ""), "relation": request.form.get("with_relation", "")}
    move = custody.leave(
        actor=auth.actor(), visit=form["visit"], household=household, trip=form["trip"], date=form["date"],
        outcome=form["outcome"], keeper=keeper, lines=lines, proofs=proofs, blobs=blobs, note=form["note"] or None,
    )  # fmt: skip
    send_soon()
    return redirect(url_for("goods.slip", paper=move), 303)


def _save_outcome(household: str) -> ResponseReturnValue:
    if "custody" in request.form:
        return _leave(household)
    form = read(OutcomeForm)
    record_visit(
        actor=auth.actor(), visit=form["visit"], household=household, trip=form["trip"] or None, date=form["date"],
        outcome=form["outcome"], purposes=["distribution" if form["trip"] else "regular"], note=form["note"] or None,
    )  # fmt: skip
    send_soon()
    return redirect(url_for("trip.today", saved=form["visit"]), 303)


@blueprint.route("/households/<household>/visits", methods=["GET", "POST"])
def record(household: str) -> ResponseReturnValue:
    """A visit without goods: filled in for the common case. Raises: Problem `unknown-household`."""
    return saved_or_shown(lambda: _save(household), lambda problem: _page(household, problem))


def _save(household: str) -> ResponseReturnValue:
    form, purposes, photo = together(lambda: read(VisitForm), _purposes, photos.chosen)
    record_visit(
        actor=auth.actor(), visit=form["visit"], household=household, trip=form["trip"] or None, date=form["date"],
        outcome=form["outcome"], purposes=purposes, note=form["note"] or None,
        with_={"name": form["with_name"], "relation": form["with_relation"]} if form["with_name"] else None,
        by=request.form.getlist("by"), member=form["member"] or None, minutes=form["minutes"],
        needs=[line.strip() for line in form["needs"].splitlines() if line.strip()],
        proofs=[photos.proof("photo", photo)] if photo else [], blobs=[photo] if photo else [],
        sure=form["sure"] == "yes", scope=g.scope,
    )  # fmt: skip
    send_soon()
    if request.form.get("back") == "today" and sync.current_settings().role == "field":
        return redirect(url_for("trip.today", saved=form["visit"]), 303)
    return redirect(url_for("household.page", household=household, saved=form["visit"]), 303)


def _purposes() -> list[str]:
    """At least one. Raises: Problem `invalid-form`."""
    chosen = [one for one in PURPOSES if one in request.form.getlist("purposes")]
    if not chosen:
        errors = {"purposes": ["请至少选一项。 / Choose at least one."]}
        raise Problem("invalid-form", count=1, errors=errors)
    return chosen


def _page(household: str, problem: Problem | None) -> str:
    with reading() as conn:
        view = _view(conn, household)
        people = account.users(conn, g.user.team)
        typed = _typed() if problem else _first(conn, household)
        odd = [] if problem else visit_warnings(conn, household, typed["date"])
    return render_template(
        "visit/form.html", household=view, typed=typed, problem=problem, errors=at_fields(problem), people=people,
        outcomes=OUTCOMES, purposes=PURPOSES, warnings=problem.members.get("warnings", odd) if problem else odd,
        choose_again=problem is not None and photos.lost(), back=request.values.get("back", ""),
    )  # fmt: skip


def _typed() -> dict[str, Any]:
    """All that was typed, after a problem."""
    several = {name: request.form.getlist(name) for name in ("purposes", "by")}
    return {**request.form.to_dict(), **several, "photo_data": photos.kept()}


def _first(conn: Connection, household: str) -> dict[str, Any]:
    """Met, today, by whoever sits here; of today's trip where the household is on its list."""
    today = day_of(None)
    head = trips.current(conn, today) if sync.current_settings().role == "field" else None
    on_list = head is not None and head.starts <= today <= head.ends and share(conn, head.id, household) is not None
    return {
        "visit": uuid7(), "trip": head.id if head and on_list else "", "date": today, "outcome": "met",
        "purposes": ["distribution" if on_list else "regular"], "by": [auth.actor()],
    }  # fmt: skip


@blueprint.route("/households/<household>/visits/<visit>/void", methods=["GET", "POST"])
def void(household: str, visit: str) -> ResponseReturnValue:
    """Take a visit back, with a reason. Raises: Problem `unknown-household`, `unknown-visit`."""
    return taken_back("visit", household, visit, service.void, visits.visit)


def _view(conn: Connection, household: str) -> HouseholdView:
    view = queries.household(conn, household, g.scope) if is_uuid(household) else None
    if view is None:
        raise Problem("unknown-household")
    return view
