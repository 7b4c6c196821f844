"""Divisions at the office: the country as a tree, who to call there, and a county's towns and villages from a file."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.domain import division as rules
from aidvisit.errors import Problem
from aidvisit.services import division as service
from aidvisit.store.database import reading
from aidvisit.store.queries import division as queries
from aidvisit.store.queries.division import DivisionView
from aidvisit.web import auth
from aidvisit.web.catalog_forms import DivisionForm, contact
from aidvisit.web.forms import read
from aidvisit.web.pages.catalog import ELSEWHERE, errors_at

blueprint = Blueprint("divisions", __name__, url_prefix="/divisions")

AT_FIELD = {"code-taken": "code", "unknown-division": "code", "place-outside": "code"}
SHOWN = 500
"""Lines of a preview that a page shows; all of them count."""


@blueprint.get("", endpoint="page")
def page() -> str:
    """What lies directly below a division (`under`), or what is called so (`q`: a name, or the first digits)."""
    under, q = request.args.get("under", ""), request.args.get("q", "").strip()[:100]
    after = request.args.get("after", "")
    under = under if rules.is_code(under) else ""
    with reading() as conn:
        here = queries.division(conn, under) if under else None
        rows, more = queries.find(conn, q, after) if q else queries.children(conn, under, after)
    return render_template(
        "catalog/divisions.html", under=under, here=here, q=q, rows=rows, more=more, after=after,
        below=None if q else rules.LEVELS.get(rules.below(under) or 0), levels=rules.LEVELS,
        done=request.args.get("done", ""),
    )  # fmt: skip


@blueprint.route("/add", methods=["GET", "POST"], endpoint="add")
def add() -> ResponseReturnValue:
    """A division that the catalogue does not have; `under` is what it lies in."""
    return _form(None)


@blueprint.route("/one", methods=["GET", "POST"], endpoint="one")
def one() -> ResponseReturnValue:
    """Its name and who to call; the code stays. Raises: Problem `unknown-code`."""
    code = request.args.get("code", "")
    with reading() as conn:
        held = queries.division(conn, code)
    if held is None:
        raise Problem("unknown-code", code=code)
    return _form(held)


def _form(held: DivisionView | None) -> ResponseReturnValue:
    problem = None
    if request.method == "POST":
        try:
            form = read(DivisionForm)
            code = held.code if held else form["code"]
            if not code:
                raise Problem("invalid-form", count=1, errors={"code": ["请填代码。 / Give a code."]})
            service.define(
                actor=auth.actor(), code=code, name=form["name"], contact=contact(form), scope=g.scope,
                seen=request.form.get("seen", "") if held else None,
            )  # fmt: skip
            return redirect(url_for("divisions.page", under=rules.parent(code), done=form["name"]), 303)
        except Problem as raised:
            if raised.name in ELSEWHERE:
                raise
            problem = raised
    typed: dict[str, Any] = request.form.to_dict() if problem else _typed(held)
    if held is not None and (problem is None or problem.name == "changed-meanwhile"):
        typed["seen"] = held.seen
    page = render_template(
        "catalog/division.html", held=held, typed=typed, problem=problem, errors=errors_at(problem, AT_FIELD),
        now=_typed(held),
    )  # fmt: skip
    return page, problem.status if problem else 200


def _typed(held: DivisionView | None) -> dict[str, Any]:
    if held is None:
        return {"code": request.args.get("under", "")}
    person = held.contact or {}
    return {
        "code": held.code, "name": held.name, "contact_name": person.get("name", ""),
        "contact_phone": person.get("phone", ""),
    }  # fmt: skip


@blueprint.route("/load", methods=["GET", "POST"], endpoint="load")
def load() -> ResponseReturnValue:
    """A county's towns and villages: first what a file would do, then all of it or nothing."""
    county = request.values.get("county", "").strip()
    problem, found = None, None
    if request.method == "POST":
        try:
            if "text" in request.form:
                data = request.form["text"].encode()
                done = service.load(data, county, actor=auth.actor(), scope=g.scope)
                return redirect(url_for("divisions.page", under=county, done=done.name), 303)
            file = request.files.get("file")
            data = file.read() if file else b""
            if not data:
                words = "请选一个文件。 / Choose a file."
                raise Problem("invalid-form", count=1, errors={"file": [words]})
            found = service.preview(data, county, scope=g.scope)
        except Problem as raised:
            if raised.name in {"not-permitted", "not-allowed"}:
                raise
            problem = raised
    page = render_template(
        "catalog/load.html", county=county, found=found, problem=problem, shown=SHOWN,
        errors=errors_at(problem, {"unknown-code": "county", "place-outside": "county", "nothing-for-county": "county",
                                   "not-a-division-list": "file"}),
    )  # fmt: skip
    return page, problem.status if problem else 200
