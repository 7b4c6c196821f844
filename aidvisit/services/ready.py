"""Ready to go where there is no line? What the laptop has for a trip, line by line: there, or missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from aidvisit.services import sync
from aidvisit.services.vault import vault
from aidvisit.store.database import reading
from aidvisit.store.queries import ready as queries
from aidvisit.store.queries.holding import unsent_accesses
from aidvisit.store.queries.ready import Held
from aidvisit.store.queries.trip import TripHead
from sync import blobs, clock, log

FRESH = timedelta(hours=24)
"""A list that was last known longer ago is fetched again before anybody leaves."""
DISK_BYTES = 1024**3
PHOTO_BYTES = 700 * 1024
PHOTOS_EACH = 2
"""Of a household: the handing out, and a signed sheet."""


@dataclass(frozen=True, slots=True)
class Line:
    """`name`: what it is about. `lacks`: why it is not there, "" where it is. `told`: what its words name."""

    name: str
    lacks: str = ""
    told: dict[str, Any] = field(default_factory=dict)


def lines(head: TripHead, clock_off: Callable[[log.LogState], str]) -> list[Line]:
    """Every line of a trip on this laptop, now. `clock_off`: in words, what is wrong with the clock."""
    with reading() as conn:
        held = queries.held(conn, head)
        state = log.state(conn)
        return [
            *_of_trip(held),
            _people(held),
            _keys(conn, state),
            _version(conn),
            Line("clock", "never" if state.synced_at is None else "off" if clock_off(state) else "",
                 {"words": clock_off(state)}),
            *_room(held),
            _unsent(conn, state),
        ]  # fmt: skip


def _of_trip(held: Held) -> Iterator[Line]:
    told = {"n": held.listed, "known": held.known}
    yield Line("list", _list(held), told)
    lacking = [one for one in held.villages if not one.granted or not one.households]
    yield Line("villages", "empty" if lacking or not held.villages else "", {"villages": held.villages})
    lacks = "unnamed" if held.unnamed else "none" if not held.items else ""
    yield Line("items", lacks, {"items": held.items, "unnamed": held.unnamed})
    short = [line for line in held.truck if line.after < 0]
    loaded = any(line.on_truck for line in held.truck)
    yield Line("goods", "short" if short else "" if loaded else "none", {"truck": held.truck, "short": short})


def _list(held: Held) -> str:
    if held.trip.status == "closed":
        return "closed"
    if held.elsewhere:
        return "elsewhere"
    if not held.listed:
        return "none"
    if held.known.coming or held.known.as_of is None:
        return "coming"
    return "" if clock.wall() - datetime.fromisoformat(held.known.as_of) <= FRESH else "old"


def _people(held: Held) -> Line:
    """Whose password opens this laptop without a line."""
    openers = vault().openers if vault().exists else {one.id for one in held.people if one.password_hash}
    can = [one.name for one in held.people if one.id in openers]
    cannot = [one.name for one in held.people if one.id not in openers]
    return Line("people", "nobody" if not can else "some" if cannot else "", {"can": can, "cannot": cannot})


def _keys(conn: Connection, state: log.LogState) -> Line:
    if state.trouble is not None:
        return Line("keys", "trouble", {"trouble": state.trouble})
    if log.recall(conn, "server") is None:
        return Line("keys", "enrolled")
    return Line("keys", "" if vault().exists else "plain")


def _version(conn: Connection) -> Line:
    """The centre says its version when a laptop comes with another one."""
    own, other = sync.VERSION, log.recall(conn, "centre_version")
    lacks = "never" if log.recall(conn, "told_at") is None else "other" if other else ""
    return Line("version", lacks, {"own": own, "other": other})


def _room(held: Held) -> Iterator[Line]:
    free = shutil.disk_usage(sync.current_settings().home).free
    yield Line("disk", "" if free >= DISK_BYTES else "full", {"free": free, "least": DISK_BYTES})
    fit, wanted = max(0, free - DISK_BYTES // 2) // PHOTO_BYTES, held.listed * PHOTOS_EACH
    yield Line("photos", "" if fit >= wanted else "full", {"fit": fit, "wanted": wanted})


def _unsent(conn: Connection, state: log.LogState) -> Line:
    records = state.waiting - (unsent_accesses(conn, state) if state.waiting else 0)
    waiting = blobs.waiting(conn).count
    lacks = "held" if state.quarantined else "waits" if records or waiting else ""
    return Line("unsent", lacks, {"records": records, "blobs": waiting, "held": state.quarantined})
