"""The first page of a new laptop: scan or type the invitation, wait, write the recovery key down."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import setup as service
from aidvisit.services.setup import Made, SetUp
from aidvisit.web.forms import SetUpForm, read

SET_UP, FINISH = "aidvisit.set_up", "aidvisit.finish"
FIELDS = ("invitation", "server", "code", "fingerprint", "name")

blueprint = Blueprint("setup", __name__)


def set_up() -> SetUp:
    found: SetUp = current_app.extensions[SET_UP]
    return found


def owner() -> str:
    """Of this browser: the recovery key is shown to the one that asked for it, and to no other."""
    return str(session.setdefault("set_up", secrets.token_hex(16)))


@blueprint.get("/")
def page() -> ResponseReturnValue:
    """Whatever comes next: the form, how far it is, or the recovery key."""
    doing, mine = set_up(), owner() == set_up().owner
    if doing.state == "working":
        return render_template("setup/working.html", pulled=doing.pulled)
    if doing.state == "made":
        return _key(doing.made if mine else None)
    # What another browser typed is its own business.
    return _form(doing.typed if mine else {}, doing.problem if mine else None)


@blueprint.get("/<path:_elsewhere>")
def elsewhere(_elsewhere: str) -> ResponseReturnValue:
    """A page that somebody marked; there is only this one yet."""
    return redirect(url_for("setup.page"), 303)


@blueprint.post("/enrol")
def enrol() -> ResponseReturnValue:
    """Errors show the form with all that was typed."""
    typed = {name: request.form.get(name, "") for name in FIELDS}
    try:
        form = read(SetUpForm)
        asked = service.wanted(
            name=form["name"], text=form["invitation"], server=form["server"], code=form["code"],
            fingerprint=form["fingerprint"],
        )  # fmt: skip
        set_up().start(asked, owner(), typed)
    except Problem as problem:
        return _form(typed, problem), problem.status
    return redirect(url_for("setup.page"), 303)


def _form(typed: dict[str, str], problem: Problem | None) -> str:
    return render_template("setup/form.html", typed=typed, problem=problem)


def _key(made: Made | None, problem: Problem | None = None) -> str:
    return render_template("setup/key.html", made=made, name=set_up().name, problem=problem)


@blueprint.post("/written")
def written() -> ResponseReturnValue:
    """The recovery key is on paper: forget it here, and go on to sign in."""
    doing = set_up()
    if doing.state != "made" or doing.made is None or owner() != doing.owner:
        return redirect(url_for("setup.page"), 303)
    if doing.made.recovery is not None and request.form.get("written") != "yes":
        problem = Problem("recovery-key-unwritten")
        return _key(doing.made, problem), problem.status
    finish: Callable[[], None] = current_app.extensions[FINISH]
    finish()
    doing.made = None
    return redirect("/sign-in", 303)
