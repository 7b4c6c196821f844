"""Registering a household or an institution, and editing one: the same form, at either end."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from aidvisit.domain import fold
from aidvisit.domain.likeness import Someone
from aidvisit.domain.person import Finding
from aidvisit.errors import Problem
from aidvisit.services import draft, sync
from aidvisit.services import household as service
from aidvisit.store.database import reading
from aidvisit.store.queries import household as households
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries import village
from aidvisit.store.queries.catalog import CategoryName, category_names, names_of
from aidvisit.store.queries.likeness import Candidate, candidates_of
from aidvisit.store.queries.village import Area
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.household_form import KINDS_OF, Errors, Typed, faults, fields_of, odd, read
from sync.op import is_uuid, uuid7

PASSED_ON = {"unknown-household", "not-permitted", "not-allowed", "form-stale", "disk-full", "database-locked"}
"""Problems that this form cannot mend."""
MOST_ALIKE = 5
NEW = "new"
DELIVER = "deliver"
NO_DRAFT = {"csrf_token", "do", "part", "checked"}
_NUMBERS = ("head.id_number", "members.")


@dataclass(frozen=True, slots=True)
class Alike:
    """A household that may be the same one; `place`: names of its county, town and village."""

    candidate: Candidate
    place: list[str]


@dataclass(slots=True)
class Filled:
    """A form that was sent. `questions`: by field, what is odd and was not said to be so."""

    typed: Typed
    body: dict[str, Any]
    errors: Errors
    questions: dict[str, list[Finding]] = field(default_factory=dict)
    problem: Problem | None = None
    alike: list[Alike] = field(default_factory=list)

    @property
    def new(self) -> list[Alike]:
        """Those alike of which nobody said that they are not the same."""
        apart = set(" ".join(self.typed.getlist("apart")).split())
        return [one for one in self.alike if one.candidate.household not in apart]


def register() -> ResponseReturnValue:
    """A new household, or an institution (`kind=institution`). Name and village are enough.

    `then=deliver`, on a laptop: somebody in the queue; the form is short, and saving it leads to the delivery.
    `continues`: the household that it was in another town; what was known there is filled in.
    Raises: Problem `unknown-household` for that one.
    """
    before = _before(request.values.get("continues", ""))
    if done := _draft(NEW):
        return done
    if request.method != "POST":
        return _shown(Filled(_drafted(NEW) or _new(before), {}, {}), None)
    filled = _filled(None, before)
    identity = filled.typed.get("household", "")
    with reading() as conn:
        filled.alike = _alike(conn, filled)
        if _does("save"):
            _judge(conn, filled, None, _area(conn), before)
    if _does("save") and not is_uuid(identity):
        filled.problem = Problem("not-found")
    if _does("save") and not filled.problem:
        try:
            _register(identity, filled)
            return _saved(NEW, identity, "delivery.deliver" if _walks_in(filled.typed) else "household.page")
        except Problem as problem:
            _keep(filled, problem)
    return _shown(filled, None)


def _before(household: str) -> dict[str, Any] | None:
    """What is known of a household that moved here."""
    if not is_uuid(household):
        return None
    with reading() as conn:
        body = service.in_view(conn, household, g.scope).now.body
    return {name: value for name, value in body.items() if name not in ("division", "group", "address", "lat", "lon")}


def _new(before: dict[str, Any] | None) -> Typed:
    kind = request.args.get("kind", "")
    typed = fields_of(before) if before else Typed({"kind": kind if kind in KINDS_OF else KINDS_OF[0]})
    typed["household"], typed["continues"] = uuid7(), request.args.get("continues", "") if before else ""
    if request.args.get("then") == DELIVER and not before:
        _begin(typed)
    return typed


def _begin(typed: Typed) -> None:
    """The form of who is in no list: they are most likely of the village where the trip is."""
    typed["then"] = DELIVER
    typed["kind"], typed["household"] = KINDS_OF[0], uuid7()
    if typed.get("head.name", "").isascii():
        typed["head.name"] = ""  # what was searched for was pinyin or a number
    with reading() as conn:
        head = trips.current(conn, day_of(None))
    village_code = next((code for code in head.divisions if len(code) == 12), "") if head else ""
    typed["division"], typed["town"], typed["county"] = village_code, village_code[:9], village_code[:6]


def _walks_in(typed: Typed) -> bool:
    return typed.get("then") == DELIVER and _on_laptop()


def _register(household: str, filled: Filled) -> None:
    continues = filled.typed.get("continues", "")
    if continues:
        service.move(actor=auth.actor(), household=household, body=filled.body, continues=continues, scope=g.scope)
    else:
        service.register(actor=auth.actor(), household=household, body=filled.body)


def _alike(conn: Connection, filled: Filled) -> list[Alike]:
    """Households in which somebody of this one may be known already, the likeliest first."""
    body, institution = filled.body, filled.body.get("kind") == "institution"
    place = {"division": body.get("division", ""), "group": body.get("group", "")}
    people = [body["head"], *body.get("members", [])]
    if institution:
        people = [{"name": body.get("name", ""), "phone": body["head"].get("phone", "")}]
    asked = [
        Someone(
            one.get("name", ""), one.get("id_number", ""), one.get("phone", ""), one.get("born", ""), **place,
            institution=institution,
        )
        for one in people
    ]  # fmt: skip
    best: dict[str, Candidate] = {}
    itself = [filled.typed.get(name, "") for name in ("household", "continues")]  # a double click finds what it made
    for found in candidates_of(conn, asked, scope=g.scope, apart_from=itself):
        for one in found:
            if one.household not in best or best[one.household].score < one.score:
                best[one.household] = one
    shown = sorted(best.values(), key=lambda one: -one.score)[:MOST_ALIKE]
    places = names_of(conn, {one.division for one in shown})
    return [Alike(one, places[one.division]) for one in shown]


def edit(household: str) -> ResponseReturnValue:
    """What is known of a household, to be corrected. Raises: Problem `unknown-household`, `form-stale`."""
    if not is_uuid(household):
        raise Problem("unknown-household")
    if done := _draft(household):
        return done
    drafted = _drafted(household)
    with reading() as conn:
        held = service.in_view(conn, household, g.scope)
        made = drafted["seen"] if drafted else held.seen
        seen = request.form.get("seen", "") if request.method == "POST" else made
        then = held.at(seen)
        if then is None:
            raise Problem("form-stale")
        if request.method != "POST":
            typed = drafted or fields_of(then.body)
            typed["seen"] = seen
            return _shown(Filled(typed, then.body, {}), then, household, held.stream)
        filled = _filled(then)
        if _does("save"):
            _judge(conn, filled, then, _area(conn, held.stream))
    if _does("save") and not filled.problem:
        try:
            service.edit(actor=auth.actor(), household=household, seen=seen, wanted=filled.body, scope=g.scope)
            return _saved(household, household)
        except Problem as problem:
            _keep(filled, problem)
    return _shown(filled, then, household, held.stream)


def _draft(form: str) -> ResponseReturnValue | None:
    """On a laptop: what is being typed is kept as a draft, or let go of. Answers those two, and nothing else."""
    if request.method == "POST" and _does("draft"):
        if _on_laptop():
            sent = ((name, value) for name, value in request.form.items(multi=True) if name not in NO_DRAFT)
            draft.keep(auth.actor(), form, sent)
        return "", 204
    if request.method == "POST" and _does("forget"):
        draft.drop(auth.actor(), form)
        return redirect(request.full_path.rstrip("?"), 303)
    return None


def _drafted(form: str) -> Typed | None:
    """The draft that its author wants to go on with (`draft` in the address)."""
    found = draft.kept(auth.actor(), form) if "draft" in request.args else None
    return Typed(found.fields) if found else None


def _saved(form: str, household: str, there: str = "household.page") -> ResponseReturnValue:
    draft.drop(auth.actor(), form)
    send_soon()
    return redirect(url_for(there, household=household), 303)


def _does(deed: str) -> bool:
    return request.form.get("do", "save") == deed


def _filled(then: fold.Household | None, before: dict[str, Any] | None = None) -> Filled:
    """What was sent, after the step that its button asks for: a row more or less, another town."""
    typed = Typed(request.form.items(multi=True))
    deed, _colon, what = typed.get("do", "save").partition(":")
    _step(typed, deed, what, then)
    body, errors = read(typed, then.body if then else before)
    return Filled(typed, body, errors if deed == "save" else {})


def _step(typed: Typed, deed: str, what: str, then: fold.Household | None) -> None:
    members = typed.getlist("member")
    match deed:
        case "begin":
            _begin(typed)
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


def _judge(
    conn: Connection, filled: Filled, then: fold.Household | None, area: Area, before: dict[str, Any] | None = None
) -> None:
    """All that keeps a form from being saved, at once. `before`: what was known of the people, of a new household."""
    body, errors = filled.body, filled.errors
    before = then.body if then else before
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
    elif filled.new:
        filled.problem = Problem("perhaps-known")


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
    held = {code for name in typed if name.endswith("categories") for code in typed.getlist(name) if code}
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
    members = [one for one in typed.getlist("member") if one]
    gone = [one for one in then.body["members"] if one["id"] not in members] if then else []
    marks = [mark(path, finding) for path, findings in filled.questions.items() for finding in findings]
    template = {"": "form", "alike": "_alike"}.get(request.form.get("part", ""), "_form")
    page = render_template(
        f"household/{template}.html", alike=filled.alike, new=filled.new,
        typed=typed, errors=filled.errors, questions=filled.questions, marks=marks, problem=problem, chosen=chosen,
        found=found, part=part, groups=groups, known=known, household=view, gone=gone,
        drafts=_on_laptop(), draft=draft.kept(auth.actor(), household or NEW) if request.method == "GET" else None,
        disagree=list(then.conflicts) if then else [],
        institution=typed.get("kind") == "institution", walkin=not household and _walks_in(typed),
        members=members, added=members[-1:] if _does("add-member") else [],
    )  # fmt: skip
    return page, problem.status if problem and not request.form.get("part") else 200
