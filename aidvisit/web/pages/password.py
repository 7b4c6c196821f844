"""One's own password."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import own_password
from aidvisit.store.database import reading
from aidvisit.store.queries import account as queries
from aidvisit.web import auth
from aidvisit.web.forms import OwnPasswordForm, at_fields, read

blueprint = Blueprint("password", __name__)


@blueprint.route("/password", methods=["GET", "POST"], endpoint="page")
def page() -> ResponseReturnValue:
    """Every other session of the user ends with the change; this one goes on. No page shows what was typed."""
    problem = None
    if request.method == "POST":
        try:
            return _change()
        except Problem as raised:
            problem = raised
    shown = render_template(
        "account/password.html", problem=problem, errors=at_fields(problem), done=request.args.get("done")
    )
    headers = {"Retry-After": str(problem.retry_after)} if problem and problem.retry_after else {}
    return shown, problem.status if problem else 200, headers


def _change() -> ResponseReturnValue:
    form = read(OwnPasswordForm)
    counts = own_password.change(g.user, form["old_password"], form["password"], request.remote_addr)
    with reading() as conn:
        user = queries.user(conn, g.user.id)
    if user is not None:
        auth.remember(user)
    return redirect(url_for("password.page", done="here" if counts else "later"), 303)
