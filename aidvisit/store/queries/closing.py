"""Closing a trip: who closed and reopened it, and what came in about it afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from aidvisit.domain import mask
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.author import authors
from aidvisit.store.queries.catalog import Quantity, items, quantities
from aidvisit.store.tables import Delivery, Household, StockCount, StockMove, Visit
from sync import clock, log
from sync.log import Entry
from sync.rows import among

CLOSINGS = ("trip.closed", "trip.reopened")
DECIDED = ("op.released", "op.dismissed")


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody closed the trip or opened it again. `why`: the note, or the reason."""

    closed: bool
    at: datetime
    by: str
    why: str | None


@dataclass(frozen=True, slots=True)
class LateFact:
    """A fact about the trip that counted here only after it was closed. `arrived`: when it came in, or was released.

    `household_name`: "" of one that lies outside, or where it is about none. `lines`: what it says of goods.
    """

    kind: str
    source: str
    arrived: str
    recorded: datetime
    by: str
    device_name: str
    date: str
    household: str | None
    household_name: str
    lines: list[Quantity]


def steps(conn: Connection, trip: str) -> list[Step]:
    """The latest first."""
    held = log.entries_of(conn, trip, CLOSINGS)
    known = authors(conn, (one.op.actor for one in held), (one.op.device for one in held))
    return [
        Step(
            one.op.kind == "trip.closed",
            recorded(one),
            known.by(one.op.actor, one.op.device),
            mask.text(one.op.body.get("note") or one.op.body.get("reason")),
        )
        for one in reversed(held)
    ]


def late(conn: Connection, trip: str, scope: Scope = EVERYTHING) -> list[LateFact]:
    """What has come in about a trip since it was closed last, the latest first; nothing when it never was.

    Also what had arrived before, but was held for review until after the closing.
    """
    closed = log.entries_of(conn, trip, {"trip.closed"})
    if not closed:
        return []
    since = closed[-1].received_at
    held = log.histories(conn, _subjects(conn, trip)).values()
    found = sorted(((at, one) for history in held for one, at in arrivals(history) if at > since), key=_latest)
    return _told(conn, found, scope)


def _latest(pair: tuple[str, Entry]) -> tuple[str, str]:
    return pair[0], pair[1].name


def arrivals(history: Sequence[Entry]) -> Iterable[tuple[Entry, str]]:
    """Of one subject: each fact with when it began to count here; what is said of facts is left out."""
    released = {
        f"{one.op.body.get('device')}/{one.op.body.get('seq')}": one.received_at
        for one in history
        if one.op.kind == "op.released"
    }
    for one in history:
        if one.op.kind not in (*DECIDED, *CLOSINGS):
            place = f"{one.op.device}/{one.op.seq}"
            yield one, max(one.received_at, released.get(place, ""))


def _subjects(conn: Connection, trip: str) -> list[str]:
    tables = (Delivery, Visit, StockMove, StockCount)
    return [
        trip,
        *(one for table in tables for one in conn.execute(select(table.id).where(table.trip == trip)).scalars()),
    ]


def _told(conn: Connection, found: Sequence[tuple[str, Entry]], scope: Scope) -> list[LateFact]:
    known = authors(conn, (one.op.actor for _at, one in found), (one.op.device for _at, one in found))
    alias, names = aliases(conn), items(conn)
    made = _makers(conn, [one for _at, one in found])
    bodies = [made.get(one.op.subject, {}) | one.op.body for _at, one in found]
    homes = {alias.of(body["household"]) for body in bodies if "household" in body}
    called = _homes(conn, homes, scope)
    told = []
    for (at, one), body in zip(reversed(found), reversed(bodies), strict=True):
        home = alias.of(body["household"]) if "household" in body else None
        told.append(
            LateFact(
                one.op.kind,
                one.op.subject,
                at,
                recorded(one),
                known.by(one.op.actor, one.op.device),
                known.device(one.op.device),
                str(body.get("date", "")),
                home,
                called.get(home or "", ""),
                quantities(names, goods_of(body)),
            )
        )
    return told


def _makers(conn: Connection, entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
    """By subject what the fact that made it says: a void names neither the household nor the goods."""
    voids = {one.op.subject for one in entries if one.op.kind.endswith(".voided")}
    held = log.histories(conn, voids, {"delivery.recorded", "visit.recorded"})
    return {subject: history[0].op.body for subject, history in held.items() if history}


def goods_of(body: dict[str, Any]) -> dict[str, int]:
    """How much of each item a fact names: of a delivery, a movement, a count or an allotment."""
    sums: dict[str, int] = {}
    for line in body.get("lines") or ():
        sums[line["item"]] = sums.get(line["item"], 0) + int(line.get("quantity", line.get("counted", 0)))
    return sums


def recorded(entry: Entry) -> datetime:
    return clock.from_ms(clock.parse(entry.clock)[0]).astimezone(UTC)


def _homes(conn: Connection, wanted: Iterable[str], scope: Scope) -> dict[str, str]:
    query = select(Household.id, Household.name).where(
        among(conn, Household.id, list(wanted)), within.places(Household.division.expression, scope)
    )
    return {row.id: row.name for row in conn.execute(query)}
