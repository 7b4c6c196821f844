"""trip.* and allocation.set → trip, whom it was released to, and who is to get what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, case, delete

from aidvisit.domain import fold
from aidvisit.store.apply.rows import Values, about, order_key, records, replace, upsert
from aidvisit.store.tables import Allocation, Release, Trip
from sync.log import Entry, entries_of

KINDS = (
    "trip.planned",
    "trip.updated",
    "trip.locked",
    "trip.approved",
    "trip.released",
    "trip.closed",
    "trip.reopened",
)


def apply(conn: Connection, entry: Entry) -> None:
    """A big trip has its allotment in many ops: each is merged by itself, not all of them again for each."""
    if entry.op.kind == "allocation.set":
        _allot(conn, [entry])
    else:
        _plan(conn, entry.op.subject, entries_of(conn, entry.op.subject, KINDS))


def replay(conn: Connection, subject: str, entries: Sequence[Entry]) -> None:
    _plan(conn, subject, [entry for entry in entries if entry.op.kind in KINDS])
    conn.execute(delete(Allocation).where(Allocation.trip == subject))
    _allot(conn, [entry for entry in entries if entry.op.kind == "allocation.set"])


def _plan(conn: Connection, subject: str, entries: Sequence[Entry]) -> None:
    held = about(entries, {"trip.planned"})
    state = fold.trip(records(held))
    replace(conn, Trip, Trip.id == subject, [_trip(held[0], state)] if state else [])
    replace(conn, Release, Release.trip == subject, _releases(held[0], state) if state else [])


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


def _allot(conn: Connection, entries: Iterable[Entry]) -> None:
    """Each (household, item) is as the greatest op says, and stands where the least one first named it."""
    for entry in entries:
        key = order_key(entry)
        lines = enumerate(entry.op.body["lines"])
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for position, line in lines:
            named = (line["household"], line["item"])
            first = rows[named]["first_key"] if named in rows else f"{key}/{position:04d}"
            rows[named] = {
                "trip": entry.op.subject,
                "household": line["household"],
                "item": line["item"],
                "stream": entry.op.stream,
                "quantity": line["quantity"],
                "order_key": key,
                "first_key": first,
            }
        upsert(conn, Allocation, list(rows.values()), _merged)


def _merged(new: Any) -> dict[str, Any]:
    later = new.order_key > Allocation.order_key
    return {
        "quantity": case((later, new.quantity), else_=Allocation.quantity),
        "order_key": case((later, new.order_key), else_=Allocation.order_key),
        "first_key": case((new.first_key < Allocation.first_key, new.first_key), else_=Allocation.first_key),
    }
