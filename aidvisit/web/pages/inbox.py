"""The office's inbox: everything that somebody should look at, oldest first; settled one by one, or many of a kind."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from aidvisit.domain import rights
from aidvisit.domain.inbox import KINDS
from aidvisit.errors import Problem
from aidvisit.services import inbox as service
from aidvisit.store import inbox as store
from aidvisit.store.database import reading
from aidvisit.store.queries import account
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.account import UserRow
from aidvisit.store.queries.inbox_view import Shown, shown
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.forms import at_fields, read
from aidvisit.web.inbox_forms import InboxAssignForm, InboxForm
from sync.op import is_uuid

central = Blueprint("inbox", __name__, url_prefix="/inbox")

NOBODY = "nobody"
MINE = "mine"
FILTERS = ("kind", "whose", "trip")
BACK_AT_FIELDS = ("invalid-form", "not-acceptable", "form-stale", "invalid-body", "settled-meanwhile")


@central.get("", endpoint="page")
def page(problem: Problem | None = None) -> ResponseReturnValue:
    """What waits, of a `kind`, of somebody (`whose`), of a `trip`; with `settled` what was settled, latest first.

    Raises: Problem `unknown-trip`.
    """
    asked = _asked()
    settled = request.values.get("settled", "") == "yes"
    behind = service.look()
    with reading() as conn:
        whose = {"": None, NOBODY: "", MINE: auth.actor()}[asked["whose"]]
        found, more = store.listed(
            conn, g.scope, kind=asked["kind"], assigned_to=whose, trip=asked["trip"], settled=settled,
            after=_place(request.args.get("after", "")),
        )  # fmt: skip
        items = shown(conn, found, g.scope)
        counts = store.counts(conn, g.scope, trip=asked["trip"])
        about_trip = trips.trip(conn, asked["trip"], g.scope) if asked["trip"] else None
        people = _people(conn) if auth.may("inbox.settle") else []
        before = _before(conn, problem)
    if asked["trip"] and about_trip is None:
        raise Problem("unknown-trip")
    last = found[-1] if more else None
    text = render_template(
        "inbox/page.html", items=items, counts=counts, kinds=KINDS, asked=asked, settled=settled, people=people,
        behind=behind, next=f"{last.settled_at if settled else last.since}/{last.id}" if last else "",
        about_trip=about_trip, before=before, problem=problem, errors=at_fields(problem), typed=request.form,
        done=_number(request.args.get("done", "")),
        query={name: value for name, value in asked.items() if value},
    )  # fmt: skip
    return text, problem.status if problem else 200


@central.post("", endpoint="settle")
def settle() -> ResponseReturnValue:
    """One item: what it is, and why. Raises: Problem `unknown-item`, `unknown-record`, `not-permitted`."""
    try:
        form = read(InboxForm)
        ids = _ids()
        done = service.settle(
            actor=auth.actor(), items=ids, verdict=form["verdict"], reason=form["reason"], scope=g.scope
        )  # fmt: skip
    except Problem as problem:
        if problem.name not in BACK_AT_FIELDS:
            raise
        return page(problem)
    send_soon()
    return _back(done=done)


@central.post("/many", endpoint="many")
def many() -> ResponseReturnValue:
    """Those that are ticked, of one kind: first what will be recorded, how often; then it is. Raises: as `settle`."""
    ids = _ids(empty_is_wrong=False)
    with reading() as conn:
        chosen = store.some(conn, ids, g.scope)
        found = [one for one in chosen if one.settled_at is None]
        kinds = {one.kind for one in found}
        verdicts = KINDS[found[0].kind].many if len(kinds) == 1 else ()
        sure = request.form.get("sure") == "yes"
        if not sure or (found and not verdicts) or not chosen:
            items = shown(conn, found, g.scope)
            return render_template("inbox/many.html", items=items, kinds=sorted(kinds), verdicts=verdicts, before=[],
                                   query=_query(), problem=None, errors={}, typed=request.form)  # fmt: skip
    try:
        form = read(InboxForm)
        done = service.settle(
            actor=auth.actor(), items=[one.id for one in chosen], verdict=form["verdict"], reason=form["reason"],
            scope=g.scope,
        )  # fmt: skip
    except Problem as problem:
        if problem.name not in BACK_AT_FIELDS:
            raise
        with reading() as conn:
            before = _before(conn, problem)
            left = [one for one in found if one.id not in {each.item.id for each in before}]
            items = shown(conn, left, g.scope)
        return render_template(
            "inbox/many.html", items=items, kinds=sorted(kinds), verdicts=verdicts, query=_query(), problem=problem,
            before=before, errors=at_fields(problem), typed=request.form,
        ), problem.status  # fmt: skip
    send_soon()
    return _back(done=done)


@central.post("/assign", endpoint="assign")
def assign() -> ResponseReturnValue:
    """Hand items to somebody, or back to nobody. Raises: Problem `unknown-item`, `unknown-user`, `invalid-form`."""
    user = read(InboxAssignForm)["user"]
    service.assign(actor=auth.actor(), items=_ids(), user=user or None, scope=g.scope)
    return _back()


def _back(**more: Any) -> ResponseReturnValue:
    values: dict[str, Any] = {**_query(), **more}
    return redirect(url_for("inbox.page", **values), 303)


def _before(conn: Connection, problem: Problem | None) -> list[Shown]:
    """What somebody else has settled meanwhile, by whom and how."""
    if problem is None or problem.name != "settled-meanwhile":
        return []
    return shown(conn, store.some(conn, problem.members["items"], g.scope), g.scope)


def _people(conn: Connection) -> list[UserRow]:
    """Who may settle, and is in this reader's teams."""
    return [
        one for one in account.users(conn)
        if one.active and rights.may(one.role, "inbox.settle") and g.scope.team(one.team)
    ]  # fmt: skip


def _ids(*, empty_is_wrong: bool = True) -> list[str]:
    ids = [one for one in request.form.getlist("item") if is_uuid(one)]
    if not ids and empty_is_wrong:
        raise Problem("unknown-item")
    return ids


def _asked() -> dict[str, str]:
    """Kind, whose and trip, as far as they are any."""
    asked = {name: request.values.get(name, "") for name in FILTERS}
    right = {
        "kind": asked["kind"] in KINDS, "whose": asked["whose"] in (NOBODY, MINE), "trip": is_uuid(asked["trip"]),
    }  # fmt: skip
    return {name: value if right[name] else "" for name, value in asked.items()}


def _query() -> dict[str, str]:
    return {name: value for name, value in _asked().items() if value}


def _place(text: str) -> tuple[str, str] | None:
    at, _, identity = text.rpartition("/")
    return (at, identity) if at and is_uuid(identity) else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
