"""What was recorded wrongly: a delivery or a visit is taken back here; correcting one is the form of a new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from aidvisit.errors import Problem
from aidvisit.services import delivery as service
from aidvisit.store.database import reading
from aidvisit.store.queries import delivery as queries
from aidvisit.store.queries import household as households
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.forms import VoidForm, at_fields, read, saved_or_shown
from sync.op import is_uuid

blueprint = Blueprint("deliveries", __name__)


@blueprint.route("/households/<household>/deliveries/<delivery>/void", methods=["GET", "POST"])
def void(household: str, delivery: str) -> ResponseReturnValue:
    """Take a delivery back, with a reason. Raises: Problem `unknown-household`, `unknown-delivery`."""
    return taken_back("delivery", household, delivery, service.void, queries.delivery)


def taken_back(
    what: Literal["delivery", "visit"],
    household: str,
    identity: str,
    take: Callable[..., object],
    find: Callable[[Connection, str, str], Any],
) -> ResponseReturnValue:
    """The page that asks why, and then the household's history. `take`: the service; `find`: what it is about, or None.

    Raises: Problem `unknown-household`, `unknown-<what>`.
    """

    def save() -> ResponseReturnValue:
        reason = read(VoidForm)["reason"]
        take(actor=auth.actor(), household=household, **{what: identity}, reason=reason, scope=g.scope)
        send_soon()
        return redirect(url_for("household.page", household=household, _anchor=f"{what}-{identity}"), 303)

    def show(problem: Problem | None) -> str:
        with reading() as conn:
            view = households.household(conn, household, g.scope) if is_uuid(household) else None
            found = find(conn, household, identity) if view and is_uuid(identity) else None
        if view is None:
            raise Problem("unknown-household")
        if found is None:
            raise Problem(f"unknown-{what}")
        return render_template(
            f"{what}/void.html", household=view, **{what: found}, typed=request.form, problem=problem,
            errors=at_fields(problem),
        )  # fmt: skip

    return saved_or_shown(save, show)
