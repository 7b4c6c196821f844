"""Teams at the office: name, level, parent, and the divisions where a team works."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import account, people, reach
from aidvisit.store.database import reading
from aidvisit.store.queries import catalog
from aidvisit.store.queries import people as queries
from aidvisit.web.forms import TeamForm, codes, read
from aidvisit.web.pages.people import ELSEWHERE, mine, shown_form

blueprint = Blueprint("teams", __name__)

FIELDS = ("name", "level", "parent", "divisions")


@blueprint.route("/teams/add", methods=["GET", "POST"], endpoint="add")
def add() -> ResponseReturnValue:
    empty = {"name": "", "level": 3, "parent": request.args.get("parent", ""), "divisions": []}
    return _form(None, empty, lambda form: account.add_team(**form, **mine()))


@blueprint.route("/teams/<team>", methods=["GET", "POST"], endpoint="team")
def edit(team: str) -> ResponseReturnValue:
    """Raises: Problem `unknown-team`."""
    with reading() as conn:
        held = reach.team_within(conn, g.scope, team)

    def save(form: dict[str, Any]) -> str:
        people.update_team(team=team, seen=request.form.get("seen"), **form, **mine())
        return team

    values = {"name": held.name, "level": held.level, "parent": held.parent or "", "divisions": held.divisions}
    return _form(team, values, save)


def _form(team: str | None, now: dict[str, Any], save: Callable[[dict[str, Any]], str]) -> ResponseReturnValue:
    """Codes that were typed are shown with their names before they are saved, and those unknown are not taken."""
    problem, typed = None, now
    if request.method == "POST":
        known, unknown = ticked(now["divisions"])
        typed = {**request.form.to_dict(), "divisions": known, "more": " ".join(unknown)}
        try:
            if unknown:
                words = f"目录里没有 {'、'.join(unknown)}。 / The catalogue has no {', '.join(unknown)}."
                raise Problem("invalid-form", count=1, errors={"more": [words]})
            if "look" not in request.form:
                saved = save({**read(TeamForm), "divisions": known})
                return redirect(url_for("people.page", _anchor=f"team-{saved}"), 303)
        except Problem as raised:
            if raised.name in ELSEWHERE:
                raise
            problem = raised
    with reading() as conn:
        places = queries.named(conn, typed["divisions"])
        offered = [each for each in catalog.divisions(conn) if len(each.code) <= 9 and g.scope.place(each.code)]
        tops = queries.tree(conn, g.scope)
    return shown_form(
        "people/team.html", problem, typed, team=team, now=now, places=places, offered=offered,
        parents=list(_flat(tops, team)), free=g.scope.everything or (team is not None and not now["parent"]),
        seen=people.in_view("team", team, *FIELDS) if team else "",
    )  # fmt: skip


def ticked(held: Iterable[str]) -> tuple[list[str], list[str]]:
    """The codes of a form that may be taken, ticked (`divisions`) or typed (`more`); and those that nobody knows."""
    ticked, typed = request.form.getlist("divisions"), codes(request.form.get("more", ""))
    with reading() as conn:
        names = {place.code: place.name for place in queries.named(conn, {*ticked, *typed})}
    known = [code for code, name in names.items() if name or code in held]
    return known, [code for code in names if code not in known]


def _flat(views: Iterable[queries.TeamView], without: str | None, depth: int = 0) -> Iterator[tuple[int, str, str]]:
    """(depth, id, name) of the teams that may stand above another: not itself, and none below it."""
    for view in views:
        if view.team.id != without:
            yield depth, view.team.id, view.team.name
            yield from _flat(view.below, without, depth + 1)
