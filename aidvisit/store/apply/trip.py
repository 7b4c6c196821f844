"""trip.* and allocation.set → trip, whom it was released to, and who is to get what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, case, delete

from aidvisit.domain import fold
from aidvisit.store.apply.rows import Histories, Values, about, order_key, records, replace, upsert
from aidvisit.store.tables import Allocation, Release, Trip
from sync.log import Entry, histories_with
from sync.rows import among

KINDS = (
    "trip.planned",
    "trip.updated",
    "trip.locked",
    "trip.approved",
    "trip.released",
    "trip.closed",
    "trip.reopened",
)


def apply(conn: Connection, entries: Sequence[Entry]) -> None:
    """A big trip has its allotment in many ops: each is merged by itself, not all of them again for each."""
    _allot(conn, [entry for entry in entries if entry.op.kind == "allocation.set"])
    planned = [entry for entry in entries if entry.op.kind != "allocation.set"]
    if planned:
        _plan(conn, histories_with(conn, planned, KINDS))


def replay(conn: Connection, histories: Histories) -> None:
    _plan(conn, {trip: [e for e in entries if e.op.kind in KINDS] for trip, entries in histories.items()})
    conn.execute(delete(Allocation).where(among(conn, Allocation.trip, histories)))
    _allot(conn, [e for entries in histories.values() for e in entries if e.op.kind == "allocation.set"])


def _plan(conn: Connection, histories: Histories) -> None:
    trips: list[Values] = []
    releases: list[Values] = []
    for entries in histories.values():
        held = about(entries, {"trip.planned"})
        if state := fold.trip(records(held)):
            trips.append(_trip(held[0], state))
            releases += _releases(held[0], state)
    replace(conn, Trip, Trip.id, histories, trips)
    replace(conn, Release, Release.trip, histories, releases)


def _trip(planned: Entry, state: fold.Trip) -> Values:
    body = state.body
    return {
        "id": planned.op.subject,
        "stream": planned.op.stream,
        "title": body["title"],
        "starts": body["starts"],
        "ends": body["ends"],
        "team": body.get("team"),
        "divisions": body.get("divisions", []),
        "tour": body.get("tour"),
        "distance_km": body.get("distance_km"),
        "note": body.get("note"),
        "status": state.status,
        "planned_by": planned.op.device,
        "order_key": order_key(planned),
    }


def _releases(planned: Entry, state: fold.Trip) -> list[Values]:
    rows = {
        device["device"]: {
            "trip": planned.op.subject,
            "device": device["device"],
            "stream": planned.op.stream,
            "groups": device.get("groups", []),
        }
        for device in state.devices
    }
    return list(rows.values())


def _allot(conn: Connection, entries: Sequence[Entry]) -> None:
    """Each (household, item) is as the greatest op says, and stands where the least one first named it."""
    upsert(conn, Allocation, [row for entry in entries for row in _lines(entry)], _merged)


def _lines(entry: Entry) -> list[Values]:
    key = order_key(entry)
    rows: dict[tuple[str, str], Values] = {}
    for position, line in enumerate(entry.op.body["lines"]):
        named = (line["household"], line["item"])
        rows[named] = {
            "trip": entry.op.subject,
            "household": line["household"],
            "item": line["item"],
            "stream": entry.op.stream,
            "quantity": line["quantity"],
            "order_key": key,
            "first_key": rows[named]["first_key"] if named in rows else f"{key}/{position:04d}",
        }
    return list(rows.values())


def _merged(new: Any) -> dict[str, Any]:
    later = new.order_key > Allocation.order_key
    return {
        "quantity": case((later, new.quantity), else_=Allocation.quantity),
        "order_key": case((later, new.order_key), else_=Allocation.order_key),
        "first_key": case((new.first_key < Allocation.first_key, new.first_key), else_=Allocation.first_key),
    }
