"""team.*, user.*, device.* and access.recorded → the people, their laptops, and the audit."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from aidvisit.domain import fold
from aidvisit.store.apply.rows import Histories, Values, about, order_key, records, replace
from aidvisit.store.tables import Access, FieldDevice, Team, User
from sync import server
from sync.log import Entry


def replay_team(conn: Connection, histories: Histories) -> None:
    rows = []
    for entries in histories.values():
        held = about(entries, {"team.defined"})
        if state := fold.team(records(held)):
            rows.append(_team(held[0], state))
    replace(conn, Team, Team.id, histories, rows)


def _team(defined: Entry, state: fold.Fields) -> Values:
    body = state.body
    return {
        "id": defined.op.subject,
        "stream": defined.op.stream,
        "name": body["name"],
        "type": body.get("type"),
        "level": body.get("level"),
        "parent": body.get("parent"),
        "divisions": body.get("divisions", []),
        "order_key": order_key(defined),
    }


def replay_user(conn: Connection, histories: Histories) -> None:
    rows = []
    for entries in histories.values():
        held = about(entries, {"user.defined"})
        if state := fold.user(records(held)):
            rows.append(_user(held[0], state))
    replace(conn, User, User.id, histories, rows)


def _user(defined: Entry, state: fold.Fields) -> Values:
    body = state.body
    return {
        "id": defined.op.subject,
        "stream": defined.op.stream,
        "team": defined.op.stream.removeprefix("team-"),
        "login": body["login"],
        "name": body["name"],
        "phone": body.get("phone"),
        "role": body["role"],
        "password_hash": body.get("password_hash"),
        "key": body.get("key"),
        "active": body["active"],
        "order_key": order_key(defined),
    }


def replay_device(conn: Connection, histories: Histories) -> None:
    """The latest name counts; a revocation is final, and from this commit on the centre refuses the device."""
    rows = []
    for subject, entries in histories.items():
        if held := about(entries, {"device.enrolled"}):
            revoked = next((entry for entry in held if entry.op.kind == "device.revoked"), None)
            rows.append(_device(held, revoked))
            if revoked:
                server.revoke(conn, subject)
    replace(conn, FieldDevice, FieldDevice.id, histories, rows)


def _device(held: Sequence[Entry], revoked: Entry | None) -> Values:
    named = fold.latest(records([entry for entry in held if entry.op.kind != "device.revoked"]))
    body = held[0].op.body
    return {
        "id": held[0].op.subject,
        "stream": held[0].op.stream,
        "name": named.body["name"] if named else body["name"],
        "team": body["team"],
        "public_key": body["public_key"],
        "revoked_reason": revoked.op.body["reason"] if revoked else None,
        "enrolled_key": order_key(held[0]),
    }


def replay_access(conn: Connection, histories: Histories) -> None:
    held = [about(entries, {"access.recorded"})[:1] for entries in histories.values()]
    replace(conn, Access, Access.id, histories, [_access(entry) for first in held for entry in first])


def _access(entry: Entry) -> Values:
    op, body = entry.op, entry.op.body
    return {
        "id": op.subject,
        "stream": op.stream,
        "actor": op.actor,
        "device": op.device,
        "what": body["what"],
        "household": body.get("household"),
        "rows": body.get("rows"),
        "detail": body.get("detail"),
        "order_key": order_key(entry),
    }
