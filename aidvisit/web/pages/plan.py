"""A trip's plan: when, where and who, what each household is to get, and the steps until it goes to its laptops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.domain import money
from aidvisit.domain.allotment import Line, Rule
from aidvisit.errors import Problem
from aidvisit.services import plan as service
from aidvisit.services import sync
from aidvisit.services import trip as facts
from aidvisit.store.database import reading
from aidvisit.store.queries import account, catalog, progress
from aidvisit.store.queries import household as households
from aidvisit.store.queries import plan as queries
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.catalog import ItemName
from aidvisit.store.queries.plan import Plan
from aidvisit.store.queries.trip import TripHead
from aidvisit.web import trip_forms
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.forms import at_fields, read
from aidvisit.web.pages.people import mine
from aidvisit.web.pages.team import ticked
from sync.op import is_uuid, uuid7

blueprint = Blueprint("plans", __name__)
central = Blueprint("releases", __name__)

FIELDS = ("title", "starts", "ends", "team", "divisions", "tour", "distance_km", "note")
ELSEWHERE = {"unknown-trip", "unknown-household", "not-permitted", "not-allowed"}
FEW = 80
"""So many households are one table; of more, each village group is one."""


@blueprint.route("/trips/add", methods=["GET", "POST"], endpoint="add")
def add() -> ResponseReturnValue:
    """A new trip: its days, its team, its villages."""
    day = day_of(None)
    now = {"title": "", "starts": day, "ends": day, "team": g.user.team, "divisions": [], "trip": uuid7()}

    def save(values: dict[str, Any]) -> str:
        identity = request.form.get("trip", "")
        facts.plan(actor=mine()["actor"], trip=identity if is_uuid(identity) else uuid7(), **values)
        return identity

    return _form(None, now, save)


@blueprint.route("/trips/<trip>/edit", methods=["GET", "POST"], endpoint="edit")
def edit(trip: str) -> ResponseReturnValue:
    """Raises: Problem `unknown-trip`."""
    head = _head(trip)
    now = {name: getattr(head, name) for name in ("title", "starts", "ends", "team", "divisions", "note", "tour")}
    now["distance"] = head.distance_km

    def save(values: dict[str, Any]) -> str:
        service.update(trip=trip, values=values, seen=request.form.get("seen"), today=day_of(None), **mine())
        return trip

    return _form(trip, now, save)


def _form(trip: str | None, now: dict[str, Any], save: Callable[[dict[str, Any]], str]) -> ResponseReturnValue:
    """Codes that were typed are shown with their names before they are saved."""
    problem, typed = None, now
    if request.method == "POST":
        known, unknown = ticked(now["divisions"])
        typed = {**request.form.to_dict(), "divisions": known, "more": " ".join(unknown)}
        try:
            if unknown:
                words = f"目录里没有 {'、'.join(unknown)}。 / The catalogue has no {', '.join(unknown)}."
                raise Problem("invalid-form", count=1, errors={"more": [words]})
            if "look" not in request.form:
                saved = save(_values(known))
                send_soon()
                return redirect(url_for("plans.page", trip=saved), 303)
        except Problem as raised:
            if raised.name in ELSEWHERE:
                raise
            problem = raised
    with reading() as conn:
        teams = [one for one in account.teams(conn, g.scope) if _ours(one.id)]
        places = catalog.names_of(conn, typed["divisions"])
        offered = [each for each in catalog.divisions(conn) if len(each.code) >= 9 and g.scope.place(each.code)]
    page = render_template(
        "plan/form.html", problem=problem, errors=at_fields(problem), typed=typed, trip=trip, teams=teams,
        places=places, offered=offered, seen=service.in_view(trip, FIELDS) if trip else "",
    )  # fmt: skip
    return page, problem.status if problem else 200


def _values(divisions: list[str]) -> dict[str, Any]:
    """Raises: Problem `invalid-form`."""
    form = read(trip_forms.TripForm)
    if not divisions:
        words = "请至少选一个村或乡镇。 / Choose at least one village or town."
        raise Problem("invalid-form", count=1, errors={"more": [words]})
    outside = [code for code in divisions if not g.scope.place(code)]
    if outside:
        raise Problem("place-outside", code=outside[0])
    if not _ours(form["team"]):
        raise Problem("unknown-team", team=form["team"])
    values: dict[str, Any] = {name: form[name] for name in ("title", "starts", "ends", "team")}
    values |= {"divisions": divisions, "tour": form["tour"] or None, "note": form["note"] or None}
    return values | {"distance_km": int(form["distance"]) if form["distance"] else None}


def _ours(team: str) -> bool:
    """A laptop knows every team by name, and plans for its people's own."""
    field = sync.current_settings().role == "field"
    return bool(team == g.user.team if field else g.scope.team(team))


@blueprint.route("/trips/<trip>/plan", methods=["GET", "POST"], endpoint="page")
def page(trip: str) -> ResponseReturnValue:
    """Who gets what, as a table to type into. Raises: Problem `unknown-trip`."""
    if request.method == "GET":
        return _page(trip, None)
    return _taking(trip, lambda: _save_lines(trip))


def _save_lines(trip: str) -> str:
    with reading() as conn:
        items = catalog.items(conn)
    changed = service.change(trip=trip, lines=trip_forms.lines(items), today=day_of(None), **mine())
    return url_for("plans.page", trip=trip, group=request.form.get("group"), changed=changed)


@blueprint.post("/trips/<trip>/step", endpoint="step")
def step(trip: str) -> ResponseReturnValue:
    """Lock the plan, or approve it. Raises: Problem `unknown-trip`."""

    def take() -> str:
        if request.form.get("step") == "approve":
            service.approve(trip=trip, note=request.form.get("note") or None, today=day_of(None), **mine())
        else:
            service.lock(trip=trip, today=day_of(None), **mine())
        return url_for("plans.page", trip=trip)

    return _taking(trip, take)


def _taking(trip: str, take: Callable[[], str]) -> ResponseReturnValue:
    try:
        there = take()
    except Problem as problem:
        if problem.name in ELSEWHERE:
            raise
        return _page(trip, problem), problem.status
    send_soon()
    return redirect(there, 303)


def _page(trip: str, problem: Problem | None) -> str:
    plan = _plan(trip)
    groups = plan.groups
    asked = request.values.get("group")
    group = asked if asked in groups else (next(iter(groups), "") if len(plan.households) > FEW else None)
    shown = [one for one in plan.households if group is None or one.group == group]
    with reading() as conn:
        items = catalog.items(conn)
        names = catalog.categories(conn)
    columns = [line.item for line in plan.items]
    more = request.values.get("item", "")
    if more in items and more not in columns:
        columns.append(more)
    return render_template(
        "plan/page.html", plan=plan, shown=shown, group=group, groups=groups, columns=columns, items=items,
        names=names, problem=problem, errors=at_fields(problem), changed=request.args.get("changed", type=int),
        day=day_of(None),
    )  # fmt: skip


@blueprint.route("/trips/<trip>/rules", methods=["GET", "POST"], endpoint="rules")
def rules(trip: str) -> ResponseReturnValue:
    """By rules: what they would change is shown before it is saved. Raises: Problem `unknown-trip`."""
    problem, changes, used = None, None, service.rules(trip)
    plan = _plan(trip)
    with reading() as conn:
        items, names = catalog.items(conn), catalog.category_names(conn)
    replace = request.form.get("replace") == "yes"
    if request.method == "POST":
        try:
            used = trip_forms.rules(items)
            changes = service.by_rules(trip=trip, rules=used, replace=replace, today=day_of(None), scope=g.scope)
            if "save" in request.form:
                changed = service.change(trip=trip, lines=changes, today=day_of(None), **mine())
                send_soon()
                return redirect(url_for("plans.page", trip=trip, changed=changed), 303)
        except Problem as raised:
            if raised.name in ELSEWHERE:
                raise
            problem = raised
    page = render_template(
        "plan/rules.html", plan=plan, items=items, names=names, problem=problem, errors=at_fields(problem),
        typed=_typed(used, items) if problem is None else request.form, rows=trip_forms.ROWS, replace=replace,
        sums=None if changes is None else _sums(plan, changes), changes=changes,
    )  # fmt: skip
    return page, problem.status if problem else 200


def _typed(used: list[Rule], items: Mapping[str, ItemName]) -> dict[str, str]:
    typed: dict[str, str] = {}
    for row, rule in enumerate(used):
        cash = rule.item in items and items[rule.item].unit == "fen"
        typed |= {f"item.{row}": rule.item, f"category.{row}": rule.category or "", f"from.{row}": str(rule.from_size)}
        typed[f"quantity.{row}"] = money.yuan(rule.quantity) if cash else str(rule.quantity)
    return typed


def _sums(plan: Plan, changes: list[Line]) -> dict[str, int]:
    """What all get of each item after these changes."""
    sums = {line.item: line.allotted for line in plan.items}
    present = {(one.id, item): quantity for one in plan.households for item, quantity in one.allotted.items()}
    for household, item, quantity in changes:
        sums[item] = sums.get(item, 0) + quantity - present.get((household, item), 0)
    return sums


@blueprint.route("/households/<household>/allot", methods=["GET", "POST"], endpoint="allot")
def allot(household: str) -> ResponseReturnValue:
    """One household by hand, on any trip that is not closed. Raises: Problem `unknown-household`, `unknown-trip`."""
    with reading() as conn:
        view = households.household(conn, household, g.scope) if is_uuid(household) else None
        if view is None:
            raise Problem("unknown-household")
        items = catalog.items(conn)
        open_trips = [one for one in trips.trips(conn, g.scope) if one.status != "closed"]
        chosen = request.values.get("trip") or (open_trips[0].id if open_trips else "")
        share = progress.share(conn, chosen, view.id) if is_uuid(chosen) else None
    problem = None
    if request.method == "POST" and "look" not in request.form:
        try:
            service.change(trip=chosen, lines=trip_forms.lines(items), today=day_of(None), **mine())
            send_soon()
            return redirect(url_for("plans.page", trip=chosen, changed=1), 303)
        except Problem as raised:
            if raised.name in ELSEWHERE:
                raise
            problem = raised
    page = render_template(
        "plan/allot.html", household=view, trips=open_trips, chosen=chosen, items=items, problem=problem,
        held=share.allotted if share else {},
        errors=at_fields(problem),
    )  # fmt: skip
    return page, problem.status if problem else 200


@central.route("/trips/<trip>/release", methods=["GET", "POST"], endpoint="page")
def release(trip: str) -> ResponseReturnValue:
    """Which laptop takes which groups. Raises: Problem `unknown-trip`."""
    plan, problem = _plan(trip), None
    devices = _devices(plan)
    if request.method == "POST":
        try:
            service.release(trip=trip, devices=devices, today=day_of(None), **mine())
            return redirect(url_for("plans.page", trip=trip), 303)
        except Problem as raised:
            if raised.name in ELSEWHERE:
                raise
            problem = raised
    with reading() as conn:
        laptops = [row for row in account.device_rows(conn, g.scope) if not row.revoked]
    page = render_template(
        "plan/release.html", plan=plan, laptops=laptops, devices=devices, problem=problem, errors=at_fields(problem)
    )
    return page, problem.status if problem else 200


def _devices(plan: Plan) -> Mapping[str, list[str]]:
    """As chosen: a laptop with all groups is said to carry all, whichever come later; before that, as released."""
    if request.method == "GET":
        return {device: list(groups) for device, groups in plan.releases.items()}
    chosen = {}
    for device in request.form.getlist("device"):
        groups = [group for group in plan.groups if group in request.form.getlist(f"group.{device}")]
        chosen[device] = [] if len(groups) in (0, len(plan.groups)) else groups
    return chosen


def _plan(trip: str) -> Plan:
    with reading() as conn:
        found = queries.plan(conn, trip, day_of(None), g.scope) if is_uuid(trip) else None
    if found is None:
        raise Problem("unknown-trip")
    return found


def _head(trip: str) -> TripHead:
    with reading() as conn:
        found = trips.trip(conn, trip, g.scope) if is_uuid(trip) else None
    if found is None:
        raise Problem("unknown-trip")
    return found
