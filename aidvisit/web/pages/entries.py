"""流水: the entries below a figure. What a figure's link asks for is what the figure sums."""

from __future__ import annotations

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue

from aidvisit.domain import place
from aidvisit.domain.selection import COLUMNS, Of, Selection, of_arguments
from aidvisit.errors import Problem
from aidvisit.services.export import take
from aidvisit.store.database import reading
from aidvisit.store.queries import catalog, entries
from aidvisit.store.queries.entries import Entry
from aidvisit.store.queries.names import Names, names
from aidvisit.web import auth
from aidvisit.web.days import day_of
from aidvisit.web.files import days_words, streamed
from aidvisit.web.i18n import gettext
from aidvisit.web.i18n import lazy as _

PLACES = {
    "warehouse": _("仓库"), "fund": _("资金"), "donor": _("捐赠方"), "held": _("代存"), "truck": _("车"),
    "gain": _("盘盈"), "loss": _("损耗"), "household": _("困难家庭"),
}  # fmt: skip
blueprint = Blueprint("entries", __name__, url_prefix="/entries")


def selected() -> Selection:
    """What the address of this request asks for. Raises: Problem `not-found`."""
    try:
        return of_arguments(request.args)
    except ValueError:
        raise Problem("not-found") from None


@blueprint.get("", endpoint="page")
def page() -> str:
    """The newest first, a page at a time. Raises: Problem `not-found` for a column or a value that cannot be."""
    asked, of, after, today = selected(), _column(), request.args.get("after", ""), day_of(None)
    with reading() as conn:
        try:
            rows, more = entries.page(conn, of, asked, g.scope, today=today, after=after)
        except ValueError:
            raise Problem("not-found") from None
        count = entries.count(conn, of, asked, g.scope, today=today)
        totals = entries.totals(conn, of, asked, g.scope, today=today)
        sums = catalog.quantities(catalog.items(conn), totals)
        called: Names = names(conn, asked, g.scope)
    return render_template(
        "entries/page.html", of=of, asked=asked, rows=rows, more=more, after=after, count=count,
        counted=entries.COUNTED, sums=sums, called=called,
    )  # fmt: skip


@blueprint.post("/file", endpoint="file")
def file() -> ResponseReturnValue:
    """All of them as .xlsx or .csv (`as`), row after row. Raises: Problem `not-found`."""
    try:
        asked = of_arguments(request.form)
    except ValueError:
        raise Problem("not-found") from None
    of, scope, today = _column(), g.scope, day_of(None)
    taken = take(auth.actor(), "entries", lambda conn: entries.every(conn, of, asked, scope, today=today))
    return streamed(
        f"entries-{of}{days_words(asked)}", gettext("流水"), _headings(), map(_cells, taken.rows), taken.close
    )


@blueprint.app_template_global()
def where_words(reference: str | None, name: str) -> str:
    """A place, or a kind of place, as people say it; a household's name stands elsewhere."""
    kind = (reference or "").partition(":")[0]
    if name and kind == "truck":
        return gettext("%(trip)s的车", trip=name)
    if name and kind == "held":
        return gettext("%(place)s代存", place=name)
    return name if name and kind in place.NAMED_BY_CODE else str(PLACES.get(kind, "—"))


def _headings() -> list[str]:
    return [
        gettext("日期"), gettext("物资"), gettext("数量"), gettext("单位"), gettext("困难家庭"), gettext("从"),
        gettext("到"), gettext("任务"), gettext("批号"), gettext("捐赠方"), gettext("单号"), gettext("原因"),
        gettext("困难家庭编号"), gettext("物资编码"), gettext("记录"),
    ]  # fmt: skip


def _cells(one: Entry) -> list[object]:
    """Money in yuan; what went back is less than 0."""
    cash = one.unit == "fen"
    source = where_words(one.from_place, one.from_name) if one.from_place else ""
    target = where_words(one.to_place, one.to_name) if one.to_place else ""
    lot = gettext("不止一批") if one.several else one.lot or ""
    return [
        one.date, one.item_name, one.quantity / 100 if cash else one.quantity, gettext("元") if cash else one.unit,
        one.household_name, source, target, one.trip_title, lot, one.donor_name, one.slip or "",
        one.reason or "", one.household or "", one.item, one.source,
    ]  # fmt: skip


def _column() -> Of:
    of = request.values.get("of", "")
    found = next((one for one in COLUMNS if one == of), None)
    if found is None:
        raise Problem("not-found")
    return found
