"""Tokens of other systems, at the office: made, shown once, listed with their last use, revoked."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.domain.rights import FOR_TOKENS
from aidvisit.errors import Problem
from aidvisit.services import token as service
from aidvisit.store.database import reading
from aidvisit.store.queries import account
from aidvisit.web.forms import TokenForm, at_fields, codes, read
from aidvisit.web.pages.people import mine

blueprint = Blueprint("tokens", __name__, url_prefix="/tokens")


@blueprint.get("", endpoint="page")
def page(problem: Problem | None = None, secret: str = "") -> str:
    """Every token of the scope, those that open something first; `secret`: the new one, this once."""
    with reading() as conn:
        people = [one for one in account.users(conn) if one.active and g.scope.team(one.team)]
    rows = sorted(service.listed(g.scope), key=lambda one: not one.holds)
    return render_template(
        "token/page.html", tokens=rows, people=people, rights=FOR_TOKENS, problem=problem, errors=at_fields(problem),
        typed=request.form if problem else {}, chosen=request.form.getlist("rights") if problem else [], secret=secret,
    )  # fmt: skip


@blueprint.post("", endpoint="make")
def make() -> ResponseReturnValue:
    """The token is in the answer, not behind a redirect: it is kept nowhere in the clear."""
    try:
        form = read(TokenForm)
        wanted, divisions = request.form.getlist("rights"), codes(request.form.get("divisions", ""))
        _, secret = service.make(wanted=wanted, divisions=divisions, **form, **mine())
    except Problem as problem:
        if problem.name != "invalid-form":
            raise
        return page(problem), problem.status
    return page(secret=secret)


@blueprint.post("/<token>/revoke", endpoint="revoke")
def revoke(token: str) -> ResponseReturnValue:
    """Raises: Problem `unknown-token`."""
    service.revoke(token=token, **mine())
    return redirect(url_for("tokens.page"), 303)
