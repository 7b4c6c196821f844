"""A team was at a household: met, not at home, moved …"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aidvisit.services.bodies import filled
from aidvisit.services.household import stream_of
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.ledger import Fact
from sync.log import Entry


def record_visit(
    *,
    actor: str,
    visit: str,
    household: str,
    trip: str | None,
    date: str,
    outcome: str,
    purposes: Sequence[str],
    note: str | None = None,
    with_: Mapping[str, str] | None = None,
) -> Entry:
    """`visit` is the id that the form was made with: a double click saves once.

    Raises: Problem `unknown-household`, `invalid-body`, `subject-exists`.
    """
    body = filled(household=household, trip=trip, date=date, outcome=outcome, note=note, with_=dict(with_ or {}))
    body |= {"purposes": list(purposes), "by": [actor]}
    with transaction() as conn:
        return ledger.record(conn, actor, Fact(stream_of(conn, household), "visit.recorded", visit, body))[0]


def void(*, actor: str, household: str, visit: str, reason: str) -> Entry:
    """A visit that was not; final."""
    with transaction() as conn:
        fact = Fact(stream_of(conn, household), "visit.voided", visit, {"reason": reason})
        return ledger.record(conn, actor, fact)[0]
