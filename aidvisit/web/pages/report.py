"""The office's overview; reports for any period, place, team and donor; statements of a household and of a donor."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from aidvisit.domain.report import AXES, FEWEST, Axis
from aidvisit.domain.rights import Scope, may
from aidvisit.domain.selection import Selection, of_arguments
from aidvisit.errors import Problem
from aidvisit.services import audit, backup, charts, sync
from aidvisit.services import report as service
from aidvisit.store.database import reading
from aidvisit.store.queries import account, catalog, names
from aidvisit.store.queries import audit as looked
from aidvisit.store.queries import goods as stock
from aidvisit.store.queries import household as households
from aidvisit.store.queries.alias import of_one
from aidvisit.store.queries.overview import overview as overviewed
from aidvisit.store.queries.received import received
from aidvisit.store.queries.reporting import reporting
from aidvisit.store.queries.timeline import WHOLE, timeline
from aidvisit.web import auth
from aidvisit.web.audit_words import detail_words, role_words, what_words, who_words
from aidvisit.web.days import day_of
from aidvisit.web.files import days_words, streamed
from aidvisit.web.i18n import gettext
from aidvisit.web.pages.entries import selected
from aidvisit.web.places import choices
from aidvisit.web.report_words import axis_words, row_words
from sync.op import is_uuid

blueprint = Blueprint("report", __name__)
reports = Blueprint("reports", __name__)

ROWS = 200
"""Of a page; a file has all."""
DRAWN = 31
"""Days and villages that the overview shows; the report has all."""


@blueprint.get("/")
def overview() -> str:
    """Of the last year, unless the address says otherwise (`all` asks for everything, so does no delivery in it)."""
    asked, today, everything = selected(), day_of(None), "all" in request.args
    late = auth.may("backup.make") and backup.is_late(backup.state())
    with reading() as conn:
        view = overviewed(conn, g.scope)
        asked = asked if everything or asked.arguments else asked.but(from_=a_year_before(today))
        what = asked if request.args else "year"
        kept = charts.current(conn, what, g.scope, _counting(asked, g.scope, today))
        asked = kept.charts.whole.asked or asked
        kinds = ("warehouse", "fund", "held") if g.scope.everything else ("warehouse", "fund")
        stores = stock.stores(conn, kinds)
        return render_template(
            "report/overview.html", view=view, backup_late=late, kept=kept, charts=kept.charts, asked=asked,
            stores=stores, drawn=DRAWN,
            sums=catalog.quantities(catalog.items(conn), kept.charts.whole.figure.items), year=a_year_before(today),
            called=names.names(conn, asked, g.scope), fresh=reporting(conn, g.scope), row_words=row_words,
        )  # fmt: skip


def _counting(asked: Selection, scope: Scope, today: str) -> charts.Count:
    """The charts of a selection; of all there is where the year that is shown first has none."""
    fallback = not request.args

    def count(conn: Connection) -> service.Charts:
        found = service.charts(conn, asked, scope, today=today)
        if fallback and not found.whole.figure.times:
            return service.charts(conn, Selection(), scope, today=today)
        return found

    return count


def a_year_before(today: str) -> str:
    """The same day, or the 28th of February."""
    day = date.fromisoformat(today)
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day).isoformat()


@reports.get("/reports", endpoint="page")
def page() -> str:
    """What the address asks for, by one axis. Raises: Problem `not-found` for what cannot be asked."""
    asked, by, today = selected(), _axis(), day_of(None)
    if not request.args:
        asked = asked.but(from_=a_year_before(today))
    after = request.args.get("after", "")
    start = int(after) if after.isdecimal() and len(after) < 7 else 0
    with reading() as conn:
        found = service.report(conn, asked, by, g.scope, today=today)
        if not request.args and not found.whole.figure.times:  # as the overview: all there is
            asked = Selection()
            found = service.report(conn, asked, by, g.scope, today=today)
        return render_template(
            "report/report.html", report=found, asked=asked, rows=found.rows[start : start + ROWS], start=start,
            more=len(found.rows) > start + ROWS, next=start + ROWS, axes=AXES, axis_words=axis_words,
            row_words=row_words, called=names.names(conn, asked, g.scope), fresh=reporting(conn, g.scope),
            **_choices(conn, asked),
        )  # fmt: skip


@reports.post("/reports/file", endpoint="file")
def file() -> ResponseReturnValue:
    """All rows and the sum of all as .xlsx or .csv (`as`). Raises: Problem `not-found`."""
    try:
        asked = of_arguments(request.form)
    except ValueError:
        raise Problem("not-found") from None
    by, scope, today = _axis(), g.scope, day_of(None)
    with reading() as conn:
        found = service.report(conn, asked, by, scope, today=today)
    audit.record(auth.actor(), audit.EXPORT, rows=len(found.rows) + 1, detail="report")
    units = [f"{item.name} ({gettext('元') if item.unit == 'fen' else item.unit})" for item in found.items]
    counts = [gettext("户"), gettext("人"), gettext("人次"), gettext("价值(元)"), gettext("没有计入价值的")]
    header = [axis_words(by), gettext("编码"), *counts, *units]
    rows = [_cells(found, row) for row in found.rows]
    whole = [gettext("合计"), *_cells(found, found.whole)[1:]]
    return streamed(f"report-{by}{days_words(asked)}", gettext("报表"), header, [*rows, whole], lambda: None)


def _cells(found: service.Report, row: service.Row) -> list[object]:
    """Money in yuan; where nothing has a price there is no value, and where something has none it says so."""
    one = row.figure
    value = None if row.unpriced and not row.value_fen else row.value_fen / 100
    without = gettext("有没有单价的物资") if row.unpriced else ""
    amounts = [one.items.get(item.code, 0) / (100 if item.unit == "fen" else 1) for item in found.items]
    whole = [int(amount) if amount == int(amount) else amount for amount in amounts]
    return [row_words(found.by, row), row.key, one.households, one.persons, one.times, value, without, *whole]


@reports.get("/reports/donor", endpoint="donor")
def donor() -> str:
    """Where the goods of one donor went, with nobody's data. Raises: Problem `not-found`."""
    asked, today = selected(), day_of(None)
    with reading() as conn:
        donors = [one for one in catalog.places(conn) if one.kind == "donor"]
        statement = None
        if asked.donor:
            try:
                statement = service.donor_statement(conn, asked.donor, asked, g.scope, today=today)
            except LookupError:
                raise Problem("not-found") from None
        return render_template(
            "report/donor.html", statement=statement, donors=donors, asked=asked, today=today, fewest=FEWEST,
            fresh=reporting(conn, g.scope),
        )  # fmt: skip


@reports.post("/households/<household>/statement", endpoint="statement")
def statement(household: str) -> str:
    """All that one household received and what is held about it, to print and give to it. In the audit before it is
    shown; with full numbers (`in_full`) for who may see them. Raises: Problem `unknown-household`, `not-permitted`.
    """
    in_full = request.form.get("in_full") == "yes"
    if in_full and not may(g.user.role, "household.reveal"):
        raise Problem("not-permitted")
    today, scope = day_of(None), g.scope
    if not is_uuid(household):
        raise Problem("unknown-household")
    with reading() as conn:
        if households.household(conn, household, scope) is None:
            raise Problem("unknown-household")
    detail = "statement-in-full" if in_full else "statement"
    audit.record(auth.actor(), audit.EXPORT, rows=1, detail=detail, household=household)
    with reading() as conn:
        view = households.household(conn, of_one(conn, household).of(household), scope, revealed=in_full, on=today)
        view = view or households.household(conn, household, scope, revealed=in_full, on=today)
        past = timeline(
            conn, household, most=WHOLE, zone=sync.current_settings().zone, revealed=in_full,
        )  # fmt: skip
        got = received(conn, household)
        looks, more = looked.looks(conn, household, sync.current_settings().zone, WHOLE)
    return render_template(
        "report/statement.html", household=view, timeline=past, received=got, today=today, in_full=in_full,
        looks=looks, more_looks=more, who_words=who_words,
        what_words=what_words, role_words=role_words, detail_words=detail_words,
    )  # fmt: skip


def _axis() -> Axis:
    """Raises: Problem `not-found`."""
    by = request.values.get("by", "month")
    found = next((one for one in AXES if one == by), None)
    if found is None:
        raise Problem("not-found")
    return found


def _choices(conn: Connection, asked: Selection) -> dict[str, object]:
    """What the filters of a report can be set to."""
    return {
        "places": choices(conn, asked.division),
        "teams": account.teams(conn, g.scope),
        "items": catalog.items(conn),
        "categories": catalog.categories(conn),
        "donors": [one for one in catalog.places(conn) if one.kind == "donor"],
    }
