"""A team was at a household: met, not at home, moved …; and taking back what was recorded by mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services.bodies import checked, filled
from aidvisit.services.delivery import Blob
from aidvisit.services.household import stream_of
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import household as households
from aidvisit.store.queries import visit as visits
from aidvisit.store.queries.warning import visit_warnings
from sync.blobs import put as keep_blob
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
    by: Sequence[str] = (),
    member: str | None = None,
    minutes: int | None = None,
    needs: Sequence[str] = (),
    proofs: Sequence[Mapping[str, Any]] = (),
    blobs: Sequence[Blob] = (),
    sure: bool = True,
    scope: Scope = EVERYTHING,
) -> Entry:
    """`visit` is the id that the form was made with: a double click saves once. `by`: who went, else the actor.

    `sure`: whatever is odd about it was seen. Raises: Problem `unknown-household`; `invalid-form` (`errors`: path →
    messages); `needs-confirming` (`warnings`: rule, members of its words) unless `sure`; `subject-exists`.
    """
    with transaction() as conn:
        fact = visit_fact(
            conn, actor=actor, visit=visit, household=household, trip=trip, date=date, outcome=outcome,
            purposes=purposes, note=note, with_=with_, by=by, member=member, minutes=minutes, needs=needs,
            proofs=proofs, scope=scope,
        )  # fmt: skip
        odd = [] if sure else visit_warnings(conn, household, date)
        if odd:
            raise Problem("needs-confirming", count=len(odd), warnings=[asdict(one) for one in odd])
        for name, media_type, data in blobs:
            keep_blob(conn, name, media_type, data)
        return ledger.record(conn, actor, fact)[0]


def visit_fact(
    conn: Connection,
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
    by: Sequence[str] = (),
    member: str | None = None,
    minutes: int | None = None,
    needs: Sequence[str] = (),
    proofs: Sequence[Mapping[str, Any]] = (),
    scope: Scope = EVERYTHING,
) -> Fact:
    """The fact of a visit, for a transaction that records more than that. Raises: as `record_visit`."""
    body = filled(household=household, member=member, trip=trip, date=date, outcome=outcome, minutes=minutes, note=note)
    body |= filled(with_=filled(**(with_ or {})), needs=list(needs), proofs=[dict(proof) for proof in proofs])
    body |= {"purposes": list(purposes), "by": list(by) or [actor]}
    return checked(Fact(_stream_within(conn, household, scope), "visit.recorded", visit, body))


def void(*, actor: str, household: str, visit: str, reason: str, scope: Scope = EVERYTHING) -> Entry:
    """A visit that was not; final. Raises: Problem `unknown-household`, `unknown-visit`, `invalid-form`."""
    with transaction() as conn:
        _stream_within(conn, household, scope)
        found = visits.visit(conn, household, visit)
        if found is None:
            raise Problem("unknown-visit", id=visit)
        fact = Fact(found.stream, "visit.voided", visit, filled(reason=reason))
        return ledger.record(conn, actor, checked(fact))[0]


def _stream_within(conn: Connection, household: str, scope: Scope) -> str:
    """The stream that a household stands in, if it lies where the actor answers for."""
    if not scope.everything and households.household(conn, household, scope) is None:
        raise Problem("unknown-household", id=household)
    return stream_of(conn, household)
