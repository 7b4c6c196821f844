"""The facts that plan a trip, say who gets what, let it go to its laptops, and close it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from aidvisit.domain.facts.trip import MAX_LINES
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.stream import trip_stream
from aidvisit.errors import Problem
from aidvisit.services import stock
from aidvisit.services.bodies import filled
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import trip as queries
from aidvisit.store.queries.reconcile import item_rows
from sync.log import Entry

AllotmentLine = tuple[str, str, int]
"""(household id, item code, quantity); 0 takes the line away."""


def plan(
    *,
    actor: str,
    trip: str,
    title: str,
    starts: str,
    ends: str,
    team: str,
    divisions: Sequence[str],
    tour: str | None = None,
    distance_km: int | None = None,
    note: str | None = None,
) -> Entry:
    """One team, one truck, some days, some villages. `trip` is the new id.

    Raises: Problem `invalid-body`, `subject-exists`.
    """
    fact = planned(
        trip, title=title, starts=starts, ends=ends, team=team, divisions=divisions, tour=tour,
        distance_km=distance_km, note=note,
    )  # fmt: skip
    with transaction() as conn:
        return ledger.record(conn, actor, fact)[0]


def planned(trip: str, **fields: object) -> Fact:
    """The fact that a trip is planned, for a transaction that records more than that."""
    return Fact(trip_stream(trip), "trip.planned", trip, filled(**fields))


def allocate(*, actor: str, trip: str, lines: Iterable[AllotmentLine]) -> list[Entry]:
    """Set what households are to get. Raises: Problem `invalid-body`, `unknown-subject`."""
    with transaction() as conn:
        return ledger.record(conn, actor, *allotted(trip, lines))


def close(*, actor: str, trip: str, note: str | None = None, scope: Scope = EVERYTHING) -> Entry:
    """Everything that was loaded is accounted for, and the office is done with it. At the centre.

    Raises: Problem `unknown-trip`, `trip-is-closed`, `trip-unsettled` (`items`: their names).
    """
    with transaction() as conn:
        head = queries.trip(conn, trip, scope)
        if head is None:
            raise Problem("unknown-trip")
        if head.status == "closed":
            raise Problem("trip-is-closed")
        open_items = [row.name for row in item_rows(conn, trip) if not row.settled]
        if open_items:
            raise Problem("trip-unsettled", items="、".join(open_items))
        return ledger.record(conn, actor, Fact(trip_stream(trip), "trip.closed", trip, filled(note=note)))[0]


def reopen(*, actor: str, trip: str, reason: str, scope: Scope = EVERYTHING) -> Entry:
    """What was closed can be changed again. Raises: Problem `unknown-trip`, `trip-is-open`, `invalid-body`."""
    with transaction() as conn:
        head = queries.trip(conn, trip, scope)
        if head is None:
            raise Problem("unknown-trip")
        if head.status != "closed":
            raise Problem("trip-is-open")
        return ledger.record(conn, actor, Fact(trip_stream(trip), "trip.reopened", trip, {"reason": reason}))[0]


def explain(
    *, actor: str, trip: str, date: str, reasons: Mapping[str, str], move: str | None = None, scope: Scope = EVERYTHING
) -> Entry:
    """Say why goods are missing, or too many, that a count has shown: the count is recorded again with the reasons.

    `reasons`: by item; `move`: the id that the form was made with.
    Raises: Problem as `stock.count`; `invalid-form` (`errors`: `reason.<item>`) where no reason or no difference is.
    """
    with transaction() as conn:
        if queries.trip(conn, trip, scope) is None:
            raise Problem("unknown-trip")
        rows = [row for row in item_rows(conn, trip) if row.item in reasons and row.counted is not None and row.missing]
    given = {row: reasons[row.item].strip() for row in rows if reasons[row.item].strip()}
    if not given:
        words = "请至少写明一样的原因。 / Give the reason for at least one item."
        raise Problem("invalid-form", count=1, errors={"reason": [words]})
    return stock.count(
        actor=actor, trip=trip, date=date, move=move, scope=scope,
        counted={row.item: row.still_there for row in given},
        explained=[
            {"item": row.item, "difference": row.difference, "reason": reason} for row, reason in given.items()
        ],
    )  # fmt: skip


def allotted(trip: str, lines: Iterable[AllotmentLine]) -> Iterator[Fact]:
    """The facts of an allotment, at most 200 lines each."""
    rest = ({"household": h, "item": item, "quantity": quantity} for h, item, quantity in lines)
    while some := list(islice(rest, MAX_LINES)):
        yield Fact(trip_stream(trip), "allocation.set", trip, {"lines": some})


def released_fact(trip: str, devices: Mapping[str, Sequence[str]]) -> Fact:
    """The fact of a release, for a transaction that records more than that. It names every laptop anew."""
    named = [filled(device=device, groups=list(groups)) for device, groups in devices.items()]
    return Fact(trip_stream(trip), "trip.released", trip, {"devices": named})
