"""流水: the entries below a figure. What a figure's link asks for is what the figure sums."""

from __future__ import annotations

from flask import Blueprint, g, render_template, request

from aidvisit.domain.selection import COLUMNS, Of, Selection, of_arguments
from aidvisit.errors import Problem
from aidvisit.store.database import reading
from aidvisit.store.queries import catalog, entries
from aidvisit.store.queries.names import Names, names
from aidvisit.web.days import day_of

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


def _column() -> Of:
    of = request.args.get("of", "")
    found = next((one for one in COLUMNS if one == of), None)
    if found is None:
        raise Problem("not-found")
    return found
