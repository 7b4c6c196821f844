"""Goods of a trip: loaded, returned, lost, counted. Lines are item code → quantity in the item's own unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aidvisit.domain import place
from aidvisit.domain.stream import trip_stream
from aidvisit.services.bodies import filled, quantities
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.ledger import Fact
from sync.log import Entry
from sync.op import uuid7

MAIN = "warehouse:main"


def load(
    *, actor: str, trip: str, date: str, lines: Mapping[str, int], from_: str = MAIN, slip: str | None = None
) -> Entry:
    """From a warehouse onto the truck (出库单). Raises: Problem `invalid-body`."""
    return _move(actor, trip, filled(from_=from_, to=place.truck(trip), date=date, lines=quantities(lines), slip=slip))


def return_(
    *, actor: str, trip: str, date: str, lines: Mapping[str, int], to: str = MAIN, slip: str | None = None
) -> Entry:
    """From the truck back to a warehouse (退库单). Raises: Problem `invalid-body`."""
    return _move(actor, trip, filled(from_=place.truck(trip), to=to, date=date, lines=quantities(lines), slip=slip))


def report_loss(*, actor: str, trip: str, date: str, lines: Mapping[str, int], reason: str) -> Entry:
    """Broken, spoilt or gone (报损). Raises: Problem `invalid-body`."""
    goods = quantities(lines)
    return _move(
        actor, trip, filled(from_=place.truck(trip), to=place.loss(trip), date=date, lines=goods, reason=reason)
    )


def count(
    *,
    actor: str,
    trip: str,
    date: str,
    counted: Mapping[str, int],
    explained: Sequence[Mapping[str, Any]] = (),
) -> Entry:
    """What is found on the truck (盘点), zeros included. Raises: Problem `invalid-body`."""
    body = {
        "place": place.truck(trip),
        "date": date,
        "lines": [{"item": item, "counted": quantity} for item, quantity in counted.items()],
        **filled(explained=[dict(line) for line in explained]),
    }
    with transaction() as conn:
        return ledger.record(conn, actor, Fact(trip_stream(trip), "stock.counted", uuid7(), body))[0]


def _move(actor: str, trip: str, body: dict[str, Any]) -> Entry:
    with transaction() as conn:
        return ledger.record(conn, actor, Fact(trip_stream(trip), "stock.moved", uuid7(), body))[0]
