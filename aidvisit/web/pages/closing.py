"""Closing a household, which then gets nothing any more, and taking it back."""

from __future__ import annotations

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import household as service
from aidvisit.store.database import reading
from aidvisit.store.queries import household as households
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.forms import CloseForm, ReopenForm, at_fields, read
from sync.op import is_uuid

MENDED_HERE = ("invalid-form", "invalid-body")


def close(household: str) -> ResponseReturnValue:
    """With a reason and a day. Raises: Problem `unknown-household`."""
    return _form(household, closing=True)


def reopen(household: str) -> ResponseReturnValue:
    """It gets again, with a reason. Raises: Problem `unknown-household`."""
    return _form(household, closing=False)


def _form(household: str, *, closing: bool) -> ResponseReturnValue:
    if not is_uuid(household):
        raise Problem("unknown-household")
    problem = None
    if request.method == "POST":
        try:
            _close(household) if closing else _reopen(household)
            send_soon()
            return redirect(url_for("household.page", household=household), 303)
        except Problem as raised:
            if raised.name not in MENDED_HERE:
                raise
            problem = raised
    with reading() as conn:
        view = households.household(conn, household, g.scope)
    if view is None:
        raise Problem("unknown-household")
    page = render_template(
        "household/close.html", household=view, closing=closing, problem=problem, errors=at_fields(problem),
        typed=request.form if problem else {"date": day_of(None)},
    )  # fmt: skip
    return page, problem.status if problem else 200


def _close(household: str) -> None:
    form = read(CloseForm)
    if form["date"] > day_of(None):
        words = "日期还没有到。 / This day is still to come."
        raise Problem("invalid-form", count=1, errors={"date": [words]})
    service.close(
        actor=auth.actor(), household=household, reason=form["reason"], date=form["date"], to=form["to"] or None,
        scope=g.scope,
    )  # fmt: skip


def _reopen(household: str) -> None:
    service.reopen(actor=auth.actor(), household=household, reason=read(ReopenForm)["reason"], scope=g.scope)
