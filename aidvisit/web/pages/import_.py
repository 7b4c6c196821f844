"""A list by page: choose the file, see its columns, see what becomes of each row, take all of it or nothing."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from aidvisit.domain.fold import Body
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.services import import_job as service
from aidvisit.services.sheet.places import short_name
from aidvisit.services.sync import current_settings
from aidvisit.store.database import reading
from aidvisit.store.queries.account import teams
from aidvisit.store.queries.catalog import divisions, items
from aidvisit.store.uploads import Upload
from aidvisit.web import auth
from aidvisit.web.forms import texts
from aidvisit.web.import_words import MEANINGS

blueprint = Blueprint("imports", __name__, url_prefix="/import")

PAGE = 100
"""Rows of a preview that one page shows."""
SHOWS = ("all", "new", "changed", "same", "refused", "offered", "asked")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.route("", methods=["GET", "POST"], endpoint="page")
def page() -> ResponseReturnValue:
    """Choose a file, or go on with one."""
    problem = None
    if request.method == "POST":
        file = request.files.get("file")
        try:
            raw = file.read() if file else b""
            name = (file.filename if file else None) or "list"
            return _to(service.keep(raw, name, owner=auth.actor(), places=_places()))
        except Problem as raised:
            problem = raised
    shown = render_template("import/page.html", lists=service.lists(auth.actor()), problem=problem)
    return shown, problem.status if problem else 200


@blueprint.get("/<upload>", endpoint="one")
def one(upload: str) -> str:
    """Whatever comes next: how far it is, its columns, what becomes of each row, or what was done."""
    found, shown, progress = service.state(upload, owner=auth.actor())
    if progress is not None:
        return render_template("import/working.html", upload=found, progress=progress)
    if found.step == "done":
        return render_template("import/done.html", upload=found, **_rows(shown), shown=shown)
    if found.step == "preview" and "columns" not in request.args:
        return render_template("import/preview.html", upload=found, **_rows(shown), **_answers(shown), shown=shown)
    return _columns(found, shown)


def _columns(found: Upload, shown: dict[str, Any]) -> str:
    with reading() as conn:
        known = items(conn)
        working = teams(conn, g.scope)
        villages = _villages(conn, found, shown)
    return render_template(
        "import/columns.html", upload=found, shown=shown, said=found.said, meanings=MEANINGS, items=known,
        teams=working if current_settings().role == "central" else [], villages=villages,
        sheets=shown.get("columns") or [], central=current_settings().role == "central",
    )  # fmt: skip


def _answers(shown: dict[str, Any]) -> dict[str, Any]:
    """What can be answered beside the rows: `asked` is (sheet's place, question) by what it is about."""
    result = shown.get("result", {})
    sheets = [one["sheet"] for one in shown.get("columns") or []]
    asked: dict[str, list[tuple[int, Body]]] = {"team": [], "date": [], "item": [], "village": []}
    for one in [*result.get("waiting", []), *result.get("questions", [])]:
        if one["about"] in asked:
            asked[one["about"]].append((sheets.index(one["sheet"]) if one["sheet"] in sheets else 0, one))
    with reading() as conn:
        working = teams(conn, g.scope) if asked["team"] else []
        known = items(conn) if asked["item"] else {}
    return {"asked": asked, "teams": working, "items": known, "central": current_settings().role == "central"}


@blueprint.post("/<upload>/answers", endpoint="answers")
def answers(upload: str) -> ResponseReturnValue:
    """What a preview asked is said; then every row is looked at again, and what was said is remembered on saving."""
    found, shown, progress = service.state(upload, owner=auth.actor())
    if progress is None:
        said = dict(found.said)
        said["villages"] = said.get("villages", {}) | texts("village")
        said |= {name: text for name in ("date", "goods") if (text := request.form.get(name, "").strip())}
        if team := _own_team(request.form.get("team", "")):
            said["team"] = team
        layouts = said.get("layouts", {})
        sheets = [one["sheet"] for one in shown.get("columns") or []]
        for name, meaning in texts("item").items():
            place, _, column = name.partition(".")
            if place.isdecimal() and int(place) < len(sheets) and _is_meaning(meaning):
                layout = layouts.get(sheets[int(place)], {})
                if column in layout.get("columns", {}):
                    layout["columns"][column] = meaning
        service.begin(upload, "preview", owner=auth.actor(), places=_places(), said=said)
    return _to(upload)


def _own_team(identity: str) -> str:
    """The team, where it is one's own to send; else nothing."""
    with reading() as conn:
        return identity if identity in {team.id for team in teams(conn, g.scope)} else ""


def _villages(conn: Any, found: Upload, shown: dict[str, Any]) -> list[Body]:
    """Natural villages that nobody knows, or that somebody said more of: each with those that it may belong to."""
    asked = [one for one in _questions(shown) if one["about"] == "village"]
    said: dict[str, str] = found.said.get("villages", {})
    for name in said.keys() - {one["key"] for one in asked}:
        rows = divisions(conn, said[name][:9])
        asked.append(
            {"key": name, "options": [f"{row.code} {short_name(row.name)}" for row in rows if len(row.code) == 12]}
        )
    return asked


def _questions(shown: dict[str, Any]) -> list[Body]:
    asked = shown.get("result", {}).get("questions", [])
    return [*asked, *shown.get("problem", {}).get("questions", [])]


@blueprint.post("/<upload>/columns", endpoint="columns")
def columns(upload: str) -> ResponseReturnValue:
    """What the columns mean, where the rows are and when; then every row is looked at."""
    found, shown, progress = service.state(upload, owner=auth.actor())
    if progress is None:
        said = found.said | {name: request.form.get(name, "").strip() for name in ("division", "trip", "date", "team")}
        said["team"] = _own_team(said["team"])
        said["goods"] = request.form.get("goods", "")
        said["layouts"] = _layouts(shown.get("columns") or [])
        said["villages"] = texts("village")
        service.begin(upload, "preview", owner=auth.actor(), places=_places(), said=said)
    return _to(upload)


def _layouts(sheets: list[dict[str, Any]]) -> dict[str, Any]:
    """As they are remembered: by sheet, its kind and the meaning of each column."""
    found = {}
    for place, sheet in enumerate(sheets):
        if not sheet["columns"]:
            continue
        names = (str(one["column"]) for one in sheet["columns"])
        columns = {name: request.form.get(f"column.{place}.{name}") or "ignored" for name in names}
        known = {name: meaning for name, meaning in columns.items() if _is_meaning(meaning)}
        kind = request.form.get(f"kind.{place}", "")
        found[sheet["sheet"]] = {"kind": kind if kind in ("households", "people") else "skip", "columns": known}
    return found


def _is_meaning(text: str) -> bool:
    return text in MEANINGS or text == "item" or text.startswith("item:")


@blueprint.post("/<upload>/matches", endpoint="matches")
def matches(upload: str) -> ResponseReturnValue:
    """Which rows belong to which household; then every row is looked at again."""
    found, shown, progress = service.state(upload, owner=auth.actor())
    if progress is None:
        chosen = {(sheet, row): key for sheet, row, key in found.said.get("accepted", [])}
        sheets = [one["sheet"] for one in shown.get("result", {}).get("sheets", [])]
        for name, key in texts("take").items():
            place, _, row = name.partition(".")
            if place.isdecimal() and row.isdecimal() and int(place) < len(sheets):
                chosen[sheets[int(place)], int(row)] = key
        said = found.said | {"accepted": [[sheet, row, key] for (sheet, row), key in chosen.items()]}
        if "sure" in request.form:
            said["accept_sure"] = request.form["sure"] == "yes"
        service.begin(upload, "preview", owner=auth.actor(), places=_places(), said=said)
    return _to(upload)


@blueprint.post("/<upload>/save", endpoint="save")
def save(upload: str) -> ResponseReturnValue:
    """All of it, or nothing."""
    found, _, progress = service.state(upload, owner=auth.actor())
    if progress is None and found.step == "preview":
        service.begin(upload, "done", owner=auth.actor(), places=_places())
    return _to(upload)


@blueprint.post("/<upload>/refused", endpoint="refused")
def refused(upload: str) -> ResponseReturnValue:
    """The rows that are not taken, as a spreadsheet to mend; it goes out, so the audit knows."""
    file = service.refused_file(upload, owner=auth.actor())
    audit.record(auth.actor(), audit.EXPORT, detail="import-refused")
    return send_file(BytesIO(file), mimetype=XLSX, as_attachment=True, download_name="refused.xlsx")


@blueprint.post("/<upload>/drop", endpoint="drop")
def drop(upload: str) -> ResponseReturnValue:
    """Give a list up: its file goes."""
    service.drop(upload, owner=auth.actor())
    return redirect(url_for("imports.page"), 303)


def _rows(shown: dict[str, Any]) -> dict[str, Any]:
    """The rows of one page of a preview, how many there are of each sort, and where the next page begins."""
    rows = shown.get("rows", [])
    counts = {name: sum(map(_chosen(name), rows)) for name in SHOWS}
    show = request.args.get("show", "")
    if show not in SHOWS:
        show = next((name for name in ("refused", "offered", "changed") if counts[name]), "all")
    text = request.args.get("after", "0")
    after = int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0
    listed = [row for row in rows if _chosen(show)(row)]
    sheets = [one["sheet"] for one in shown.get("result", {}).get("sheets", [])]
    return {
        "rows": listed[after : after + PAGE], "counts": counts, "show": show, "after": after, "sheets": sheets,
        "more": after + PAGE if len(listed) > after + PAGE else None, "questions": _questions(shown),
    }  # fmt: skip


def _chosen(show: str) -> Any:
    if show == "all":
        return lambda _row: True
    if show in ("offered", "asked"):
        key = {"offered": "offers", "asked": "asks"}[show]
        return lambda row: bool(row[key]) and row["state"] != "refused"
    return lambda row: row["state"] == show


def _places() -> tuple[str, ...] | None:
    return None if g.scope.everything else tuple(g.scope.divisions)


def _to(upload: str) -> ResponseReturnValue:
    return redirect(url_for("imports.one", upload=upload), 303)
