"""Paper day (补录): a trip's list as one page; what was signed on paper is ticked, photographed and saved at once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from aidvisit.domain.numbers import spans
from aidvisit.errors import Problem
from aidvisit.services import paper_day as service
from aidvisit.services.draft import Draft
from aidvisit.services.paper_day import PaperDay
from aidvisit.store.database import reading
from aidvisit.store.queries import account, catalog, custody
from aidvisit.store.queries import delivery as deliveries
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.roster import RosterRow, roster
from aidvisit.store.queries.trip import TripHead
from aidvisit.web import auth, drafts, paper_form, photos
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.forms import at_fields, read, texts, together
from aidvisit.web.paper_form import PaperForm
from sync import log
from sync.op import is_uuid, uuid7

blueprint = Blueprint("paper_day", __name__)

SHEETS = 3
"""Printed sheets that one page shows: a form has no more than a thousand fields."""


@blueprint.route("/trips/<trip>/paper-day", methods=["GET", "POST"], endpoint="page")
def page(trip: str) -> ResponseReturnValue:
    """Raises: Problem `unknown-trip`."""
    with reading() as conn:
        head = trips.trip(conn, trip, g.scope) if is_uuid(trip) else None
        listed = roster(conn, trip, g.scope) if head else []
    if head is None:
        raise Problem("unknown-trip")
    if done := drafts.taken(_form(trip)):
        return done
    if request.method != "POST":
        return _page(head, listed, None)
    try:
        return _save(head, listed)
    except Problem as problem:
        if problem.name == "unknown-trip":
            raise
        return _page(head, listed, problem), problem.status


def _form(trip: str) -> str:
    return f"paper-day:{trip}"


def _save(head: TripHead, listed: list[RosterRow]) -> ResponseReturnValue:
    with reading() as conn:
        items = catalog.items(conn)
    form, rows, sheets = together(
        lambda: read(PaperForm), lambda: paper_form.rows(_sent(listed), items), paper_form.sheets
    )
    witness = {"name": form["witness_name"], "role": form["witness_role"]} if form["witness_name"] else {}
    paper = PaperDay(
        form=form["form"], trip=head.id, date=form["date"], rows=rows, sheets=sheets,
        handed_by=request.form.getlist("handed_by"), witness=witness, method=form["method"],
        cash=frozenset(code for code, item in items.items() if item.unit == "fen"), reasons=texts("reason"),
    )  # fmt: skip
    service.record(paper, actor=auth.actor(), today=day_of(None), scope=g.scope)
    drafts.done(_form(head.id))
    send_soon()
    return redirect(url_for("paper_day.page", trip=head.id, part=_part(), saved=len(rows)), 303)


def _sent(listed: list[RosterRow]) -> list[RosterRow]:
    """The rows that this form showed; one that was sent again is not served anew, its rows are those of before."""
    return [row for row in listed if f"note.{row.stop.household}" in request.form]


def _part() -> int:
    """Which part of a long list is shown, from 1."""
    text = request.values.get("part", "1")
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 4 and int(text) else 1


def _page(head: TripHead, listed: list[RosterRow], problem: Problem | None) -> str:
    held = drafts.kept(_form(head.id)) if problem is None else None
    parts = max((row.sheet - 1) // SHEETS + 1 for row in listed) if listed else 1
    part = min(_part(), parts)
    shown = [row for row in listed if (row.sheet - 1) // SHEETS + 1 == part]
    with reading() as conn:
        if held is not None and _was_saved(conn, held, shown):
            held = None
        sent = drafts.sent(held) if problem is None else request.form
        items = catalog.items(conn)
        hands = deliveries.hands_of_day(conn, log.own(conn), _only_day(head) or day_of(head))
        people = account.users(conn, head.team or g.user.team)
        kept = custody.of_trip(conn, head.id)
    return render_template(
        "delivery/paper_day.html", trip=head, rows=shown, items=items, people=people, kept=kept,
        typed=_as_sent(sent) if sent else _first(head, hands), sent=sent, sheets=_sheets(shown, sent),
        every="all" in request.args and not sent, problem=problem, errors=at_fields(problem), draft=held,
        warnings=problem.members.get("warnings", []) if problem else [], part=part, parts=parts,
        cash=any(item in items and items[item].unit == "fen" for row in shown for item in row.stop.owed),
        lost=[f".{page}" for page in paper_form.pages(sent) if problem and photos.lost(f".{page}")],
        saved=request.args.get("saved", type=int), writes=head.status != "closed",
    )  # fmt: skip


def _was_saved(conn: Connection, held: Draft, shown: list[RosterRow]) -> bool:
    """Whether the draft's own form was saved after all: it was on its way to be kept."""
    form = drafts.sent(held).get("form", "")
    return is_uuid(form) and any(
        deliveries.saved(conn, made(form, row.stop.household))
        for row in shown
        for made in (service.delivery_of, service.visit_of)
        if row.stop.delivered or row.stop.visit
    )


def _only_day(head: TripHead) -> str:
    """A trip of one day happened on that day; of several, somebody says which."""
    return head.starts if head.starts == head.ends else ""


def _first(head: TripHead, hands: deliveries.Hands | None) -> dict[str, Any]:
    return {
        "form": uuid7(), "date": _only_day(head), "handed_by": hands.handed_by if hands else [auth.actor()],
        "witness_name": hands.witness_name if hands else "", "witness_role": hands.witness_role if hands else "",
    }  # fmt: skip


def _as_sent(sent: MultiDict[str, str]) -> dict[str, Any]:
    return {**sent.to_dict(), "handed_by": sent.getlist("handed_by")}


def _sheets(shown: list[RosterRow], sent: MultiDict[str, str]) -> list[dict[str, Any]]:
    """As typed; else as printed, those with somebody still to serve, and one more for what was written on another."""
    if sent:
        return [
            {"page": page, "rows": sent.get(f"rows.{page}", ""), "excused": sent.get(f"excused.{page}"),
             "photo": photos.kept(f".{page}")}
            for page in paper_form.pages(sent)
        ]  # fmt: skip
    printed = sorted({row.sheet for row in shown if row.stop.state != "done"})
    found = [
        {"page": one, "rows": spans(row.number for row in shown if row.sheet == one and row.stop.allotted)}
        for one in printed
    ]
    return [*found, {"page": max(row.sheet for row in shown) + 1, "rows": ""}] if found else []
