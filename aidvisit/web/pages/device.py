"""The laptops, as the office looks after them: who has one, what it holds, its name, revoking it, inviting new ones."""

from __future__ import annotations

import segno
from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from aidvisit.errors import Problem
from aidvisit.services import device as service
from aidvisit.services import sync
from aidvisit.store.database import reading
from aidvisit.store.queries import account as queries
from aidvisit.store.queries import receipt as receipts
from aidvisit.store.queries.silent import silent
from aidvisit.web import auth
from aidvisit.web.days import day_of
from aidvisit.web.forms import CodesForm, RenameForm, RevokeForm, read
from sync import invitation

central = Blueprint("devices", __name__, url_prefix="/devices")


@central.get("", endpoint="page")
def page(problem: Problem | None = None) -> str:
    with reading() as conn:
        rows = queries.device_rows(conn, g.scope)
        late = silent(conn, day_of(None), g.scope)
        # Laptops are carried by the teams at the bottom: those are offered first.
        teams = sorted(queries.teams(conn, g.scope), key=lambda one: -(one.level or 0))
    return render_template(
        "device/list.html", devices=rows, late=late, teams=teams, problem=problem,
        team=request.form.get("team", ""), count=request.form.get("count", "1"),
    )  # fmt: skip


@central.post("/codes", endpoint="codes")
def make_codes() -> ResponseReturnValue:
    """Codes are in the answer, not behind a redirect: they are kept nowhere in the clear, and shown this once."""
    try:
        form = read(CodesForm)
        codes = service.enrolment_codes(actor=auth.actor(), team=form["team"], count=form["count"], scope=g.scope)
    except Problem as problem:
        if problem.name != "invalid-form":
            raise
        return page(problem), problem.status
    with reading() as conn:
        team = queries.team(conn, form["team"])
    server = sync.current_settings().server_url or request.host_url.rstrip("/")
    cards = [(one, qr(one.text())) for one in service.invitations(codes, server)]
    return render_template(
        "device/cards.html", cards=cards, expires_at=codes[0].expires_at, team=team, server=server,
        fingerprint=invitation.in_groups(cards[0][0].fingerprint),
    )  # fmt: skip


def qr(text: str) -> Markup:
    """A QR code as SVG, black on white in every theme (ISO/IEC 18004, error correction M, quiet zone of 4)."""
    code = segno.make(text, error="m", micro=False)
    drawn = code.svg_inline(omitsize=True, svgclass="qr", lineclass="qr__dark", light="#fff", dark="#000")
    return Markup(drawn)  # noqa: S704  # segno's own marks; the text is in them only as dots


@central.get("/<device>", endpoint="one")
def one(device: str, problem: Problem | None = None) -> str:
    """One laptop, what is held of it, and whether an older slip is right. Raises: Problem `unknown-device`."""
    asked = {name: request.args.get(name, "").strip()[:20] for name in ("through", "code")}
    with reading() as conn:
        found = service.device_within(conn, g.scope, device)
        slip = receipts.slip(conn, device, found.through)
        checked = receipts.check(conn, device, **asked) if any(asked.values()) else None
    empty = "code" in request.args and not any(asked.values())
    return render_template(
        "device/one.html", device=found, problem=problem, typed=request.form, slip=slip, asked=asked, checked=checked,
        empty=empty,
    )  # fmt: skip


@central.post("/<device>/name", endpoint="rename")
def rename(device: str) -> ResponseReturnValue:
    try:
        name = read(RenameForm)["name"]
        service.rename(actor=auth.actor(), device=device, name=name, scope=g.scope)
    except Problem as problem:
        if problem.name != "invalid-form":
            raise
        return one(device, problem), problem.status
    return redirect(url_for("devices.one", device=device), 303)


@central.post("/<device>/revoke", endpoint="revoke")
def revoke(device: str) -> ResponseReturnValue:
    """First the reason, then once more on a page that says what follows: no slip of the hand ends a laptop."""
    try:
        form = read(RevokeForm)
    except Problem as problem:
        return one(device, problem), problem.status
    if form["sure"] != "yes":
        with reading() as conn:
            found = service.device_within(conn, g.scope, device)
        return render_template("device/revoke.html", device=found, reason=form["reason"])
    service.revoke(actor=auth.actor(), device=device, reason=form["reason"], scope=g.scope)
    return redirect(url_for("devices.one", device=device), 303)
