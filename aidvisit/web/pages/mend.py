"""What was recorded wrongly: a delivery is taken back here; correcting one is the form of a new one (deliver)."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import delivery as service
from aidvisit.store.database import reading
from aidvisit.store.queries import delivery as queries
from aidvisit.store.queries import household as households
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.forms import VoidForm, at_fields, read
from sync.op import is_uuid

blueprint = Blueprint("deliveries", __name__)


@blueprint.route("/households/<household>/deliveries/<delivery>/void", methods=["GET", "POST"])
def void(household: str, delivery: str) -> ResponseReturnValue:
    """Take a delivery back, with a reason. Raises: Problem `unknown-household`, `unknown-delivery`."""
    problem = None
    if request.method == "POST":
        try:
            reason = read(VoidForm)["reason"]
            service.void(actor=auth.actor(), household=household, delivery=delivery, reason=reason, scope=g.scope)
        except Problem as raised:
            if raised.name != "invalid-form":
                raise
            problem = raised
        else:
            send_soon()
            return redirect(url_for("household.page", household=household, _anchor=f"delivery-{delivery}"), 303)
    with reading() as conn:
        view = households.household(conn, household, g.scope) if is_uuid(household) else None
        found = queries.delivery(conn, household, delivery) if view and is_uuid(delivery) else None
    if view is None:
        raise Problem("unknown-household")
    if found is None:
        raise Problem("unknown-delivery")
    page = render_template(
        "delivery/void.html", household=view, delivery=found, typed=request.form, problem=problem,
        errors=at_fields(problem),
    )  # fmt: skip
    return page, problem.status if problem else 200
