"""Changing teams, people and passwords: every change is an edit that names the ops it had in view. At the centre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services import audit, passwords
from aidvisit.services.account import check_password, verify_password
from aidvisit.services.reach import free_login, managing, place_within, team_within, user_within
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries.account import UserRow
from aidvisit.store.queries.edit import Noun, View, view


def update_team(
    *,
    actor: str,
    team: str,
    name: str | None = None,
    level: int | None = None,
    parent: str | None = None,
    divisions: Sequence[str] | None = None,
    scope: Scope = EVERYTHING,
    seen: str | None = None,
) -> None:
    """Change what is given; `parent` "" makes it a team below none. `seen`: as for `update_user`.

    Raises: Problem `unknown-team`, `team-circle`, `scope-too-wide`, `last-admin`, `changed-meanwhile`, `invalid-body`.
    """
    given = {"name": name, "level": level, "divisions": None if divisions is None else list(divisions)}
    values: dict[str, Any] = {path: value for path, value in given.items() if value is not None}
    if parent is not None:
        values["parent"] = parent or None
    with transaction() as conn, managing(conn, actor):
        before = team_within(conn, scope, team)
        place_within(conn, scope, replace(before, **values), before)
        _edit(conn, actor, "team", team, values, seen)


def update_user(
    *,
    actor: str,
    user: str,
    name: str | None = None,
    phone: str | None = None,
    role: str | None = None,
    active: bool | None = None,
    scope: Scope = EVERYTHING,
    seen: str | None = None,
) -> None:
    """Change what is given; `phone` "" clears it. Nobody moves to another team: the stream is the team's.

    `seen`: what whoever decides had in view of the fields given (`in_view`); absent: whatever is there.
    Raises: Problem `unknown-user`, `login-taken`, `last-admin`, `changed-meanwhile`, `invalid-body`.
    """
    given: dict[str, Any] = {"name": name, "role": role, "active": active}
    values = {path: value for path, value in given.items() if value is not None}
    if phone is not None:
        values["phone"] = phone.strip() or None
    with transaction() as conn, managing(conn, actor):
        before = user_within(conn, scope, user)
        if active and not before.active:
            free_login(conn, before.login)
        _edit(conn, actor, "user", user, values, seen)


def set_password(*, actor: str, user: str, password: str, scope: Scope = EVERYTHING) -> None:
    """A new password by an administrator, with a new key pair: only the old password opens the old one.

    Raises: Problem `weak-password`, `unknown-user`, `own-password`.
    """
    check_password(password)
    if actor == user:
        raise Problem("own-password")
    secret = passwords.made(password)
    with transaction() as conn, managing(conn, actor):
        check_password(password, user_within(conn, scope, user).login)
        _edit(conn, actor, "user", user, secret)
        audit.record(actor, audit.PASSWORD_RESET, conn=conn, detail=user)


def change_password(
    login: str, old: str, new: str, address: str | None = None, *, at_team: str | None = None
) -> UserRow:
    """One's own password; the person as they are then. The key pair stays, and so does what is sealed to it.

    `address`, `at_team`: as for `verify_password`.
    Raises: Problem `weak-password`, `wrong-password`, `too-many-sign-ins`, `not-allowed` on a laptop.
    """
    check_password(new, login)
    passwords.check_change(old, new)
    user = verify_password(login, old, address, at_team=at_team)
    with reading() as conn:
        key = _view(conn, "user", user.id).fields.body["key"]
    # Outside of the transaction: this takes a second, and nobody can write meanwhile.
    secret = passwords.made(new, lambda: _wrapped_anew(key, old, new))
    with transaction() as conn, managing(conn, user.id):
        if _view(conn, "user", user.id).fields.body["password_hash"] != user.password_hash:
            raise Problem("wrong-password")  # another change came first
        _edit(conn, user.id, "user", user.id, secret)
        audit.record(user.id, audit.PASSWORD_CHANGE, conn=conn, detail=user.id)
    return replace(user, **secret)


def _wrapped_anew(key: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    try:
        return passwords.rewrapped_key(key, old, new)
    except (InvalidTag, ValueError):  # made elsewhere, and not with this password: a new one serves as well
        return passwords.wrapped_key(new)


def _edit(
    conn: Connection, actor: str, noun: Noun, subject: str, values: dict[str, Any], seen: str | None = None
) -> None:
    held = _view(conn, noun, subject)
    if seen is not None and seen != held.seen(values):
        raise Problem("changed-meanwhile")
    changes = held.changed(values)
    if changes:
        ledger.record(conn, actor, Fact(held.stream, f"{noun}.updated", subject, held.edit(changes)))


def _view(conn: Connection, noun: Noun, subject: str) -> View:
    held = view(conn, noun, subject)
    if held is None:
        raise Problem(f"unknown-{noun}")
    return held


def in_view(noun: Noun, subject: str, *paths: str) -> str:
    """What somebody who reads these fields now has in view, for `seen`."""
    with reading() as conn:
        return _view(conn, noun, subject).seen(paths)
