"""Households that may be one: side by side, merged or told apart, and taken back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import pair as service
from aidvisit.store.database import reading
from aidvisit.store.queries import comparison
from aidvisit.store.queries import household as households
from aidvisit.store.queries import pair as queries
from aidvisit.store.queries import search as searching
from aidvisit.store.queries.alias import of_one
from aidvisit.store.queries.comparison import Side
from aidvisit.store.queries.pair import Pair
from aidvisit.store.queries.verdict import verdicts
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.forms import MergeManyForm, PairForm, UndoForm, read
from sync.op import is_uuid

blueprint = Blueprint("pairs", __name__, url_prefix="/duplicates")

PAGE = 10
MANY = 50


@blueprint.get("", endpoint="page")
def page(problem: Problem | None = None) -> str:
    """The likeliest pairs first, ten at a time, each side by side; below them what was said last."""
    after = _place(request.values.get("after", ""))
    with reading() as conn:
        likely = service.likely(conn, g.scope)
        left = [pair for pair in likely if after is None or pair.place > after]
        still = queries.still(conn, [pair.ids for pair in left[:PAGE]], g.scope)
        shown = [(pair, *(comparison.side(conn, one, g.scope) for one in pair.ids)) for pair in still]
        said = verdicts(conn, g.scope)
    last = left[PAGE - 1] if len(left) > PAGE else None
    return render_template(
        "pair/page.html", shown=shown, count=len(likely), sure=sum(pair.sure for pair in likely), said=said,
        after=request.values.get("after", ""), next=_key(last) if last else "", problem=problem, typed=request.form,
        done=request.args.get("done", ""), merged=request.args.get("merged", 0, type=int),
        left=request.args.get("left", 0, type=int),
    )  # fmt: skip


@blueprint.post("", endpoint="settle")
def settle() -> ResponseReturnValue:
    """Merge one pair, or say that they are two. Raises: Problem `unknown-household`."""
    try:
        form = read(PairForm)
        one, other = form["one"], form["other"]
        if form["decision"] == "different":
            service.tell_apart(actor=auth.actor(), one=one, other=other, scope=g.scope)
        else:
            gone = other if form["stays"] == one else one
            service.merge(actor=auth.actor(), household=gone, into=form["stays"], reason=form["reason"], scope=g.scope)
    except Problem as problem:
        if problem.name != "invalid-form":
            raise
        if "chosen" in request.form:
            return compare(request.form.get("one", ""), request.form.get("other", ""), problem)
        return page(problem), problem.status
    send_soon()
    return redirect(url_for("pairs.page", after=request.form.get("after") or None, done=form["decision"]), 303)


@blueprint.post("/undo", endpoint="undo")
def undo() -> ResponseReturnValue:
    """Take back a merge, or that two were told apart. Raises: Problem `invalid-form`, `unknown-household`."""
    form = read(UndoForm)
    if form["other"]:
        service.take_back(actor=auth.actor(), one=form["household"], other=form["other"], scope=g.scope)
    else:
        service.unmerge(actor=auth.actor(), household=form["household"], reason=form["reason"], scope=g.scope)
    send_soon()
    if request.form.get("back") == "household":
        return redirect(url_for("household.page", household=form["household"]), 303)
    return redirect(url_for("pairs.page", done="undone"), 303)


@blueprint.route("/of/<household>", methods=["GET", "POST"], endpoint="choose")
def choose(household: str) -> str:
    """Another household for this one, which nobody found alike: by a search. Raises: Problem `unknown-household`."""
    text = request.form.get("q", "").strip()[:100]
    with reading() as conn:
        view = households.household(conn, household, g.scope) if is_uuid(household) else None
        if view is None:
            raise Problem("unknown-household")
        result = searching.search(conn, text, scope=g.scope) if text else None
        itself = of_one(conn, household).all(household)
    found = [one for one in result.found if one.id not in itself] if result else []
    return render_template("pair/choose.html", household=view, q=text, result=result, found=found)


@blueprint.get("/of/<household>/<twin>", endpoint="compare")
def compare(household: str, twin: str, problem: Problem | None = None) -> ResponseReturnValue:
    """Any two households side by side, to be merged or told apart. Raises: Problem `unknown-household`."""
    with reading() as conn:
        asked = [one for one in (household, twin) if is_uuid(one)]
        sides = [side for one in asked if (side := comparison.side(conn, of_one(conn, one).of(one), g.scope))]
    if len(sides) < 2:
        raise Problem("unknown-household")
    if sides[0].view.id == sides[1].view.id:
        return redirect(url_for("household.page", household=sides[0].view.id), 303)
    page = render_template(
        "pair/compare.html", one=sides[0], other=sides[1], problem=problem, typed=request.form, chosen=True
    )
    return page, problem.status if problem else 200


@blueprint.get("/many", endpoint="many")
def many(problem: Problem | None = None) -> str:
    """Pairs beyond doubt as one list to confirm: same ID number, same name, same village."""
    with reading() as conn:
        sure = [pair for pair in service.likely(conn, g.scope) if pair.sure]
        still = queries.still(conn, [pair.ids for pair in sure[:MANY]], g.scope)
        sides = {one: comparison.side(conn, one, g.scope) for pair in still for one in pair.ids}
        lines = _earliest([sides[one] for one in pair.ids] for pair in still if pair.sure)
    return render_template(
        "pair/many.html", lines=lines, count=len(sure), problem=problem, typed=request.form,
        chosen=request.form.getlist("pair") if problem else None,
    )  # fmt: skip


@blueprint.post("/many", endpoint="merge_many")
def merge_many() -> ResponseReturnValue:
    """Merge all that are ticked, each later one into the one that was registered first."""
    try:
        reason = read(MergeManyForm)["reason"]
        chosen = [_ids(text) for text in request.form.getlist("pair")]
        right = [each for each in chosen if each is not None]
        if not right:
            raise Problem("invalid-form", count=1, errors={"pair": ["请先勾选。 / Tick some first."]})
        merged, left = service.merge_many(actor=auth.actor(), chosen=right, reason=reason, scope=g.scope)
    except Problem as problem:
        if problem.name != "invalid-form":
            raise
        return many(problem), problem.status
    send_soon()
    return redirect(url_for("pairs.page", done="many", merged=merged, left=left), 303)


def _earliest(pairs: Iterable[Iterable[Side | None]]) -> list[tuple[Side, Side]]:
    """(stays, goes): the one that was registered first, also of three."""
    found: dict[str, tuple[Side, Side]] = {}
    for pair in pairs:
        stays, goes = sorted(filter(None, pair), key=_age)
        before = found.get(goes.view.id)
        if before is None or _age(stays) < _age(before[0]):
            found[goes.view.id] = stays, goes
    return list(found.values())


def _age(side: Side) -> tuple[datetime, str]:
    return side.parts[0].registered.at, side.view.id


def _key(pair: Pair) -> str:
    return f"{pair.score}/{pair.first}/{pair.second}"


def _place(text: str) -> tuple[int, str, str] | None:
    score, _, rest = text.partition("/")
    ids = _ids(rest)
    return (-int(score), *ids) if ids and score.isascii() and score.isdigit() and len(score) < 4 else None


def _ids(text: str) -> tuple[str, str] | None:
    """`<household>/<household>`, as it stands in forms and addresses."""
    one, _, other = text.partition("/")
    return (one, other) if is_uuid(one) and is_uuid(other) else None
