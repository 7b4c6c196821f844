"""team.*, user.*, device.* and access.recorded → the people, their laptops, and the audit."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from aidvisit.domain import fold
from aidvisit.store.apply.rows import Values, about, order_key, records, replace
from aidvisit.store.tables import Access, FieldDevice, Team, User
from sync import server
from sync.log import Entry


def replay_team(conn: Connection, subject: str, entries: Sequence[Entry]) -> None:
    held = about(entries, {"team.defined"})
    state = fold.team(records(held))
    replace(conn, Team, Team.id == subject, [_team(held[0], state)] if state else [])


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


def replay_user(conn: Connection, subject: str, entries: Sequence[Entry]) -> None:
    held = about(entries, {"user.defined"})
    state = fold.user(records(held))
    replace(conn, User, User.id == subject, [_user(held[0], state)] if state else [])


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


def replay_device(conn: Connection, subject: str, entries: Sequence[Entry]) -> None:
    """The latest name counts; a revocation is final, and from this commit on the centre refuses the device."""
    held = about(entries, {"device.enrolled"})
    rows = []
    if held:
        named = fold.latest(records([entry for entry in held if entry.op.kind != "device.revoked"]))
        revoked = next((entry for entry in held if entry.op.kind == "device.revoked"), None)
        body = held[0].op.body
        rows.append(
            {
                "id": subject,
                "stream": held[0].op.stream,
                "name": named.body["name"] if named else body["name"],
                "team": body["team"],
                "public_key": body["public_key"],
                "revoked_reason": revoked.op.body["reason"] if revoked else None,
                "enrolled_key": order_key(held[0]),
            }
        )
        if revoked:
            server.revoke(conn, subject)
    replace(conn, FieldDevice, FieldDevice.id == subject, rows)


def replay_access(conn: Connection, subject: str, entries: Sequence[Entry]) -> None:
    held = about(entries, {"access.recorded"})
    replace(conn, Access, Access.id == subject, [_access(entry) for entry in held[:1]])


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
