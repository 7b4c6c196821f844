"""Which day it is: for the reader, and for a trip that is over or has not begun."""

from __future__ import annotations

from aidvisit.services import sync
from aidvisit.store.queries.trip import TripHead
from sync import clock


def day_of(trip: TripHead | None) -> str:
    """Today (YYYY-MM-DD), moved into the days of a trip: what is entered later belongs to its last day."""
    today = clock.wall().astimezone(sync.current_settings().zone).date().isoformat()
    return today if trip is None else min(max(today, trip.starts), trip.ends)
