"""Whom somebody who manages others reaches, and that somebody is always left to manage. At the centre."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from aidvisit.domain.rights import Scope, of_everything
from aidvisit.errors import Problem
from aidvisit.store.queries import account as queries
from aidvisit.store.queries.account import TeamRow, UserRow
from sync import log


@contextmanager
def managing(conn: Connection, actor: str) -> Iterator[None]:
    """A change of teams or people: one at a time, and not one that leaves nobody to undo it.

    Raises: Problem `not-allowed` on a laptop, `last-admin`.
    """
    if not log.is_centre(conn):
        raise Problem("not-allowed", actor_or_device=actor, kind="account")
    log.lock_device(conn, log.own(conn))
    before = _admins(conn)
    yield
    if any(was and not left for was, left in zip(before, _admins(conn), strict=True)):
        raise Problem("last-admin")


def _admins(conn: Connection) -> tuple[int, int]:
    """How many active administrators there are for everything, and in all."""
    heads = {team.id for team in queries.teams(conn) if of_everything(team.level, team.parent, team.divisions)}
    admins = [user for user in queries.users(conn) if user.active and user.role == "admin"]
    return sum(admin.team in heads for admin in admins), len(admins)


def team_within(conn: Connection, scope: Scope, identity: str) -> TeamRow:
    """A team that somebody answers for. Raises: Problem `unknown-team`, also for a team outside."""
    team = queries.team(conn, identity)
    if team is None or not scope.team(team.id):
        raise Problem("unknown-team", team=identity)
    return team


def user_within(conn: Connection, scope: Scope, identity: str) -> UserRow:
    """A person of a team that somebody answers for. Raises: Problem `unknown-user`, also for one outside."""
    user = queries.user(conn, identity)
    if user is None or not scope.team(user.team):
        raise Problem("unknown-user")
    return user


def free_login(conn: Connection, login: str) -> None:
    """Whether a login may be somebody's: nobody active has it. Raises: Problem `login-taken`."""
    holder = queries.user_by_login(conn, login)
    if holder is not None and holder.active:
        raise Problem("login-taken", login=login)


def place_within(conn: Connection, scope: Scope, team: TeamRow, before: TeamRow | None = None) -> None:
    """Whether a team may stand where it is to stand: below what exists, and no wider than who puts it there.

    `before`: what it was; what stays as it was is not judged again.
    Raises: Problem `unknown-team`, `team-circle`, `scope-too-wide`.
    """
    if team.parent is not None and (before is None or team.parent != before.parent):
        team_within(conn, scope, team.parent)
        if team.id in _line(conn, team.parent):
            raise Problem("team-circle")
    added = set(team.divisions) - set(before.divisions if before else ())
    rooted = team.parent is None and (before is None or before.parent is not None)
    wide = rooted or of_everything(team.level, team.parent, team.divisions) or not all(map(scope.place, added))
    if wide and not scope.everything:
        raise Problem("scope-too-wide")


def _line(conn: Connection, team: str | None) -> set[str]:
    """A team and all above it."""
    parents = {each.id: each.parent for each in queries.teams(conn)}
    line: set[str] = set()
    while team is not None and team not in line:
        line.add(team)
        team = parents.get(team)
    return line
