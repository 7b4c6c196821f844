"""Erasing somebody's personal data: one household or member of it; and what has been closed for longer than is kept."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import erasing as service
from aidvisit.store.database import reading
from aidvisit.store.queries import erasure as queries
from aidvisit.store.queries import household as households
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.erasing_forms import EraseForm, EraseManyForm, KeepForm
from aidvisit.web.forms import at_fields, read
from sync.op import is_uuid

blueprint = Blueprint("erasing", __name__)
PAGE = 50


@blueprint.route("/households/<household>/erase", methods=["GET", "POST"], endpoint="one")
def one(household: str) -> ResponseReturnValue:
    """What goes, what stays, why; the name is typed to confirm. Raises: Problem `unknown-household`."""
    if not is_uuid(household):
        raise Problem("unknown-household")
    with reading() as conn:
        view = households.household(conn, household, g.scope)
        gone = any(not each.members for each in queries.erasures(conn, [household]))
        others = [one for one in queries.same(conn, household) if one != household] if view else []
    if view is None:
        raise Problem("unknown-household")
    if gone:
        return redirect(url_for("household.page", household=household), 303)
    problem = None
    if request.method == "POST":
        try:
            _erase(household, view.name)
            return redirect(url_for("household.page", household=household), 303)
        except Problem as raised:
            if raised.name not in ("invalid-form", "invalid-body"):
                raise
            problem = raised
    page = render_template(
        "erasing/one.html", household=view, others=others, problem=problem, errors=at_fields(problem),
        typed=request.form, chosen=request.form.getlist("member"),
    )  # fmt: skip
    return page, problem.status if problem else 200


def _erase(household: str, name: str) -> None:
    form, members = read(EraseForm), request.form.getlist("member")
    errors: dict[str, list[str]] = {}
    if form["who"] == "members" and not members:
        errors["who"] = ["请勾选哪位成员。 / Tick which member."]
    if form["confirm"] != name:
        errors["confirm"] = [f"请照样输入“{name}”。 / Type “{name}” as it is."]
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    service.erase(
        actor=auth.actor(), household=household, members=members if form["who"] == "members" else (),
        reason=form["reason"], scope=g.scope,
    )  # fmt: skip
    service.write_anew_soon()
    send_soon()


@blueprint.get("/erasing", endpoint="page")
def page(problem: Problem | None = None) -> str:
    """Households that were closed for longer than is kept, and in which nothing happened since: people decide."""
    with reading() as conn:
        years = service.kept_years(conn)
        due = service.proposals(conn, g.scope, day_of(None), after=request.args.get("after", ""), most=PAGE + 1)
        done = queries.latest(conn, g.scope, PAGE)
        anew = service.files_are_anew(conn)
    return render_template(
        "erasing/page.html", years=years, due=due[:PAGE], more=due[PAGE - 1].key if len(due) > PAGE else "",
        done=done, anew=anew, problem=problem, typed=request.form, chosen=request.form.getlist("household"),
        said={name: request.args.get(name, type=int) for name in ("erased", "facts")},
    )  # fmt: skip


@blueprint.post("/erasing", endpoint="many")
def many() -> ResponseReturnValue:
    """Erase all that are ticked, for one reason."""
    try:
        reason = read(EraseManyForm)["reason"]
        chosen = [one for one in request.form.getlist("household") if is_uuid(one)]
        if not chosen:
            raise Problem("invalid-form", count=1, errors={"household": ["请先勾选。 / Tick some first."]})
        found = service.erase_many(actor=auth.actor(), households=chosen, reason=reason, scope=g.scope)
    except Problem as problem:
        if problem.name != "invalid-form":
            raise
        return page(problem), problem.status
    service.write_anew_soon()
    send_soon()
    return redirect(url_for("erasing.page", erased=found.households, facts=found.facts), 303)


@blueprint.post("/erasing/kept", endpoint="keep")
def keep() -> ResponseReturnValue:
    """For how many years after closing data are kept; in the audit. Nothing is erased by it."""
    try:
        service.keep_for(actor=auth.actor(), years=read(KeepForm)["years"])
    except Problem as problem:
        if problem.name != "invalid-form":
            raise
        return page(problem), problem.status
    return redirect(url_for("erasing.page"), 303)
