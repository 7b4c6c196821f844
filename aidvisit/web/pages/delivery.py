"""Deliver: filled in from the allotment; confirm, sign, done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from aidvisit.domain import money
from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.services.delivery import Blob, record_delivery
from aidvisit.store.database import reading
from aidvisit.store.queries import account, catalog, custody
from aidvisit.store.queries import delivery as queries
from aidvisit.store.queries import household as households
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.catalog import ItemName
from aidvisit.store.queries.custody import Custody
from aidvisit.store.queries.household import HouseholdView
from aidvisit.store.queries.warning import DeliveryWarning, warnings
from aidvisit.web import auth, drafts, photos
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.forms import SIGNATURE, DeliverForm, at_fields, read, saved_or_shown, texts, together
from aidvisit.web.trip_forms import amounts
from sync import log
from sync.op import is_uuid, uuid7

blueprint = Blueprint("delivery", __name__)

SAVED_NOT = {"disk-full", "database-locked"}


@blueprint.route("/households/<household>/deliver", methods=["GET", "POST"])
def deliver(household: str) -> ResponseReturnValue:
    """At the centre, where nobody hands anything over, only to correct one.

    Raises: Problem `unknown-household`, `unknown-delivery`.
    """
    if not is_uuid(household):
        raise Problem("unknown-household")
    if not _here():
        _corrects(household)
    if done := drafts.taken(_form(household)):
        return done
    return saved_or_shown(lambda: _save(household), lambda problem: _page(household, problem))


def _here() -> bool:
    """Whether goods are handed over where this is asked."""
    return sync.current_settings().role == "field"


def _corrects(household: str) -> None:
    with reading() as conn:
        if households.household(conn, household, g.scope) is None:
            raise Problem("unknown-household")
        if _corrected(conn, household) is None:
            raise Problem("unknown-delivery")


def _form(household: str) -> str:
    replaces = request.values.get("replaces", "")
    return f"deliver:{household}" + (f":{replaces}" if is_uuid(replaces) else "")


def _save(household: str) -> ResponseReturnValue:
    with reading() as conn:
        items = catalog.items(conn)
        old = _corrected(conn, household)
    form, lines, photo = together(lambda: read(DeliverForm), lambda: amounts(items), photos.chosen)
    proof, blobs = _proof(form, photo, old.paper if old else {})
    received_by = {"as": form["as_"], "name": form["name"]}
    if form["as_"] != "head":
        received_by |= {key: form[key] for key in ("relation", "id_last4") if form[key]}
    witness = {"name": form["witness_name"], "role": form["witness_role"]} if form["witness_name"] else None
    cash = any(quantity and item in items and items[item].unit == "fen" for item, quantity in lines.items())
    record_delivery(
        actor=auth.actor(), delivery=form["delivery"], household=household, trip=form["trip"] or None,
        date=form["date"], lines=lines, received_by=received_by, proofs=proof, blobs=blobs,
        handed_by=request.form.getlist("handed_by"), witness=witness, reasons=texts("reason"),
        note=form["note"] or None, from_=form["from_"] or None, member=form["member"] or None,
        method=(form["method"] or "cash") if cash else None, at=position(form["at"]) if _here() else None,
        replaces=form["replaces"] or None,
    )  # fmt: skip
    drafts.done(_form(household))
    send_soon()
    if not _here():
        return redirect(url_for("household.page", household=household, _anchor=f"delivery-{form['delivery']}"), 303)
    return redirect(url_for("trip.today", saved=form["delivery"]), 303)


def _corrected(conn: Connection, household: str) -> queries.DeliveryView | None:
    """The delivery that this form corrects."""
    asked = (request.form if request.method == "POST" else request.args).get("replaces", "")
    return queries.delivery(conn, household, asked) if is_uuid(asked) else None


def position(text: str) -> dict[str, int] | None:
    """`<latitude> <longitude> <metres>` as the machine gave it, in 1e-7 degrees; None of anything else, for it is never
    asked for.
    """
    try:
        lat, lon, accuracy = map(float, text.split())
    except ValueError:
        return None
    fits = -90 <= lat <= 90 and -180 <= lon <= 180 and 0 <= accuracy < 10**7
    return {"lat": round(lat * 10**7), "lon": round(lon * 10**7), "accuracy_m": round(accuracy)} if fits else None


def _proof(
    form: dict[str, Any], photo: photos.Photo | None, sheet: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[Blob]]:
    """What shows that it was received. A signature becomes a small drawing, kept under its hash, as a photo is.

    `sheet`: of the delivery that this one corrects; its photo goes on showing what is on the same sheet.
    """
    proofs: list[dict[str, Any]] = []
    blobs: list[Blob] = []
    if form["proof"] == "thumbprint":
        if photo is None:
            words = "请拍下手印,或选别的凭证。 / Take a picture of the thumbprint, or choose another proof."
            raise Problem("invalid-form", count=1, errors={"photo": [words]})
        return [photos.proof("thumbprint", photo)], [photo]
    if form["proof"] == "paper":
        same = "sha256" in sheet and form["page"] == str(sheet.get("page", ""))
        kept = {key: sheet[key] for key in ("sha256", "bytes", "media_type") if key in sheet} if same else {}
        proofs.append({"as": "paper"} | {key: form[key] for key in ("page", "row") if form[key]} | kept)
    elif form["proof"] == "none":
        if form["none_reason"] or photo is None:
            proofs.append({"as": "none", "reason": form["none_reason"]})
    elif form["signature"] and SIGNATURE.fullmatch(form["signature"]):
        blobs.append(photos.drawn(form["signature"]))
        proofs.append(photos.proof("signature", blobs[-1]))
    if photo is not None:
        blobs.append(photo)
        proofs.append(photos.proof("photo", photo))
    return proofs, blobs


def _page(household: str, problem: Problem | None) -> str:
    """The form: as typed, after a problem or a crash; else as allotted."""
    held = drafts.kept(_form(household)) if problem is None else None
    with reading() as conn:
        if held is not None and queries.saved(conn, drafts.sent(held).get("delivery", "")):
            held = None  # it was on its way to be kept when it was saved
        view = households.household(conn, household)
        if view is None:
            raise Problem("unknown-household")
        old = _corrected(conn, household)
        head = trips.trip(conn, old.trip) if old and old.trip else trips.current(conn, day_of(None))
        day = trips.today(conn, head.id, frozenset(), sync.current_settings().zone) if head else None
        listed = next((one for one in day.households if one.id == household), None) if day else None
        hands = queries.hands_of_day(conn, log.own(conn), day_of(head))
        kept = custody.of_household(conn, household)
        sent = drafts.sent(held) if problem is None else request.form
        # Who is not on the list gets from the same truck, with a reason.
        unlisted = head is not None and listed is None and head.status != "closed" and old is None
        trip = head.id if head and (listed or unlisted) else ""
        typed = _as_sent(sent) if sent else _typed(view, trip, day_of(head), hands, kept)
        if old is not None and not sent:
            typed |= _old(old)
        items = catalog.items(conn)
        owed = {one.item: one.quantity for one in listed.owed} if listed else {}
        lines = _of(sent, "quantity") if sent else _shown(items, _first(owed, kept, old))
        planned = {item: quantity for item, quantity in owed.items() if not sent and old is None}
        odd = warnings(conn, household, planned, typed["date"], typed["trip"] or None) if problem is None else []
        if unlisted:
            odd.append(DeliveryWarning("outside-allocation", None, {}))
        people = account.users(conn, (head.team if head and old else None) or g.user.team)
        after = _following(day, household) if _here() else None
    corrected = [line.item for line in old.lines] if old else []
    shown = list(dict.fromkeys([*(one.item for one in listed.allotted), *owed, *corrected] if listed else items))
    return render_template(
        "delivery/deliver.html", household=view, items=items, shown=shown,
        more=[code for code in items if code not in shown],
        lines=lines, typed=typed, reasons=_of(sent, "reason") if sent else {}, people=people,
        allotted={one.item: one.quantity for one in listed.allotted} if listed else {},
        truck={one.item: one.on_truck for one in day.truck} if day else {}, after=after, old=old,
        done=listed and not owed and old is None, listed=listed,
        problem=problem, errors=at_fields(problem), choose_again=problem is not None and photos.lost(), kept=kept,
        warnings=problem.members.get("warnings", odd) if problem else odd, draft=held,
        not_saved=problem is not None and problem.name in SAVED_NOT,
    )  # fmt: skip


def _as_sent(sent: MultiDict[str, str]) -> dict[str, Any]:
    return {**sent.to_dict(), "handed_by": sent.getlist("handed_by"), "photo_data": photos.kept()}


def _typed(view: HouseholdView, trip: str, on: str, hands: queries.Hands | None, kept: list[Custody]) -> dict[str, Any]:
    as_ = "institution" if view.kind == "institution" else "head"
    return {
        "delivery": uuid7(), "trip": trip, "date": on, "as": as_, "name": view.name, "proof": "signature",
        "handed_by": hands.handed_by if hands else [auth.actor()], "from": kept[0].place if kept else "",
        "witness_name": hands.witness_name if hands else "", "witness_role": hands.witness_role if hands else "",
    }  # fmt: skip


def _first(owed: Mapping[str, int], kept: list[Custody], old: queries.DeliveryView | None) -> Mapping[str, int]:
    """What the form begins with: the delivery to correct, else what is kept for the household, else its allotment."""
    if old is not None:
        return {line.item: line.quantity for line in old.lines}
    return kept[0].lines if kept else owed


def _old(old: queries.DeliveryView) -> dict[str, Any]:
    """The delivery to correct; what was signed on the screen is signed anew where the household is, else somebody says
    why not. The place on a sheet is as it was.
    """
    paper: dict[str, Any] = {} if _here() else {"proof": "none"}
    if old.paper:
        paper = {"proof": "paper", "page": old.paper.get("page"), "row": old.paper.get("row")}
    return paper | {
        "replaces": old.id, "trip": old.trip or "", "date": old.date, "as": old.received_as, "name": old.received_by,
        "relation": old.relation, "id_last4": old.id_last4, "handed_by": old.handed_by, "note": old.note,
        "from": old.from_place or "", "member": old.member, "method": old.method,
        "witness_name": old.witness.get("name", ""), "witness_role": old.witness.get("role", ""),
    }  # fmt: skip


def _shown(items: Mapping[str, ItemName], lines: Mapping[str, int]) -> dict[str, str]:
    """Quantities as they are typed: cash in yuan."""
    return {
        item: money.yuan(quantity) if item in items and items[item].unit == "fen" else str(quantity)
        for item, quantity in lines.items()
    }


def _of(sent: MultiDict[str, str], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix + "."): value for name, value in sent.items() if name.startswith(prefix + ".")}


def _following(day: trips.Today | None, household: str) -> trips.ListedHousehold | None:
    """Who comes after this one, among those still to go."""
    waiting = [one for one in day.households if one.state == "todo" and one.id != household] if day else []
    return waiting[0] if waiting else None
