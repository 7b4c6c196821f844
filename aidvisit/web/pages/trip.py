"""A trip: today's list in the field; its reconciliation; all trips, closing and reopening one at the office."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from tempfile import TemporaryFile

from flask import Blueprint, g, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from aidvisit.domain.selection import Selection
from aidvisit.errors import Problem
from aidvisit.services import preview, sync
from aidvisit.services import trip as service
from aidvisit.services.dossier import make as dossiers
from aidvisit.store.database import reading
from aidvisit.store.queries import catalog, holding, overview
from aidvisit.store.queries import delivery as deliveries
from aidvisit.store.queries import trip as queries
from aidvisit.store.queries.goods import place_names
from aidvisit.store.queries.reconcile import reconcile as reconciled
from aidvisit.web import auth
from aidvisit.web.days import day_of
from aidvisit.web.forms import NoteForm, ReopenForm, at_fields, read
from aidvisit.web.fresh import known
from sync import clock, log
from sync.op import is_uuid, uuid7

field = Blueprint("trip", __name__)
central = Blueprint("trips", __name__)
own = Blueprint("trips", __name__)
"""What a laptop shows of the trips that it carries, at the addresses that they have at the centre."""


@field.get("/", endpoint="today")
def today() -> ResponseReturnValue:
    """The next household first, what is left on the truck, how far every group is, who was not at home."""
    skip = frozenset(one for one in request.args.getlist("skip") if is_uuid(one))
    with reading() as conn:
        head = queries.current(conn, day_of(None))
        view = queries.today(conn, head.id, skip, sync.current_settings().zone) if head else None
        done = request.args.get("saved", "")
        saved = deliveries.saved(conn, done) if is_uuid(done) else None
        notices, fresh = preview.notices(conn), known(conn, trip=head)
        gone = [one for one in holding.gone(conn, log.state(conn), clock.wall()) if one.unsent]
    return render_template(
        "trip/today.html",
        view=view,
        saved=saved,
        skip=sorted(skip),
        day=day_of(head),
        notices=notices,
        fresh=fresh,
        gone=gone,
    )


@central.get("/trips", endpoint="page")
def trips() -> ResponseReturnValue:
    """The latest first, a page at a time."""
    after = request.args.get("after", "")
    with reading() as conn:
        rows, more = overview.progress(conn, g.scope, after=after)
    return render_template("trip/list.html", trips=rows, more=more, after=after)


def reconcile(trip: str) -> ResponseReturnValue:
    """Where the goods went, and who got what. Raises: Problem `unknown-trip`."""
    return _reconciled(trip)


for blueprint in (central, own):
    blueprint.get("/trips/<trip>", endpoint="reconcile")(reconcile)


@central.post("/trips/<trip>/close", endpoint="close")
def close(trip: str) -> ResponseReturnValue:
    """All of it is accounted for. Raises: Problem `unknown-trip`."""
    return _settled(trip, lambda: service.close(
        actor=auth.actor(), trip=trip, note=read(NoteForm)["note"] or None, scope=g.scope
    ))  # fmt: skip


@central.post("/trips/<trip>/reopen", endpoint="reopen")
def reopen(trip: str) -> ResponseReturnValue:
    """With a reason. Raises: Problem `unknown-trip`."""
    return _settled(trip, lambda: service.reopen(
        actor=auth.actor(), trip=trip, reason=read(ReopenForm)["reason"], scope=g.scope
    ))  # fmt: skip


@central.post("/trips/<trip>/explain", endpoint="explain")
def explain(trip: str) -> ResponseReturnValue:
    """Why goods are missing or too many. Raises: Problem `unknown-trip`."""
    reasons = {name.partition(".")[2]: text for name, text in request.form.items() if name.startswith("reason.")}
    move = request.form.get("move", "")
    return _settled(trip, lambda: service.explain(
        actor=auth.actor(), trip=trip, date=day_of(None), reasons=reasons, move=move if is_uuid(move) else None,
        scope=g.scope,
    ))  # fmt: skip


@central.post("/trips/<trip>/dossier", endpoint="dossier")
def dossier(trip: str) -> ResponseReturnValue:
    """Everything that vouches for the trip, as one file. Raises: Problem `unknown-trip`, `disk-full`."""
    home = sync.current_settings().home
    with ExitStack() as opened:
        file = opened.enter_context(TemporaryFile(dir=home))  # without a name: nobody else opens it, it goes by itself
        try:
            dossiers.make(auth.actor(), trip, file, scope=g.scope)
        except OSError as error:
            raise Problem("disk-full", path=str(home)) from error
        opened.pop_all()
    file.seek(0)
    name = f"dossier-{trip[-12:]}-{day_of(None)}.zip"
    return send_file(file, "application/zip", as_attachment=True, download_name=name)


def _settled(trip: str, act: Callable[[], object]) -> ResponseReturnValue:
    try:
        act()
    except Problem as problem:
        if problem.name in ("unknown-trip", "not-permitted", "not-allowed"):
            raise
        return _reconciled(trip, problem)
    return redirect(url_for("trips.reconcile", trip=trip) + "#closing", 303)


def _reconciled(trip: str, problem: Problem | None = None) -> ResponseReturnValue:
    with reading() as conn:
        try:
            view = reconciled(conn, trip, g.scope)
        except LookupError:
            raise Problem("unknown-trip") from None
        place = catalog.division_names(conn, view.trip.divisions[0]) if view.trip.divisions else []
        donors = place_names(conn, {row.donor for row in view.lots if row.donor})
    page = render_template(
        "trip/reconcile.html", view=view, place=place, donors=donors, asked=Selection(trip=trip), problem=problem,
        errors=at_fields(problem), closable=sync.current_settings().role == "central", move=uuid7(),
    )  # fmt: skip
    return page, problem.status if problem else 200
