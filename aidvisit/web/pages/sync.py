"""What waits to be sent, what was refused and why, and sending it now."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import held, preview, renewal
from aidvisit.services import sync as service
from aidvisit.store.database import reading
from aidvisit.store.queries import holding
from aidvisit.store.queries.account import device_row
from aidvisit.store.queries.receipt import slip_of
from aidvisit.web.chip import away_words, send_soon
from aidvisit.web.forms import PauseForm, RenewForm, TextOnlyForm, read
from sync import clock, log, receipt, witness
from sync.bundle_field import ROOM as MOST_BLOBS
from sync.pause import until

blueprint = Blueprint("sync", __name__)


@blueprint.get("/sync")
def page(problem: Problem | None = None) -> str:
    with reading() as conn:
        state = log.state(conn)
        server = log.recall(conn, "server")
        altered = witness.altered(conn)
        notices = preview.notices(conn)
        gone = holding.gone(conn, state, clock.wall())
    settings = service.current_settings()
    return render_template(
        "sync/page.html", told=held.told(), server=server, address=settings.server_url,
        line=service.line_is_up(), problem=problem, altered=altered, notices=notices,
        paused=until(state.paused, clock.wall()), offer=renewal.offer(), typed=request.form,
        renewed=request.args.get("renewed") == "yes", gone=gone, **_live(),
    )  # fmt: skip


def _live() -> dict[str, Any]:
    """What changes by itself while somebody looks."""
    agent = service.agent()
    with reading() as conn:
        state = log.state(conn)
        kinds, coming = holding.unsent_kinds(conn, state), holding.coming(conn)
        receipts = [(one, receipt.code_of(one)) for one in receipt.kept(conn)]
        slip, streams = slip_of(conn, receipts[0][0]) if receipts else None, holding.holding(conn)
    records = sum(count for kind, count in kinds if kind != holding.ACCESS)
    return {
        "state": state, "kinds": kinds, "coming": coming, "meter": service.meter(), "receipts": receipts, "slip": slip,
        "streams": streams, "sending": agent.sending if agent else None, "records": records, "away": away_words(),
        "room": MOST_BLOBS,
    }  # fmt: skip


@blueprint.get("/sync/live")
def live() -> str:
    """The parts of the page that a script asks for again and again."""
    return render_template("sync/_live.html", **_live())


@blueprint.get("/sync/slip")
def slip() -> str:
    """A receipt on paper, in both languages: the last one, or the one of `through`. Raises: Problem `not-found`."""
    asked = request.args.get("through")
    with reading() as conn:
        receipts = [one for one in receipt.kept(conn) if asked in (None, str(one["through"]))]
        if not receipts and asked is not None:
            raise Problem("not-found")
        last = receipts[0] if receipts else None
        found = slip_of(conn, last) if last else None
        device = device_row(conn, log.own(conn))
    return render_template("sync/slip.html", slip=found, receipt=last, device=device)


@blueprint.post("/sync/now")
def now() -> ResponseReturnValue:
    """One sync, now. What stops it is said on the page; nothing is lost by it."""
    try:
        service.sync_now()
    except Problem as problem:
        return page(problem), problem.status
    return redirect(url_for("sync.page"), 303)


@blueprint.post("/sync/renew")
def renew() -> ResponseReturnValue:
    """作为新的一台继续: after a copy, a restore, or with a code where the centre does not know this laptop."""
    try:
        form = read(RenewForm)
        renewal.renew(form["code"], form["fingerprint"])
    except Problem as problem:
        return page(problem), problem.status
    return redirect(url_for("sync.page", renewed="yes"), 303)


@blueprint.post("/sync/heard")
def heard() -> ResponseReturnValue:
    """Somebody read what the centre did not accept."""
    held.hear()
    return redirect(url_for("sync.page"), 303)


@blueprint.post("/sync/pause")
def pause() -> ResponseReturnValue:
    """先停一停, to mend something first; or go on."""
    if read(PauseForm)["paused"] == "yes":
        preview.pause_pushing()
    else:
        preview.resume_pushing()
        send_soon()
    return redirect(url_for("sync.page"), 303)


@blueprint.post("/sync/text-only")
def text_only() -> ResponseReturnValue:
    """Photos and signatures wait for a better line, or go again."""
    service.send_text_only(read(TextOnlyForm)["text_only"] == "yes")
    return redirect(url_for("sync.page"), 303)


@blueprint.get("/sync/chip")
def chip() -> str:
    """The chip alone, for pages that stay open."""
    return render_template("sync/_chip.html")


@blueprint.post("/demo/line")
def line() -> ResponseReturnValue:
    """Pull the plug (拔掉网线) or put it back (插回); only the demo has one. Raises: Problem `not-found`."""
    up = service.line_is_up()
    if up is None:
        raise Problem("not-found")
    if up:
        service.cut_line()
    else:
        service.mend_line()
    return redirect(url_for("sync.page"), 303)
