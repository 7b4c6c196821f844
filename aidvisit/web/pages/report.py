"""The office's overview."""

from __future__ import annotations

from flask import Blueprint, g, render_template

from aidvisit.store.database import reading
from aidvisit.store.queries.overview import overview as overviewed

blueprint = Blueprint("report", __name__)


@blueprint.get("/")
def overview() -> str:
    with reading() as conn:
        view = overviewed(conn, g.scope)
    return render_template("report/overview.html", view=view)
