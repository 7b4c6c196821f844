"""How each kind of fact changes the tables, one file per noun. What is applied in any order gives the same rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from aidvisit.store.apply import account, catalog, delivery, household, settlement, stock, trip, visit
from sync.log import Entry, entries_of

Replay = Callable[[Connection, str, Sequence[Entry]], None]
Apply = Callable[[Connection, Entry], None]

# By entity (aidvisit.domain.facts). What has no rows yet stays in the log until a version that knows better.
REPLAY: dict[str, Replay] = {
    "division": catalog.replay,
    "category": catalog.replay,
    "item": catalog.replay,
    "place": catalog.replay,
    "team": account.replay_team,
    "user": account.replay_user,
    "device": account.replay_device,
    "access": account.replay_access,
    "duplicate": settlement.replay,
    "trip": trip.replay,
    "stock": stock.replay,
    "household": household.replay,
    "visit": visit.replay,
    "delivery": delivery.replay,
}

# Where one op changes little of what its subject has, it is merged by itself instead.
APPLY: dict[str, Apply] = {
    "division": catalog.apply,
    "category": catalog.apply,
    "item": catalog.apply,
    "place": catalog.apply,
    "trip": trip.apply,
}


def apply(conn: Connection, entity: str, entry: Entry) -> bool:
    """Change the rows that one op is about; false when this version keeps none for it."""
    if entity in APPLY:
        APPLY[entity](conn, entry)
    elif entity in REPLAY:
        REPLAY[entity](conn, entry.op.subject, entries_of(conn, entry.op.subject))
    else:
        return False
    return True


def replay(conn: Connection, entities: set[str], subject: str) -> None:
    """Make a subject's rows anew from all that is held about it; with no known entity, whatever it was."""
    entries = entries_of(conn, subject)
    for one in {REPLAY[entity]: None for entity in sorted(entities & REPLAY.keys() or REPLAY)}:
        one(conn, subject, entries)
