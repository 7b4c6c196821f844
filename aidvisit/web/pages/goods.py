"""Goods of a trip (load, hand over, return, lose, count) with their slips; and the warehouses, at the office."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.domain import place
from aidvisit.errors import Problem
from aidvisit.services import stock, stock_list
from aidvisit.store.database import reading
from aidvisit.store.queries import catalog, custody
from aidvisit.store.queries import goods as queries
from aidvisit.store.queries import stock as balances
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.catalog import ItemName
from aidvisit.store.queries.goods import TripGoods
from aidvisit.web import trip_forms
from aidvisit.web.chip import send_soon
from aidvisit.web.days import day_of
from aidvisit.web.forms import at_fields
from aidvisit.web.pages.people import mine
from sync.op import is_uuid, uuid7

blueprint = Blueprint("goods", __name__)
field = Blueprint("stock", __name__)
central = Blueprint("stores", __name__)

ELSEWHERE = {"unknown-trip", "unknown-paper", "not-permitted", "not-allowed"}
STORES = ("warehouse", "fund")
ROWS = 8
"""Lines that the form of a receipt offers."""
SHOWN = 300
"""Rows of a sheet that its preview shows of each sort."""


@field.get("/stock", endpoint="today")
def today() -> ResponseReturnValue:
    """The goods of the trip that Today shows. Raises: Problem `unknown-trip`."""
    with reading() as conn:
        head = trips.current(conn, day_of(None))
    if head is None:
        raise Problem("unknown-trip")
    return redirect(url_for("goods.page", trip=head.id), 303)


@blueprint.get("/trips/<trip>/stock", endpoint="page")
def page(trip: str) -> str:
    """What was loaded and where it went; what nobody can account for. Raises: Problem `unknown-trip`."""
    return _page(trip, None, "")


@blueprint.post("/trips/<trip>/stock", endpoint="move")
def move(trip: str) -> ResponseReturnValue:
    """Load, return, hand over, lose, find or count. Raises: Problem `unknown-trip`, `not-found`."""
    what = request.form.get("what", "")
    if what not in _MOVES:
        raise Problem("not-found")
    try:
        with reading() as conn:
            items = catalog.items(conn)
        shared = {**mine(), "trip": trip, "date": request.form.get("date", ""), "move": _form_id()}
        entry = _MOVES[what](items, shared)
    except Problem as problem:
        if problem.name in ELSEWHERE:
            raise
        return _page(trip, problem, what), problem.status
    send_soon()
    if entry.op.body.get("slip"):
        return redirect(url_for("goods.slip", paper=entry.op.subject), 303)
    return redirect(url_for("goods.page", trip=trip, saved=what), 303)


def _form_id() -> str:
    given = request.form.get("move", "")
    return given if is_uuid(given) else uuid7()


def _load(items: dict[str, ItemName], shared: dict[str, Any]) -> Any:
    lots = {item: request.form.get(f"lot.{item}", "") for item in items}
    return stock.load(
        **shared, lines=trip_forms.amounts(items), from_=request.form.get("place", ""), lots=lots, slip=_slip()
    )


def _return(items: dict[str, ItemName], shared: dict[str, Any]) -> Any:
    return stock.return_(
        **shared, lines=trip_forms.amounts(items), to=request.form.get("place", ""), slip=_slip(), over=_over()
    )


def _transfer(items: dict[str, ItemName], shared: dict[str, Any]) -> Any:
    to = request.form.get("to", "")
    return stock.transfer(**shared, lines=trip_forms.amounts(items), to=to, over=_over())


def _loss(items: dict[str, ItemName], shared: dict[str, Any]) -> Any:
    reason = request.form.get("reason", "")
    return stock.report_loss(**shared, lines=trip_forms.amounts(items), reason=reason, over=_over())


def _gain(items: dict[str, ItemName], shared: dict[str, Any]) -> Any:
    return stock.gain(**shared, lines=trip_forms.amounts(items), reason=request.form.get("reason", ""))


def _count(items: dict[str, ItemName], shared: dict[str, Any]) -> Any:
    counted = trip_forms.amounts(items, blanks=False)
    if not counted:
        words = "请至少填一样数到的数量;一样没有,填 0。 / Give what you counted of at least one item; 0 if none."
        raise Problem("invalid-form", count=1, errors={"lines": [words]})
    known = {row.item: row.on_truck for row in _goods(shared["trip"]).rows}
    explained = [
        {"item": item, "difference": known.get(item, 0) - quantity, "reason": reason}
        for item, quantity in counted.items()
        if (reason := request.form.get(f"why.{item}", "").strip()) and known.get(item, 0) != quantity
    ]
    return stock.count(**shared, counted=counted, explained=explained)


_MOVES: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "load": _load,
    "return": _return,
    "transfer": _transfer,
    "loss": _loss,
    "gain": _gain,
    "count": _count,
}


def _over() -> str | None:
    """Why more goes off than the truck has."""
    return request.form.get("over", "").strip() or None


def _slip() -> str | None:
    """The number of a paper that was written by hand."""
    return request.form.get("slip", "").strip() or None


def _page(trip: str, problem: Problem | None, what: str) -> str:
    goods = _goods(trip)
    with reading() as conn:
        items = catalog.items(conn)
        places = queries.stores(conn, STORES)
        others = [each for each in trips.trips(conn, g.scope) if each.id != trip and each.status != "closed"]
        day = trips.today(conn, trip)
        lots = balances.lots(conn, [each.place for each in places])
    needed = {line.item: max(line.needed - line.on_truck, 0) for line in day.truck}
    named = {item: sorted({lot for of in lots.values() for lot in of.get(item, {}) if lot}) for item in items}
    several = {item: each for item, each in named.items() if len(each) > 1}
    return render_template(
        "goods/page.html", lots=several, goods=goods, items=items, places=places, others=others, needed=needed,
        on_truck={row.item: row.on_truck for row in goods.rows}, problem=problem, what=what, errors=at_fields(problem),
        day=day_of(goods.trip), move=request.form.get("move") if problem else uuid7(), main=stock.MAIN,
        saved=request.args.get("saved", ""),
    )  # fmt: skip


@blueprint.get("/papers/<paper>", endpoint="slip")
def slip(paper: str) -> str:
    """A movement on paper, for both sides to sign. Raises: Problem `unknown-paper`."""
    with reading() as conn:
        found = queries.paper(conn, paper, g.scope) if is_uuid(paper) else None
        if found is None:
            raise Problem("unknown-paper")
        truck = next(
            (place.parse(each) for each in (found.from_place, found.to_place) if each.startswith("truck:")), None
        )
        head = trips.trip(conn, truck.key, g.scope) if truck else None
        left = custody.left(conn, paper, head.id) if head and found.kind == "custody" else None
    return render_template("goods/slip.html", paper=found, trip=head, left=left)


@central.route("/stock", methods=["GET", "POST"], endpoint="page")
def stores() -> ResponseReturnValue:
    """What every warehouse and fund has; and what came in from a donor."""
    problem = None
    if request.method == "POST":
        try:
            with reading() as conn:
                items = catalog.items(conn)
            form = {name: request.form.get(name, "") for name in ("from_", "to", "date")}
            entry = stock.receive(
                actor=mine()["actor"], lines=trip_forms.received(items, ROWS), move=_form_id(),
                reason=request.form.get("reason") or None, slip=_slip(), **form,
            )  # fmt: skip
            return redirect(url_for("goods.slip", paper=entry.op.subject), 303)
        except Problem as raised:
            if raised.name in ELSEWHERE:
                raise
            problem = raised
    with reading() as conn:
        donors = queries.stores(conn, ("donor",))
        page = render_template(
            "goods/stores.html", stores=queries.stores(conn), items=catalog.items(conn), rows=ROWS, problem=problem,
            sources=[*donors, *queries.stores(conn, STORES)], targets=queries.stores(conn, STORES), donors=donors,
            errors=at_fields(problem), day=day_of(None), move=request.form.get("move") if problem else uuid7(),
            loaded=request.args.get("loaded", type=int),
        )  # fmt: skip
    return page, problem.status if problem else 200


@central.route("/stock/load", methods=["GET", "POST"], endpoint="load")
def load() -> ResponseReturnValue:
    """A sheet of goods that came in: first what becomes of each row, then all of it or nothing."""
    problem, found, name = None, None, ""
    if request.method == "POST":
        try:
            if "text" in request.form:
                actor, raw = mine()["actor"], request.form["text"].encode()
                done = stock_list.load(raw, request.form.get("name", ""), actor=actor, today=day_of(None))
                return redirect(url_for("stores.page", loaded=done.count("new")), 303)
            file = request.files.get("file")
            if file is None or not file.filename:
                words = "请选一个文件。 / Choose a file."
                raise Problem("invalid-form", count=1, errors={"file": [words]})
            name = file.filename
            found = stock_list.preview(file.read(), name, today=day_of(None))
        except Problem as raised:
            if raised.name in ELSEWHERE:
                raise
            problem = raised
    page = render_template(
        "goods/load.html", found=found, name=name, problem=problem, shown=SHOWN, errors=at_fields(problem)
    )
    return page, problem.status if problem else 200


def _goods(trip: str) -> TripGoods:
    with reading() as conn:
        found = queries.trip_goods(conn, trip, g.scope) if is_uuid(trip) else None
    if found is None:
        raise Problem("unknown-trip")
    return found
