"""Signing in and out, the language, and the laptops with their enrolment codes."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import account as service
from aidvisit.services import audit, sync
from aidvisit.store.database import reading
from aidvisit.store.queries import account as queries
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.forms import SignInForm, read
from aidvisit.web.i18n import LANGUAGES

blueprint = Blueprint("account", __name__)
central = Blueprint("devices", __name__)


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


@central.get("/devices", endpoint="page")
def devices(codes: list[service.Code] | None = None, team: str = "") -> str:
    """Laptops, and one-time codes just made: they are shown this once."""
    with reading() as conn:
        rows = queries.device_rows(conn, g.scope)
        # Laptops are carried by the teams at the bottom: those are offered first.
        teams = sorted(queries.teams(conn, g.scope), key=lambda one: -(one.level or 0))
    names = {one.id: one.name for one in teams}
    address = sync.current_settings().server_url or request.host_url.rstrip("/")
    return render_template(
        "account/devices.html", devices=rows, teams=teams, codes=codes, team=team, team_name=names.get(team, ""),
        address=address,
    )  # fmt: skip


@central.post("/devices/codes", endpoint="codes")
def make_codes() -> str:
    """A code is in the answer, not behind a redirect: it is kept nowhere in the clear."""
    team = request.form.get("team", "")
    return devices(service.enrolment_codes(actor=auth.actor(), team=team, count=1, scope=g.scope), team)
