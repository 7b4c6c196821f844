"""People at the office: who is in which team, with which role; and a new password for somebody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.domain.rights import ROLES
from aidvisit.errors import Problem
from aidvisit.services import account, people, reach
from aidvisit.store.database import reading
from aidvisit.store.queries import people as queries
from aidvisit.web import auth
from aidvisit.web.forms import NewPasswordForm, NewPersonForm, PersonForm, at_fields, read

blueprint = Blueprint("people", __name__)

ELSEWHERE = {"unknown-user", "unknown-team", "not-permitted", "not-allowed"}
"""Problems that no form can mend."""
PERSON = ("name", "phone", "role")


def mine() -> dict[str, Any]:
    """Who changes something, and how far they reach: what every service asks."""
    return {"actor": auth.actor(), "scope": g.scope}


def posted(save: Callable[[], str]) -> tuple[ResponseReturnValue | None, Problem | None]:
    """What a posted form leads to: the page after it, or the problem to show with it."""
    if request.method != "POST":
        return None, None
    try:
        return redirect(save(), 303), None
    except Problem as problem:
        if problem.name in ELSEWHERE:
            raise
        return None, problem


@blueprint.get("/people", endpoint="page")
def page() -> str:
    """Every team of the scope below its parent, with its people."""
    with reading() as conn:
        tops = queries.tree(conn, g.scope)
    return render_template("people/page.html", tops=tops)


@blueprint.route("/people/add", methods=["GET", "POST"], endpoint="add")
def add_person() -> ResponseReturnValue:
    """A person of the team that the address names. Raises: Problem `unknown-team`."""
    with reading() as conn:
        team = reach.team_within(conn, g.scope, request.args.get("team", ""))

    def save() -> str:
        form = read(NewPersonForm)
        form.pop("again")
        return at_person(account.add_user(team=team.id, **form, **mine()))

    done, problem = posted(save)
    return done or shown_form("people/add.html", problem, request.form, team=team, roles=ROLES)


@blueprint.route("/people/<user>", methods=["GET", "POST"], endpoint="person")
def person(user: str) -> ResponseReturnValue:
    """Raises: Problem `unknown-user`."""

    def save() -> str:
        people.update_user(user=user, seen=request.form.get("seen"), **read(PersonForm), **mine())
        return at_person(user)

    done, problem = posted(save)
    return done or _person(user, problem, request.form if problem else None)


def _person(user: str, problem: Problem | None, typed: Any = None) -> ResponseReturnValue:
    with reading() as conn:
        held = reach.user_within(conn, g.scope, user)
        team = reach.team_within(conn, g.scope, held.team)
    now = {"name": held.name, "phone": held.phone, "role": held.role}
    return shown_form(
        "people/person.html", problem, typed or now, now=now, person=held, team=team, roles=ROLES,
        seen=people.in_view("user", user, *PERSON), done=request.args.get("done"),
    )  # fmt: skip


@blueprint.post("/people/<user>/active", endpoint="activate")
def activate(user: str) -> ResponseReturnValue:
    """Deactivate somebody, or take them back. Raises: Problem `unknown-user`."""

    def save() -> str:
        people.update_user(user=user, active=request.form.get("active") == "yes", **mine())
        return at_person(user)

    done, problem = posted(save)
    return done or _person(user, problem)


@blueprint.route("/people/<user>/password", methods=["GET", "POST"], endpoint="password")
def password(user: str) -> ResponseReturnValue:
    """A new password for somebody else. Raises: Problem `unknown-user`."""
    with reading() as conn:
        held = reach.user_within(conn, g.scope, user)
    if held.id == auth.actor():
        return redirect(url_for("password.page"), 303)

    def save() -> str:
        people.set_password(user=user, password=read(NewPasswordForm)["password"], **mine())
        return url_for("people.person", user=user, done="password")

    done, problem = posted(save)
    return done or shown_form("people/password.html", problem, {}, person=held)


def shown_form(template: str, problem: Problem | None, typed: Any, **more: Any) -> ResponseReturnValue:
    page = render_template(template, problem=problem, errors=at_fields(problem), typed=typed, **more)
    return page, problem.status if problem else 200


def at_person(user: str) -> str:
    return url_for("people.person", user=user, done="saved")
