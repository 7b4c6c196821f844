"""Month close: closed periods with what came in afterwards, at the centre."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import period as service
from aidvisit.store.database import reading
from aidvisit.store.queries import period as queries
from aidvisit.store.queries.author import authors
from aidvisit.web import auth
from aidvisit.web.days import day_of
from aidvisit.web.forms import at_fields

blueprint = Blueprint("months", __name__, url_prefix="/months")


@blueprint.get("", endpoint="page")
def page() -> ResponseReturnValue:
    """All closed months, and closing one more."""
    return _page(None)


@blueprint.post("", endpoint="close")
def close() -> ResponseReturnValue:
    """Keep a month's figures as they are now."""
    try:
        from_, until = _month(request.form.get("month", ""))
        made = service.close(
            actor=auth.actor(), team=g.user.team, from_=from_, until=until, today=day_of(None), scope=g.scope
        )
    except Problem as problem:
        if problem.name not in ("invalid-form", "period-lasts", "period-is-closed"):
            raise
        return _page(problem)
    return redirect(url_for("months.one", closing=made), 303)


@blueprint.get("/<closing>", endpoint="one")
def one(closing: str) -> str:
    """As it was closed, as it is now, and every fact between. Raises: Problem `not-found`."""
    with reading() as conn:
        found = next((each for each in queries.closed_periods(conn, g.scope) if each.id == closing), None)
        if found is None:
            raise Problem("not-found")
        view = queries.period(conn, found)
    return render_template("month/one.html", view=view, columns=queries.COLUMNS)


def _page(problem: Problem | None) -> ResponseReturnValue:
    with reading() as conn:
        found = queries.closed_periods(conn, g.scope)
        people = authors(conn, {each.actor for each in found}, [])
    last = (date.fromisoformat(day_of(None)).replace(day=1) - timedelta(days=1)).isoformat()[:7]
    shown = render_template(
        "month/page.html", closed=found, people=people, problem=problem, errors=at_fields(problem),
        month=request.form.get("month", last),
    )  # fmt: skip
    return shown, problem.status if problem else 200


def _month(text: str) -> tuple[str, str]:
    """First and last day of YYYY-MM. Raises: Problem `invalid-form`."""
    try:
        first = date.fromisoformat(f"{text.strip()}-01")
    except ValueError:
        words = "请填年和月,如 2026-10。 / Give a year and a month, as 2026-10."
        raise Problem("invalid-form", count=1, errors={"month": [words]}) from None
    return first.isoformat(), first.replace(day=monthrange(first.year, first.month)[1]).isoformat()
