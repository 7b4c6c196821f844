"""The facts that plan a trip, say who gets what, and let it go to its laptops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from aidvisit.domain.facts.trip import MAX_LINES
from aidvisit.domain.stream import trip_stream
from aidvisit.services.bodies import filled
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.ledger import Fact
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


def allotted(trip: str, lines: Iterable[AllotmentLine]) -> Iterator[Fact]:
    """The facts of an allotment, at most 200 lines each."""
    rest = ({"household": h, "item": item, "quantity": quantity} for h, item, quantity in lines)
    while some := list(islice(rest, MAX_LINES)):
        yield Fact(trip_stream(trip), "allocation.set", trip, {"lines": some})


def released_fact(trip: str, devices: Mapping[str, Sequence[str]]) -> Fact:
    """The fact of a release, for a transaction that records more than that. It names every laptop anew."""
    named = [filled(device=device, groups=list(groups)) for device, groups in devices.items()]
    return Fact(trip_stream(trip), "trip.released", trip, {"devices": named})
