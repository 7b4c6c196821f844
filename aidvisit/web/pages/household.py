"""Finding a household, and everything about one."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from aidvisit.domain.category import born_by, from_age
from aidvisit.errors import Problem
from aidvisit.services import household as service
from aidvisit.services import sync
from aidvisit.services.listing import wanted
from aidvisit.store.database import reading
from aidvisit.store.queries import conflict as conflicts
from aidvisit.store.queries import erasure
from aidvisit.store.queries import household as queries
from aidvisit.store.queries import search as searching
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.alias import of_one
from aidvisit.store.queries.catalog import Quantity, categories, items, quantities
from aidvisit.store.queries.comparison import merged_into
from aidvisit.store.queries.progress import Share, share
from aidvisit.store.queries.received import received
from aidvisit.store.queries.timeline import PAGE, WHOLE, groups, proves, timeline
from aidvisit.store.queries.visit import visit
from aidvisit.store.queries.warning import DeliveryWarning, warnings
from aidvisit.web import auth
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.fresh import known
from aidvisit.web.pages import closing, conflict, register
from aidvisit.web.places import choices
from sync import clock
from sync.op import is_uuid

blueprint = Blueprint("household", __name__)
blueprint.add_url_rule("/households/new", "register", register.register, methods=["GET", "POST"])
blueprint.add_url_rule("/households/conflicts", "conflicts", conflict.listed)
blueprint.add_url_rule("/households/<household>/edit", "edit", register.edit, methods=["GET", "POST"])
blueprint.add_url_rule("/households/<household>/close", "close", closing.close, methods=["GET", "POST"])
blueprint.add_url_rule("/households/<household>/reopen", "reopen", closing.reopen, methods=["GET", "POST"])
blueprint.add_url_rule("/households/<household>/conflicts", "settle", conflict.settle, methods=["GET", "POST"])
blueprint.add_url_rule(
    "/households/<household>/conflicts/reveal", "reveal_conflicts", conflict.reveal, methods=["POST"]
)

PICTURES = {"image/jpeg", "image/png", "image/webp", "image/svg+xml"}


@blueprint.route("/search", methods=["GET", "POST"])
def search() -> str:
    """A POST, so that no name stands in an address; `part` asks for the list alone."""
    text, filters, after = request.form.get("q", "").strip()[:100], _filters(), request.form.get("after", "")
    with reading() as conn:
        asked = bool(text) or bool(filters)
        found = searching.search(conn, text, scope=g.scope, filters=filters, after=after) if asked else None
        fresh = known(conn)
        if request.form.get("part"):
            return render_template(
                "household/_found.html", q=text, result=found, fresh=fresh, after=after, now=clock.wall()
            )
        places = choices(conn, filters.place or "")
        named = categories(conn)
    return render_template(
        "household/search.html", q=text, result=found, fresh=fresh, after=after, filters=filters, places=places,
        categories=named, now=clock.wall(),
    )  # fmt: skip


def _filters() -> searching.Filters:
    """As chosen; what no control of the page sends asks for nothing."""
    asked = wanted(request.form.to_dict())
    years = from_age(asked.category)
    return searching.Filters(
        asked.category or None, asked.place or None, asked.not_visited_since or None, asked.not_served_since or None,
        born_by(years, day_of(None)) if years is not None else None,
    )  # fmt: skip


@blueprint.get("/households/<household>")
def page(household: str, revealed: bool = False) -> ResponseReturnValue:
    """One household: who, why, what it may get, and all that happened. Raises: Problem `unknown-household`."""
    if not is_uuid(household):
        raise Problem("unknown-household")
    field = sync.current_settings().role == "field"
    zone, chosen = sync.current_settings().zone, _chosen()
    after, whole = request.args.get("after", ""), "whole" in request.args
    with reading() as conn:
        view = queries.household(conn, household, g.scope, revealed=revealed, on=day_of(None))
        if view is None:
            raise Problem("unknown-household")
        target = of_one(conn, household).of(household)
        into = queries.household(conn, target, g.scope) if target != household else None
        merged = merged_into(conn, household, g.scope) if target == household else []
        past = timeline(conn, household, chosen=chosen, after=after, most=WHOLE if whole else PAGE, zone=zone,
                        revealed=revealed)  # fmt: skip
        totals = received(conn, household)
        today = _today(conn, household) if field else Today(None, None, [], [], [])
        fresh = known(conn, town=view.stream)
        before = queries.household(conn, view.continues, g.scope) if view.continues else None
        erased = erasure.erasures(conn, [household])
        disagree = conflicts.of_household(conn, household, g.scope, revealed=revealed)
        asked = request.args.get("saved", "")
        saved = visit(conn, household, asked) if is_uuid(asked) else None
    return render_template(
        "household/page.html", household=view, into=into, timeline=past, received=totals, today=today, fresh=fresh,
        field=field, user=g.user, revealed=revealed, chosen=chosen, after=after, whole=whole,
        saved=saved, merged=merged, conflicts=disagree, before=before, erased=erased,
        gone=any(not each.members for each in erased),
    )  # fmt: skip


def _chosen() -> str:
    """The group that the reader wants to see alone; "" for everything."""
    asked = request.args.get("kind", "")
    return asked if asked in groups() else ""


@dataclass(frozen=True, slots=True)
class Today:
    """What a household may get on the trip of the day. `listed`: it is on that trip's list."""

    trip: trips.TripHead | None
    listed: Share | None
    owed: list[Quantity]
    delivered: list[Quantity]
    warnings: list[DeliveryWarning]


def _today(conn: Connection, household: str) -> Today:
    head = trips.current(conn, day_of(None))
    listed = share(conn, head.id, household) if head else None
    owed = listed.owed if listed else {}
    odd = warnings(conn, household, owed, day_of(head), head.id if head else None)
    names = items(conn) if listed else {}
    return Today(head, listed, quantities(names, owed), quantities(names, listed.delivered if listed else {}), odd)


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
