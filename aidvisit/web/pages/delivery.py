"""Deliver: filled in from the allotment; confirm, sign, done."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.services.delivery import Blob, record_delivery
from aidvisit.store.database import reading
from aidvisit.store.queries import account, catalog
from aidvisit.store.queries import delivery as queries
from aidvisit.store.queries import household as households
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.household import HouseholdView
from aidvisit.store.queries.warning import warnings
from aidvisit.web import auth, photos
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.forms import SIGNATURE, DeliverForm, at_fields, read, saved_or_shown, texts, together, whole_numbers
from sync import log
from sync.op import is_uuid, uuid7

blueprint = Blueprint("delivery", __name__)

SAVED_NOT = {"disk-full", "database-locked"}
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 176"><path d="{path}" fill="none" stroke="#000" '
    'stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)


@blueprint.route("/households/<household>/deliver", methods=["GET", "POST"])
def deliver(household: str) -> ResponseReturnValue:
    """Raises: Problem `unknown-household`."""
    if not is_uuid(household):
        raise Problem("unknown-household")
    return saved_or_shown(lambda: _save(household), lambda problem: _page(household, problem))


def _save(household: str) -> ResponseReturnValue:
    form, lines, photo = together(lambda: read(DeliverForm), lambda: whole_numbers("quantity"), photos.chosen)
    proof, blobs = _proof(form, photo)
    received_by = {"as": form["as_"], "name": form["name"]}
    if form["as_"] != "head":
        received_by |= {key: form[key] for key in ("relation", "id_last4") if form[key]}
    witness = {"name": form["witness_name"], "role": form["witness_role"]} if form["witness_name"] else None
    record_delivery(
        actor=auth.actor(), delivery=form["delivery"], household=household, trip=form["trip"] or None,
        date=form["date"], lines=lines, received_by=received_by, proofs=proof, blobs=blobs,
        handed_by=request.form.getlist("handed_by"), witness=witness, reasons=texts("reason"),
        note=form["note"] or None,
    )  # fmt: skip
    send_soon()
    return redirect(url_for("trip.today", saved=form["delivery"]), 303)


def _proof(form: dict[str, Any], photo: photos.Photo | None) -> tuple[list[dict[str, Any]], list[Blob]]:
    """What shows that it was received. A signature becomes a small drawing, kept under its hash, as a photo is."""
    proofs: list[dict[str, Any]] = []
    blobs: list[Blob] = []
    if form["proof"] == "paper":
        proofs.append({"as": "paper"} | {key: form[key] for key in ("page", "row") if form[key]})
    elif form["proof"] == "none":
        if form["none_reason"] or photo is None:
            proofs.append({"as": "none", "reason": form["none_reason"]})
    elif form["signature"] and SIGNATURE.fullmatch(form["signature"]):
        blobs.append(photos.named("image/svg+xml", SVG.format(path=form["signature"]).encode()))
        proofs.append(photos.proof("signature", blobs[-1]))
    if photo is not None:
        blobs.append(photo)
        proofs.append(photos.proof("photo", photo))
    return proofs, blobs


def _page(household: str, problem: Problem | None) -> str:
    """The form: as typed, after a problem; else as allotted."""
    with reading() as conn:
        view = households.household(conn, household)
        if view is None:
            raise Problem("unknown-household")
        head = trips.current(conn, day_of(None))
        day = trips.today(conn, head.id, frozenset(), sync.current_settings().zone) if head else None
        listed = next((one for one in day.households if one.id == household), None) if day else None
        hands = queries.hands_of_day(conn, log.own(conn), day_of(head))
        typed = _typed(view, head.id if head and listed else "", day_of(head), hands, problem)
        owed = {one.item: one.quantity for one in listed.owed} if listed else {}
        lines = owed if problem is None else _as_typed("quantity")
        odd = warnings(conn, household, lines, typed["date"], typed["trip"] or None) if problem is None else []
        items = catalog.items(conn)
        people = account.users(conn, g.user.team)
        after = _following(day, household)
    goods = [code for code, item in items.items() if item.unit != "fen"]
    shown = list(dict.fromkeys([*(one.item for one in listed.allotted), *owed] if listed else goods))
    return render_template(
        "delivery/deliver.html", household=view, items=items, shown=shown,
        more=[code for code in goods if code not in shown],
        lines=lines, typed=typed, reasons=_as_typed("reason") if problem else {}, people=people,
        allotted={one.item: one.quantity for one in listed.allotted} if listed else {},
        truck={one.item: one.on_truck for one in day.truck} if day else {}, after=after, done=listed and not owed,
        problem=problem, errors=at_fields(problem), choose_again=problem is not None and photos.lost(),
        warnings=problem.members.get("warnings", []) if problem else odd,
        not_saved=problem is not None and problem.name in SAVED_NOT,
    )  # fmt: skip


def _typed(
    view: HouseholdView, trip: str, on: str, hands: queries.Hands | None, problem: Problem | None
) -> dict[str, Any]:
    if problem is not None:
        handed_by = request.form.getlist("handed_by")
        return {**request.form.to_dict(), "handed_by": handed_by, "photo_data": photos.kept()}
    as_ = "institution" if view.kind == "institution" else "head"
    return {
        "delivery": uuid7(), "trip": trip, "date": on, "as": as_, "name": view.name, "proof": "signature",
        "handed_by": hands.handed_by if hands else [auth.actor()],
        "witness_name": hands.witness_name if hands else "", "witness_role": hands.witness_role if hands else "",
    }  # fmt: skip


def _as_typed(prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix + "."): value for name, value in request.form.items()
            if name.startswith(prefix + ".")}  # fmt: skip


def _following(day: trips.Today | None, household: str) -> trips.ListedHousehold | None:
    """Who comes after this one, among those still to go."""
    waiting = [one for one in day.households if one.state == "todo" and one.id != household] if day else []
    return waiting[0] if waiting else None
