"""Registering a household or an institution, and editing one: the same form, at either end."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from aidvisit.domain import fold
from aidvisit.domain.person import Finding
from aidvisit.errors import Problem
from aidvisit.services import household as service
from aidvisit.services import sync
from aidvisit.store.database import reading
from aidvisit.store.queries import household as households
from aidvisit.store.queries import village
from aidvisit.store.queries.catalog import CategoryName, category_names
from aidvisit.store.queries.village import Area
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.household_form import KINDS_OF, Errors, Typed, faults, fields_of, odd, read
from sync.op import is_uuid, uuid7

PASSED_ON = {"unknown-household", "not-permitted", "not-allowed", "form-stale", "disk-full", "database-locked"}
"""Problems that this form cannot mend."""
_NUMBERS = ("head.id_number", "members.")


@dataclass(slots=True)
class Filled:
    """A form that was sent. `questions`: by field, what is odd and was not said to be so."""

    typed: Typed
    body: dict[str, Any]
    errors: Errors
    questions: dict[str, list[Finding]] = field(default_factory=dict)
    problem: Problem | None = None


def register() -> ResponseReturnValue:
    """A new household, or an institution (`kind=institution`). Name and village are enough."""
    if request.method != "POST":
        kind = request.args.get("kind", "")
        typed = Typed({"household": uuid7(), "kind": kind if kind in KINDS_OF else KINDS_OF[0]})
        return _shown(Filled(typed, {}, {}), None)
    filled = _filled(None)
    identity = filled.typed.get("household", "")
    if _does("save"):
        with reading() as conn:
            _judge(conn, filled, None, _area(conn))
        if not filled.problem and not is_uuid(identity):
            filled.problem = Problem("not-found")
        if not filled.problem:
            try:
                service.register(actor=auth.actor(), household=identity, body=filled.body)
                send_soon()
                return redirect(url_for("household.page", household=identity), 303)
            except Problem as problem:
                _keep(filled, problem)
    return _shown(filled, None)


def edit(household: str) -> ResponseReturnValue:
    """What is known of a household, to be corrected. Raises: Problem `unknown-household`, `form-stale`."""
    if not is_uuid(household):
        raise Problem("unknown-household")
    with reading() as conn:
        held = service.in_view(conn, household, g.scope)
        seen = request.form.get("seen", "") if request.method == "POST" else held.seen
        then = held.at(seen)
        if then is None:
            raise Problem("form-stale")
        if request.method != "POST":
            typed = fields_of(then.body)
            typed["seen"] = seen
            return _shown(Filled(typed, then.body, {}), then, household, held.stream)
        filled = _filled(then)
        if _does("save"):
            _judge(conn, filled, then, _area(conn, held.stream))
    if _does("save") and not filled.problem:
        try:
            service.edit(actor=auth.actor(), household=household, seen=seen, wanted=filled.body, scope=g.scope)
            send_soon()
            return redirect(url_for("household.page", household=household), 303)
        except Problem as problem:
            _keep(filled, problem)
    return _shown(filled, then, household, held.stream)


def _does(deed: str) -> bool:
    return request.form.get("do", "save") == deed


def _filled(then: fold.Household | None) -> Filled:
    """What was sent, after the step that its button asks for: a row more or less, another town."""
    typed = Typed(request.form.items(multi=True))
    deed, _colon, what = typed.get("do", "save").partition(":")
    _step(typed, deed, what, then)
    body, errors = read(typed, then.body if then else None)
    return Filled(typed, body, errors if deed == "save" else {})


def _step(typed: Typed, deed: str, what: str, then: fold.Household | None) -> None:
    members = typed.getlist("member")
    match deed:
        case "add-member":
            typed.add("member", uuid7())
        case "remove":
            typed.setlist("member", [one for one in members if one != what])
        case "restore" if then is not None and what in then.members:
            for name, values in fields_of(then.body).lists():
                if name.startswith(f"members.{what}."):
                    typed.setlist(name, values)
            typed.add("member", what)
        case "village":
            typed["division"], typed["town"], typed["county"] = what, what[:9], what[:6]
            typed["find"] = ""
        case "note" if what.startswith(_NUMBERS):
            number = typed.get(what, "").strip()
            typed["note"] = "\n".join(filter(None, (typed.get("note", ""), number)))
            typed[what] = ""


def _area(conn: Connection, town: str | None = None) -> Area:
    """The villages that may be chosen: those of one's scope, on a laptop of the towns that it holds."""
    if town is not None:
        return Area(g.scope, (town,))
    return Area(g.scope, village.held_towns(conn) if _on_laptop() else None)


def _on_laptop() -> bool:
    return sync.current_settings().role == "field"


def _judge(conn: Connection, filled: Filled, then: fold.Household | None, area: Area) -> None:
    """All that keeps a form from being saved, at once."""
    body, errors = filled.body, filled.errors
    before = then.body if then else None
    for path, messages in faults(body, filled.typed.get("household", "")).items():
        errors.setdefault(path, messages)
    chosen = body.get("division", "")
    if chosen != (before or {}).get("division") and not village.may_choose(conn, area, chosen):
        errors["division"] = ["请选村(居)。 / Choose a village."]
    checked = set(" ".join(filled.typed.getlist("checked")).split())
    for path, findings in odd(body, before, day_of(None)).items():
        for finding in findings:
            if finding.blocking:
                errors.setdefault(path, []).append(finding.words)
            elif mark(path, finding) not in checked:
                filled.questions.setdefault(path, []).append(finding)
    if errors:
        filled.problem = Problem("invalid-form", count=len(errors), errors=errors)
    elif filled.questions:
        filled.problem = Problem("look-again", count=sum(map(len, filled.questions.values())))


def mark(path: str, finding: Finding) -> str:
    """What a tick at a question stands for: it does not answer another one."""
    return sha256(f"{path} {finding.zh}".encode()).hexdigest()[:16]


def _keep(filled: Filled, problem: Problem) -> None:
    if problem.name in PASSED_ON:
        raise problem
    filled.problem = problem


def _offered(conn: Connection, typed: Typed) -> list[CategoryName]:
    """The catalogue, and what is ticked without being in it (any more)."""
    known = category_names(conn)
    held = {code for name in typed if name.endswith("categories") for code in typed.getlist(name)}
    return known + [CategoryName(code, code, "") for code in sorted(held - {one.code for one in known})]


def _shown(
    filled: Filled, then: fold.Household | None, household: str = "", town: str | None = None
) -> ResponseReturnValue:
    """The form, or with `part` what stands in it alone."""
    typed, problem = filled.typed, filled.problem
    with reading() as conn:
        area = _area(conn, town)
        chosen = village.choice(conn, area, *(typed.get(one, "") for one in ("county", "town", "division")))
        part = typed.get("find", "").strip()[:100]
        found = village.named(conn, area, part) if part else []
        groups = households.groups(conn, chosen.village) if chosen.village else []
        known = _offered(conn, typed)
        view = households.household(conn, household, g.scope) if household else None
    gone = [one for one in then.body["members"] if one["id"] not in typed.getlist("member")] if then else []
    marks = [mark(path, finding) for path, findings in filled.questions.items() for finding in findings]
    page = render_template(
        "household/_form.html" if request.form.get("part") else "household/form.html",
        typed=typed, errors=filled.errors, questions=filled.questions, marks=marks, problem=problem, chosen=chosen,
        found=found, part=part, groups=groups, known=known, household=view, gone=gone,
        institution=typed.get("kind") == "institution",
        added=typed.getlist("member")[-1:] if _does("add-member") else [],
    )  # fmt: skip
    return page, problem.status if problem and not request.form.get("part") else 200
