"""Teams and the people in them. By the centre, but for signing in."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.stream import team_stream
from aidvisit.errors import Problem
from aidvisit.services import audit, passwords, sync
from aidvisit.services.bodies import filled
from aidvisit.services.catalog import ORG
from aidvisit.services.reach import free_login, managing, place_within, team_within
from aidvisit.store import ledger, uploads
from aidvisit.store.database import reading, transaction
from aidvisit.store.doors import Doors
from aidvisit.store.ledger import Fact
from aidvisit.store.queries.account import TeamRow, UserRow, user_by_login
from aidvisit.store.queries.scope import scope_of
from sync import clock
from sync.op import uuid7


def add_team(
    *,
    actor: str,
    name: str,
    level: int = 3,
    parent: str | None = None,
    divisions: Sequence[str] = (),
    type_: str = "team",
    scope: Scope = EVERYTHING,
) -> str:
    """A team and where it works (a county stands for its towns); its new id. `scope`: of who adds it.

    Raises: Problem `unknown-team` (the parent), `scope-too-wide`, `invalid-body`, `not-allowed`.
    """
    team = uuid7()
    body = filled(name=name, type_=type_, level=level, parent=parent) | {"divisions": list(divisions)}
    with transaction() as conn, managing(conn, actor):
        place_within(conn, scope, TeamRow(team, name, type_, level, parent or None, list(divisions)))
        ledger.record(conn, actor, Fact(ORG, "team.defined", team, body))
    return team


def add_user(
    *,
    actor: str,
    login: str,
    name: str,
    role: str,
    team: str,
    password: str,
    phone: str | None = None,
    scope: Scope = EVERYTHING,
) -> str:
    """A person of a team; the new id. A login is free again when whoever had it is active no more.

    Raises: Problem `login-taken`, `unknown-team`, `weak-password`, `invalid-body`, `not-allowed`.
    """
    check_password(password, login)
    secret = passwords.made(password)
    user = uuid7()
    body = {"login": login.strip(), "name": name, "role": role, "active": True, **filled(phone=phone), **secret}
    with transaction() as conn, managing(conn, actor):
        free_login(conn, login.strip())
        team_within(conn, scope, team)
        ledger.record(conn, actor, Fact(team_stream(team), "user.defined", user, body))
    return user


def check_password(password: str, login: str = "") -> None:
    """Whether it may become that login's. Raises: Problem `weak-password`, why in `reason`."""
    passwords.check(password, login.strip())


def doors() -> Doors:
    """What this home counts and remembers of those who try its doors."""
    return Doors(sync.current_settings().home)


def forget_old_lists() -> None:
    """Lists that somebody brought and never imported go after a day, whoever signs in next; a full disk keeps them."""
    with suppress(Problem), transaction() as conn:
        uploads.forget_old(conn, clock.wall())


def verify_password(login: str, password: str, address: str | None = None, *, at_team: str | None = None) -> UserRow:
    """Who signs in, from which address. The same answer, after the same computation, whatever was wrong.

    `at_team`: the team of the laptop that asks for them; who does not answer for that team is nobody there.
    Raises: Problem `wrong-password`, `too-many-sign-ins` (`retry_after` in seconds).
    """
    with doors().guarded("sign-in", login, address) as last_free:
        with reading() as conn:
            user = user_by_login(conn, login.strip())
            if user is not None and at_team is not None and not scope_of(conn, user.team).team(at_team):
                user = None
        right = passwords.matches(user.password_hash if user else None, password)
        if user is None or not right or not user.active:
            if last_free:
                audit.brake_closed(user.id if user else None)
            raise Problem("wrong-password")
        return user
