"""Conflicting edits of households: all of them, and settling one by an edit that names both, with a reason."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.domain.person import checks
from aidvisit.errors import Problem
from aidvisit.services import household as service
from aidvisit.store.database import reading
from aidvisit.store.queries import conflict as conflicts
from aidvisit.store.queries import household as households
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.forms import at_fields
from aidvisit.web.household_form import UnreadError, one_value
from sync.op import is_uuid

OTHER = "other"
"""Neither value: what is typed beside it."""
CHOSEN_ONLY = {"sex", "division", "categories", "member", "kind"}
"""Fields of which nobody types a third value here: the form of the household has the choices."""


def listed() -> str:
    """All conflicts of whoever looks, a page of them. `after`: household and path of the last one before."""
    household, _slash, path = request.args.get("after", "").partition("/")
    with reading() as conn:
        found, more = conflicts.listed(conn, g.scope, (household, path) if path else None)
        total = conflicts.count(conn, g.scope)
    return render_template("household/conflicts.html", found=found, more=more, total=total, household=None)


def settle(household: str) -> ResponseReturnValue:
    """The conflicts of one household; a POST settles one of them. Raises: Problem `unknown-household`, `form-stale`."""
    problem = None
    if request.method == "POST":
        try:
            _settle(household)
            return redirect(url_for("household.page", household=household), 303)
        except Problem as raised:
            if raised.name not in ("invalid-form", "invalid-body"):
                raise
            problem = raised
    return _page(household, problem), problem.status if problem else 200


def reveal(household: str) -> str:
    """The same page with the full numbers, this once. It is in the audit before that. Raises: as `household.reveal`."""
    if not is_uuid(household):
        raise Problem("unknown-household")
    service.reveal(actor=auth.actor(), household=household, scope=g.scope)
    send_soon()
    return _page(household, None, revealed=True)


def _page(household: str, problem: Problem | None, *, revealed: bool = False) -> str:
    with reading() as conn:
        view = households.household(conn, household, g.scope) if is_uuid(household) else None
        if view is None:
            raise Problem("unknown-household")
        found = conflicts.of_household(conn, household, g.scope, revealed=revealed)
    return render_template(
        "household/conflicts.html", found=found, more=None, total=len(found), household=view, problem=problem,
        typed=request.form, errors=at_fields(problem), revealed=revealed,
    )  # fmt: skip


def _settle(household: str) -> None:
    path, keep, reason = (request.form.get(name, "").strip() for name in ("path", "keep", "reason"))
    errors: dict[str, list[str]] = {}
    if not keep:
        errors["keep"] = ["请选一个值。 / Choose a value."]
    if not reason:
        errors["reason"] = ["请写明理由。 / Give a reason."]
    value = _typed(path, request.form.get("value", ""), errors) if keep == OTHER else None
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    service.settle(
        actor=auth.actor(), household=household, path=path, heads=request.form.getlist("heads"), reason=reason,
        keep=None if keep == OTHER else keep, value=value, scope=g.scope,
    )  # fmt: skip
    send_soon()


def _typed(path: str, text: str, errors: dict[str, list[str]]) -> Any:
    """A third value, judged as in the form of the household; nothing is nothing known."""
    field = path.rpartition(".")[2]
    try:
        if field in CHOSEN_ONLY:
            raise UnreadError("请在上面选一个。 / Choose one of those above.")
        value = one_value(path, text)
    except UnreadError as wrong:
        errors["value"] = [str(wrong)]
        return None
    blocking = [one.words for one in checks({field: value}, day_of(None)) if one.blocking]
    if blocking:
        errors["value"] = blocking
    return value
