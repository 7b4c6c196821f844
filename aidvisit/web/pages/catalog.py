"""Hardship categories, items and places at the office: what each code stands for."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.domain.category import from_age
from aidvisit.errors import Problem
from aidvisit.services import catalog as service
from aidvisit.store.database import reading
from aidvisit.store.queries import catalog as queries
from aidvisit.store.queries.catalog import NOUNS, Defined, Noun
from aidvisit.web import auth
from aidvisit.web.catalog_forms import CLASSES, FORMS, KINDS, LEVELS
from aidvisit.web.forms import at_fields, read

blueprint = Blueprint("catalog", __name__, url_prefix="/catalog")

CHOICES = {"levels": LEVELS, "classes": CLASSES, "kinds": KINDS}
AT_FIELD = {
    "code-taken": "code",
    "word-taken": "synonyms",
    "unit-in-use": "unit",
    "unknown-division": "division",
    "place-outside": "division",
}
"""Problems that one field of a form mends."""
ELSEWHERE = {"unknown-code", "not-permitted", "not-allowed"}


@blueprint.get("", endpoint="page")
def page() -> str:
    """All of one noun (`what`), by code, a page at a time."""
    what, after = _what(), request.args.get("after", "")
    with reading() as conn:
        rows, more = queries.defined(conn, what, after)
        divisions = {row.body["division"] for row in rows if row.body.get("division")}
        places = {code: " ".join(names) for code, names in queries.names_of(conn, divisions).items()}
    return render_template(
        "catalog/page.html", what=what, rows=rows, more=more, after=after, places=places, from_age=from_age,
        done=request.args.get("done", ""),
    )  # fmt: skip


@blueprint.route("/add", methods=["GET", "POST"], endpoint="add")
def add() -> ResponseReturnValue:
    return _form(_what(), None)


@blueprint.route("/one", methods=["GET", "POST"], endpoint="one")
def one() -> ResponseReturnValue:
    """Change what a code stands for; the code stays. Raises: Problem `unknown-code`."""
    what, code = _what(), request.args.get("code", "")
    with reading() as conn:
        held = queries.definition(conn, what, code)
    if held is None:
        raise Problem("unknown-code", code=code)
    return _form(what, held)


def _form(what: Noun, held: Defined | None) -> ResponseReturnValue:
    problem = None
    if request.method == "POST":
        try:
            saved = _save(what, held)
            return redirect(url_for("catalog.page", what=what, done=saved), 303)
        except Problem as raised:
            if raised.name in ELSEWHERE:
                raise
            problem = raised
    typed = request.form.to_dict() if problem else _typed(held)
    if held is not None and "seen" not in typed:
        typed["seen"] = held.seen
    if problem is not None and problem.name == "changed-meanwhile" and held is not None:
        typed["seen"] = held.seen  # shown below the notice: who saves again has seen it
    page = render_template(
        "catalog/form.html", what=what, held=held, typed=typed, problem=problem, errors=errors_at(problem, AT_FIELD),
        now=_typed(held), age=from_age(held.code) if held else None,
        mine=held is None or service.may_change(what, held.body, g.scope), **CHOICES,
    )  # fmt: skip
    return page, problem.status if problem else 200


def _save(what: Noun, held: Defined | None) -> str:
    form, body_of = FORMS[what]
    body = body_of(read(form))
    if held is not None:
        body["code"] = held.code
        if what == "place":
            body["kind"] = held.body["kind"]  # stock names a place by kind and code
    elif not body.get("code"):
        raise Problem("invalid-form", count=1, errors={"code": ["请填代码。 / Give a code."]})
    seen = None if held is None else request.form.get("seen", "")
    service.define(what, body, actor=auth.actor(), seen=seen, scope=g.scope)
    return str(body["name"])


def _typed(held: Defined | None) -> dict[str, Any]:
    """The fields of the form of something as it is; of what is to be added, blank."""
    if held is None:
        return {"code": request.args.get("code", "")}
    body = held.body
    holder = body.get("holder") or {}
    value = body.get("value_fen")
    return body | {
        "synonyms": "\n".join(body.get("synonyms", [])),
        "value": "" if value is None else f"{value / 100:.2f}",
        "contact_name": holder.get("name", ""),
        "contact_phone": holder.get("phone", ""),
    }


def errors_at(problem: Problem | None, fields: dict[str, str]) -> dict[str, list[str]]:
    """Messages by field; also of a refusal that one field mends."""
    if problem is not None and problem.name in fields:
        return {fields[problem.name]: [f"{problem.words('zh')} / {problem.words('en')}"]}
    return at_fields(problem)


def _what() -> Noun:
    what = request.args.get("what", "category")
    return what if what in NOUNS else "category"
