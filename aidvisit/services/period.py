"""Month close: the figures of a period as this centre has them, kept for the accountant."""

from __future__ import annotations

from aidvisit.domain.rights import Scope
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.store.database import transaction
from aidvisit.store.queries import period as queries
from aidvisit.store.queries.catalog import items
from sync import log
from sync.op import uuid7


def close(*, actor: str, team: str, from_: str, until: str, today: str, scope: Scope) -> str:
    """Keep the figures of these days as they are now. Who did, and when, goes to the audit. Returns the closing's id.

    `team`: the actor's, whose `scope` the figures are of.
    Raises: Problem `period-lasts` until its last day is over, `period-is-closed` (`id`).
    """
    if until >= today:
        raise Problem("period-lasts", until=until)
    with transaction() as conn:
        for one in queries.closed_periods(conn, scope):
            if (one.from_, one.until, one.team) == (from_, until, team):
                raise Problem("period-is-closed", id=one.id)
        figures = queries.figures(conn, from_, until, scope)
        entry = audit.record(actor, audit.PERIOD_CLOSED, conn=conn, detail=f"{from_} {until}")
        worth = {code: one.value_fen for code, one in items(conn).items() if one.value_fen is not None}
        value = {
            "from": from_, "until": until, "at": entry.received_at, "actor": actor, "team": team, "figures": figures,
            "worth": worth,
            "scope": {
                "divisions": list(scope.divisions), "teams": sorted(scope.teams), "everything": scope.everything,
            },
        }  # fmt: skip
        identity = uuid7()
        log.remember(conn, **{f"{queries.KEY}{identity}": value})
        return identity
