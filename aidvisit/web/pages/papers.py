"""The papers of a trip (名单): lists to sign and signed, cash, notices, what a village mends, the day in figures."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError, fields, validate, validates_schema

from aidvisit.domain.facts.fields import Date
from aidvisit.domain.rights import may
from aidvisit.errors import Problem
from aidvisit.services import paper_words
from aidvisit.services import papers as service
from aidvisit.services.papers import Kind
from aidvisit.services.sheet.paper import paper_pieces
from aidvisit.store.database import reading
from aidvisit.store.queries import custody, goods
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.roster import SHEET_ROWS, roster
from aidvisit.store.queries.trip import TripHead
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.forms import Form, at_fields, read
from sync.op import is_uuid

blueprint = Blueprint("papers", __name__)
field = Blueprint("rolls", __name__)

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
POSTED_DAYS = 7
"""How long a notice hangs, unless somebody says otherwise."""
NOTICES = ("before", "after")
FILES = ("roll-empty", "roll", "cash-empty", "cash")


class NoticeForm(Form):
    """From when until when a notice hangs, where, and whom to ring up who objects."""

    from_ = Date(required=True, data_key="from")
    until = Date(required=True)
    phone = fields.String(
        required=True, validate=validate.Regexp(r"[0-9+() -]{5,30}$", error="请填电话号码。 / Type a telephone number.")
    )
    office = fields.String(
        required=True, validate=validate.Length(1, 100, error="请填落款单位。 / Say which office posts it.")
    )

    @validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["until"] < data["from_"]:
            raise ValidationError("公示结束不能早于开始。 / A notice cannot end before it begins.", "until")


@field.get("/papers", endpoint="today")
def today() -> ResponseReturnValue:
    """The papers of the trip that Today shows. Raises: Problem `unknown-trip`."""
    with reading() as conn:
        head = trips.current(conn, day_of(None))
    if head is None:
        raise Problem("unknown-trip")
    return redirect(url_for("papers.page", trip=head.id), 303)


@blueprint.get("/trips/<trip>/papers", endpoint="page")
def page(trip: str) -> str:
    """What can be printed of a trip. Raises: Problem `unknown-trip`."""
    return _page(trip, None)


@blueprint.post("/trips/<trip>/papers", endpoint="paper")
def paper(trip: str) -> ResponseReturnValue:
    """One of them, for a printer or as a file (`as`). Raises: Problem `unknown-trip`, `not-found`."""
    kind = next((one for one in service.KINDS if one == request.form.get("what")), None)
    if kind is None:
        raise Problem("not-found")
    head, notice = _head(trip), {}
    try:
        notice = read(NoticeForm) if kind in NOTICES else {}
    except Problem as problem:
        return _page(trip, problem, kind), problem.status
    taken = service.take(auth.actor(), head.id, kind, today=day_of(None), scope=g.scope)
    send_soon()
    if request.form.get("as") == "xlsx" and kind in FILES:
        response = Response(paper_pieces(paper_words.table(taken)), content_type=EXCEL)
        response.headers["Content-Disposition"] = f'attachment; filename="{kind}-{head.starts}.xlsx"'
        return response
    template = "notice" if kind in NOTICES else "village" if kind == "village" else "roll"
    return render_template(f"papers/{template}.html", paper=taken, words=paper_words, notice=notice, rows=SHEET_ROWS)


@blueprint.get("/trips/<trip>/papers/summary", endpoint="summary")
def summary(trip: str) -> str:
    """The end of the day in figures, without a name. Raises: Problem `unknown-trip`."""
    with reading() as conn:
        found = goods.trip_goods(conn, trip, g.scope) if is_uuid(trip) else None
        if found is None:
            raise Problem("unknown-trip")
        listed = [row.stop for row in roster(conn, trip, g.scope)]
        kept = len(custody.of_trip(conn, trip))
    groups = {stop.group: [each for each in listed if each.group == stop.group] for stop in listed}
    return render_template(
        "papers/summary.html", goods=found, trip=found.trip, groups=groups, listed=listed, kept=kept, day=day_of(None)
    )


def _page(trip: str, problem: Problem | None, kind: Kind | None = None) -> str:
    head = _head(trip)
    with reading() as conn:
        listed = [row.stop for row in roster(conn, head.id, g.scope)]
        found = goods.trip_goods(conn, head.id, g.scope)
    slips = [one for one in found.papers if one.slip] if found else []
    day = day_of(None)
    first = {
        "from": day, "until": (date.fromisoformat(day) + timedelta(days=POSTED_DAYS)).isoformat(), "phone": "",
        "office": "",
    }  # fmt: skip
    return render_template(
        "papers/page.html", trip=head, listed=len(listed), slips=slips, problem=problem, errors=at_fields(problem),
        typed=request.form if problem else first, kind=kind, takes=may(g.user.role, "household.export"),
        sheets=-(-sum(1 for one in listed if one.allotted) // SHEET_ROWS),
    )  # fmt: skip


def _head(trip: str) -> TripHead:
    with reading() as conn:
        head = trips.trip(conn, trip, g.scope) if is_uuid(trip) else None
    if head is None:
        raise Problem("unknown-trip")
    return head
