"""How facts change the tables, one file per noun. What is applied in any order gives the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from aidvisit.store.apply import account, catalog, delivery, erasure, household, settlement, stock, trip, visit
from aidvisit.store.apply.rows import Histories
from sync.log import Entry, histories_with

Replay = Callable[[Connection, Histories], None]
Apply = Callable[[Connection, Sequence[Entry]], None]

# By entity (aidvisit.domain.facts): the rows of subjects, from all that is held about each. What has no rows yet stays
# in the log until a version that knows better.
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
    "erasure": erasure.replay,
}

# Where one op changes little of what its subject has, it is merged by itself instead.
APPLY: dict[str, Apply] = {
    "division": catalog.apply,
    "category": catalog.apply,
    "item": catalog.apply,
    "place": catalog.apply,
    "trip": trip.apply,
}


def apply(conn: Connection, entity: str, entries: Sequence[Entry]) -> bool:
    """Change the rows that ops are about; false when this version keeps none for them."""
    if entity in APPLY:
        APPLY[entity](conn, entries)
    elif entity in REPLAY:
        REPLAY[entity](conn, histories_with(conn, entries))
    else:
        return False
    return True


def replay(conn: Connection, held: Histories, entities: Mapping[str, set[str]]) -> None:
    """Make subjects' rows anew from all that is held about them; of one with no known entity, whatever it was."""
    chosen: dict[Replay, dict[str, Sequence[Entry]]] = {}
    for subject, entries in held.items():
        for entity in entities[subject] & REPLAY.keys() or REPLAY:
            chosen.setdefault(REPLAY[entity], {})[subject] = entries
    for one, subjects in chosen.items():
        one(conn, subjects)
