"""Goods received, loaded, moved on, returned, lost and counted. Quantities are in each item's own unit, cash in fen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain import place
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.stream import trip_stream
from aidvisit.domain.text import tidied
from aidvisit.errors import Problem
from aidvisit.services.bodies import checked, filled, quantities
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import stock as queries
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.warning import over_truck
from sync import log
from sync.log import Entry
from sync.op import is_uuid, uuid7

MAIN = "warehouse:main"
LOAD, RETURN, CUSTODY, RECEIPT = "CK", "TK", "DC", "RK"
"""How the number of a slip begins: 出库单, 退库单, 代存单, 入库单."""


def load(
    *,
    actor: str,
    trip: str,
    date: str,
    lines: Mapping[str, int],
    from_: str = MAIN,
    lots: Mapping[str, str] | None = None,
    slip: str | None = None,
    move: str | None = None,
    scope: Scope = EVERYTHING,
) -> Entry:
    """From a warehouse, a fund or a donor onto the truck (出库单). `move` is the id that the form was made with: sent
    again, it is saved once. Without `slip` it gets the next number.

    `lots`: of which lot an item is. Without, it is of the only one that is there, if that is enough; else nobody knows.
    Raises: Problem `unknown-trip`, `trip-is-closed`, `invalid-form`.
    """
    said = {item: lot.strip() for item, lot in (lots or {}).items() if lot.strip()}
    with reading() as conn:
        before = log.entries_of(conn, move, {"stock.moved"}) if move else []
        there = queries.lots(conn, [from_])[from_]
    if before:  # the same form again: what it took then is there no more
        known = {line["item"]: line.get("lot") for line in before[0].op.body["lines"]}
    else:
        known = {item: said.get(item) or _only_lot(there.get(item, {}), lines[item]) for item in lines}
    taken = [line | filled(lot=known.get(line["item"])) for line in quantities(lines)]
    body = filled(from_=from_, to=place.truck(trip), date=date, lines=taken, slip=slip)
    return _move(actor, trip, body, move, LOAD, scope)


def _only_lot(there: Mapping[str | None, int], quantity: int) -> str | None:
    """The lot that all of an item is of, where there is as much of it."""
    return next(iter(there)) if len(there) == 1 and sum(there.values()) >= quantity else None


def return_(
    *,
    actor: str,
    trip: str,
    date: str,
    lines: Mapping[str, int],
    to: str = MAIN,
    slip: str | None = None,
    over: str | None = None,
    move: str | None = None,
    scope: Scope = EVERYTHING,
) -> Entry:
    """From the truck back to a warehouse (退库单). As `load`. `over`: why more goes off than the truck has.

    Raises: Problem `needs-reason` (`warnings`: as a delivery's) without it.
    """
    body = filled(from_=place.truck(trip), to=to, date=date, lines=quantities(lines), slip=slip, reason=over)
    return _move(actor, trip, body, move, RETURN, scope, over)


def transfer(
    *,
    actor: str,
    trip: str,
    date: str,
    lines: Mapping[str, int],
    to: str,
    over: str | None = None,
    move: str | None = None,
    scope: Scope = EVERYTHING,
) -> Entry:
    """From this truck to that of the trip `to`. Who gives records it; the other truck knows it after a sync.

    Raises: Problem `unknown-trip`, `trip-is-closed`, `invalid-form`, `needs-reason` (as `return_`).
    """
    errors = {"to": ["不能转给自己这辆车。 / A truck cannot give to itself."]} if to == trip else {}
    if errors or not is_uuid(to):
        raise Problem("invalid-form", count=1, errors=errors or {"to": ["请选一辆车。 / Choose a truck."]})
    body = filled(from_=place.truck(trip), to=place.truck(to), date=date, lines=quantities(lines), reason=over)
    return _move(actor, trip, body, move, LOAD, scope, over)


def report_loss(
    *,
    actor: str,
    trip: str,
    date: str,
    lines: Mapping[str, int],
    reason: str,
    over: str | None = None,
    move: str | None = None,
    scope: Scope = EVERYTHING,
) -> Entry:
    """Broken, spoilt or gone (报损), with its cause. As `return_`, but without a slip."""
    if not reason.strip():
        words = "请写明怎么损失的。 / Say how it was lost."
        raise Problem("invalid-form", count=1, errors={"reason": [words]})
    goods = quantities(lines)
    why = f"{reason.strip()};{over.strip()}" if over and over.strip() else reason
    body = filled(from_=place.truck(trip), to=place.loss(trip), date=date, lines=goods, reason=why)
    return _move(actor, trip, body, move, None, scope, over)


def gain(
    *,
    actor: str,
    trip: str,
    date: str,
    lines: Mapping[str, int],
    reason: str,
    move: str | None = None,
    scope: Scope = EVERYTHING,
) -> Entry:
    """More on the truck than the books know (盘盈), with its explanation. As `report_loss`."""
    if not reason.strip():
        words = "请写明多出来的从哪里来。 / Say where it comes from."
        raise Problem("invalid-form", count=1, errors={"reason": [words]})
    goods = quantities(lines)
    body = filled(from_=place.gain(trip), to=place.truck(trip), date=date, lines=goods, reason=reason)
    return _move(actor, trip, body, move, None, scope)


def receive(
    *,
    actor: str,
    from_: str,
    to: str,
    date: str,
    lines: Sequence[Mapping[str, Any]],
    slip: str | None = None,
    reason: str | None = None,
    move: str | None = None,
) -> Entry:
    """Into a warehouse or fund, from a donor or another one (入库单). At the centre.

    `lines`: item, quantity, and perhaps lot, expires, value_fen (of one unit).
    Raises: Problem `not-allowed` on a laptop, `invalid-form`.
    """
    errors: dict[str, list[str]] = {}
    if not lines:
        errors["lines"] = ["请至少填一样。 / Fill in at least one item."]
    if from_ == to:
        errors["to"] = ["从哪里来和到哪里去不能一样。 / It cannot come from where it goes."]
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    body = filled(from_=from_, to=to, date=date, lines=[filled(**line) for line in lines], slip=slip, reason=reason)
    with transaction() as conn:
        if not log.is_centre(conn):
            raise Problem("not-allowed", actor_or_device=actor, kind="stock.moved")
        return _record(conn, actor, "org", body, move, RECEIPT)


def count(
    *,
    actor: str,
    trip: str,
    date: str,
    counted: Mapping[str, int],
    explained: Sequence[Mapping[str, Any]] = (),
    move: str | None = None,
    scope: Scope = EVERYTHING,
) -> Entry:
    """What is found on the truck (盘点), zeros included; `explained`: item, difference, reason of what does not fit.

    Raises: Problem `unknown-trip`, `trip-is-closed`, `invalid-form`.
    """
    body = {
        "place": place.truck(trip),
        "date": date,
        "lines": [{"item": item, "counted": quantity} for item, quantity in counted.items()],
        **filled(explained=[dict(line) for line in explained]),
    }
    with transaction() as conn:
        _open(conn, trip, scope)
        return _once(conn, actor, Fact(trip_stream(trip), "stock.counted", move or uuid7(), body))


def _move(
    actor: str,
    trip: str,
    body: dict[str, Any],
    move: str | None,
    slip: str | None,
    scope: Scope,
    over: str | None = None,
) -> Entry:
    if not body.get("lines"):
        words = "请至少填一样的数量。 / Give the quantity of at least one item."
        raise Problem("invalid-form", count=1, errors={"lines": [words]})
    with transaction() as conn:
        _open(conn, trip, scope)
        sent_before = move is not None and bool(log.entries_of(conn, move, {"stock.moved"}))
        if body["from"] == place.truck(trip) and not sent_before and not (over or "").strip():
            odd = over_truck(conn, trip, {line["item"]: line["quantity"] for line in body["lines"]})
            if odd:
                raise Problem("needs-reason", count=len(odd), warnings=[asdict(one) for one in odd])
        return _record(conn, actor, trip_stream(trip), body, move, slip)


def _record(
    conn: Connection, actor: str, stream: str, body: dict[str, Any], move: str | None, slip: str | None
) -> Entry:
    before = log.entries_of(conn, move, {"stock.moved"}) if move else []
    if before:
        body = body | filled(slip=before[0].op.body.get("slip"))
    elif slip and "slip" not in body:
        body = body | {"slip": next_slip(conn, slip, body["date"])}
    return _once(conn, actor, Fact(stream, "stock.moved", move or uuid7(), body))


def _once(conn: Connection, actor: str, fact: Fact) -> Entry:
    """What the same form saved before, else what it saves now. Raises: Problem `invalid-form`, `subject-exists`."""
    fact = checked(fact)
    for entry in log.entries_of(conn, fact.subject, {fact.kind}):
        if entry.op.body == tidied(fact.body):
            return entry
    return ledger.record(conn, actor, fact)[0]


def next_slip(conn: Connection, kind: str, date: str) -> str:
    """The next number on this machine that day, as `CK20260329-9f3a-01`: no two machines make the same."""
    key = f"slips:{kind}:{date}"
    number = int(log.recall(conn, key, 0)) + 1
    log.remember(conn, **{key: number})
    return f"{kind}{date.replace('-', '')}-{log.own(conn)[-4:]}-{number:02d}"


def _open(conn: Connection, trip: str, scope: Scope) -> None:
    head = trips.trip(conn, trip, scope)
    if head is None:
        raise Problem("unknown-trip")
    if head.status == "closed":
        raise Problem("trip-is-closed")
