"""Signing in and out, and the language."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import account as service
from aidvisit.services import audit, lock, practice, sync
from aidvisit.services.vault import vault
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.forms import SignInForm, read
from aidvisit.web.i18n import LANGUAGES

blueprint = Blueprint("account", __name__)
field = Blueprint("lock", __name__)


def here(address: str | None) -> str:
    """An address on this site only, else the first page."""
    # Browsers read a backslash as a slash, drop tabs and line ends, and take `///host` for another site.
    target = address or ""
    inside = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if inside else "/"


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """At a laptop that is locked, signing in unlocks it."""
    target = here(request.values.get("next"))
    if request.method == "GET":
        return _sign_in(target)
    try:
        form = read(SignInForm)
        enter = lock.unlock if vault().locked else service.verify_password
        user = enter(form["login"], form["password"], request.remote_addr)
        audit.attempt(user.id, audit.SIGN_IN)
        service.forget_old_lists()
        send_soon()
        auth.remember(user)
    except Problem as problem:
        return _sign_in(target, problem)
    return redirect(target, 303)


def _sign_in(target: str, problem: Problem | None = None, *, recovering: bool = False) -> ResponseReturnValue:
    page = render_template(
        "account/sign_in.html", target=target, login=request.form.get("login", ""), problem=problem,
        recovering=recovering, locked=vault().locked, revoked=vault().revoked,
        plain=sync.current_settings().role == "field" and not vault().exists, opened=request.args.get("opened"),
        practice={"login": practice.LOGIN, "password": practice.PASSWORD},
    )  # fmt: skip
    headers = {"Retry-After": str(problem.retry_after)} if problem and problem.retry_after else {}
    return page, problem.status if problem else 200, headers


@field.post("/recover", endpoint="recover")
def recover() -> ResponseReturnValue:
    """Open a locked laptop with its recovery key; it then learns at its next sync whose passwords are right."""
    if not vault().locked:
        return redirect(url_for("account.sign_in"), 303)
    try:
        lock.recover(request.form.get("recovery_key", ""))
    except Problem as problem:
        return _sign_in("/", problem, recovering=True)
    return redirect(url_for("account.sign_in", opened=1), 303)


@field.post("/lock", endpoint="now")
def lock_now() -> ResponseReturnValue:
    """锁机: the key is dropped; nobody goes on without a password, the agent neither."""
    audit.attempt(auth.actor(), audit.LOCK)
    lock.lock()
    auth.forget()
    return redirect(url_for("account.sign_in"), 303)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    auth.forget()
    return redirect(url_for("account.sign_in"), 303)


@blueprint.post("/language")
def language() -> ResponseReturnValue:
    if request.form.get("language") in LANGUAGES:
        session["language"] = request.form["language"]
    return redirect(here(request.form.get("next")), 303)
