"""Signing in and out, and the language."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import account as service
from aidvisit.services import audit
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.forms import SignInForm, read
from aidvisit.web.i18n import LANGUAGES

blueprint = Blueprint("account", __name__)


def here(address: str | None) -> str:
    """An address on this site only, else the first page."""
    # Browsers read a backslash as a slash, drop tabs and line ends, and take `///host` for another site.
    target = address or ""
    inside = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if inside else "/"


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    target = here(request.values.get("next"))
    if request.method == "GET":
        return render_template("account/sign_in.html", target=target, login="", problem=None)
    try:
        form = read(SignInForm)
        user = service.verify_password(form["login"], form["password"], request.remote_addr)
        audit.attempt(user.id, audit.SIGN_IN)
        send_soon()
        auth.remember(user)
    except Problem as problem:
        page = render_template(
            "account/sign_in.html", target=target, login=request.form.get("login", ""), problem=problem
        )
        headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after else {}
        return page, problem.status, headers
    return redirect(target, 303)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    auth.forget()
    return redirect(url_for("account.sign_in"), 303)


@blueprint.post("/language")
def language() -> ResponseReturnValue:
    if request.form.get("language") in LANGUAGES:
        session["language"] = request.form["language"]
    return redirect(here(request.form.get("next")), 303)
