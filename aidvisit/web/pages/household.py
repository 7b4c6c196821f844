"""Finding a household, and everything about one."""

from __future__ import annotations

from flask import Blueprint, Response, g, render_template, request
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import household as service
from aidvisit.services import sync
from aidvisit.store.database import reading
from aidvisit.store.queries import household as queries
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.timeline import proves, timeline
from aidvisit.store.queries.warning import warnings
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.fresh import known
from aidvisit.web.pages import register
from sync.op import is_uuid

blueprint = Blueprint("household", __name__)
blueprint.add_url_rule("/households/new", "register", register.register, methods=["GET", "POST"])
blueprint.add_url_rule("/households/<household>/edit", "edit", register.edit, methods=["GET", "POST"])

PICTURES = {"image/jpeg", "image/png", "image/webp", "image/svg+xml"}


@blueprint.route("/search", methods=["GET", "POST"])
def search() -> str:
    """A POST, so that no name stands in an address; `part` asks for the list alone."""
    text = request.form.get("q", "").strip()[:100]
    with reading() as conn:
        found = queries.search(conn, text, scope=g.scope) if text else None
        fresh = known(conn)
    page = "household/_found.html" if request.form.get("part") else "household/search.html"
    return render_template(page, q=text, result=found, fresh=fresh)


@blueprint.get("/households/<household>")
def page(household: str, revealed: bool = False) -> ResponseReturnValue:
    """One household: who, why, what it may get, and all that happened. Raises: Problem `unknown-household`."""
    if not is_uuid(household):
        raise Problem("unknown-household")
    field = sync.current_settings().role == "field"
    with reading() as conn:
        view = queries.household(conn, household, g.scope, revealed=revealed)
        if view is None:
            raise Problem("unknown-household")
        into = queries.household(conn, view.into, g.scope) if view.into else None
        entries = timeline(conn, household, sync.current_settings().zone)
        head = trips.current(conn, day_of(None)) if field else None
        listed = [one for one in trips.today(conn, head.id).households if one.id == household] if head else []
        owed = listed[0].owed if listed else []
        on = day_of(head)
        odd = warnings(conn, household, {q.item: q.quantity for q in owed}, on, head.id if head else None)
        fresh = known(conn, town=view.stream)
    return render_template(
        "household/page.html", household=view, into=into, entries=entries, trip=head,
        listed=listed[0] if listed else None, owed=owed, warnings=odd, fresh=fresh, field=field, user=g.user,
        revealed=revealed,
    )  # fmt: skip


@blueprint.post("/households/<household>/reveal")
def reveal(household: str) -> ResponseReturnValue:
    """The page with the full numbers, this once: who reloads it sees them masked. It is in the audit before that.

    Raises: Problem `unknown-household`, and whatever kept the line of the audit from being written.
    """
    if not is_uuid(household):
        raise Problem("unknown-household")
    service.reveal(actor=auth.actor(), household=household, scope=g.scope)
    send_soon()
    return page(household, revealed=True)


@blueprint.get("/households/<household>/blobs/<sha256>")
def blob(household: str, sha256: str) -> ResponseReturnValue:
    """A signature or photo that proves something about this household; a laptop that has not got it asks the centre.

    Raises: Problem `not-found`, `proof-at-centre`, `proof-on-laptop`.
    """
    with reading() as conn:
        view = queries.household(conn, household, g.scope)
        named = view is not None and proves(conn, household, sha256)
    if not named:
        raise Problem("not-found")
    media_type, data = service.proof(sha256)
    response = Response(data, content_type=media_type if media_type in PICTURES else "application/octet-stream")
    # Whatever somebody managed to store here, a browser runs nothing of it.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
