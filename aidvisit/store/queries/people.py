"""The teams as a tree with their people, as somebody who answers for a part of them may see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from aidvisit.domain.rights import Scope
from aidvisit.store.queries import account
from aidvisit.store.queries.account import TeamRow, UserRow
from aidvisit.store.queries.catalog import chain, own_names
from aidvisit.store.tables import Access
from sync import clock


@dataclass(frozen=True, slots=True)
class Place:
    """A division with the names of what it lies in; `name` is empty for a code that the catalogue does not have."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a team; `seen_at`: the last time they signed in, as far as the centre has heard."""

    user: UserRow
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team with where it works, its people (active ones first) and the teams below it."""

    team: TeamRow
    places: list[Place]
    people: list[Person]
    below: list[TeamView]


def tree(conn: Connection, scope: Scope) -> list[TeamView]:
    """The teams of a scope, each below its parent; at the top those whose parent is not in it. Nobody is left out."""
    teams = {team.id: team for team in account.teams(conn) if scope.team(team.id)}
    people: dict[str, list[Person]] = {}
    seen_at = _signed_in(conn)
    for user in sorted(account.users(conn), key=lambda one: not one.active):
        people.setdefault(user.team, []).append(Person(user, seen_at.get(user.id)))
    places = {place.code: place for place in named(conn, {code for team in teams.values() for code in team.divisions})}
    shown: set[str] = set()

    def view(team: TeamRow) -> TeamView:
        shown.add(team.id)
        below = [view(each) for each in teams.values() if each.parent == team.id and each.id not in shown]
        return TeamView(team, [places[code] for code in team.divisions], people.get(team.id, []), below)

    tops = [view(team) for team in teams.values() if team.parent not in teams]
    # Two edits at once may have put teams below each other in a circle.
    return tops + [view(team) for team in teams.values() if team.id not in shown]


def _signed_in(conn: Connection) -> dict[str, datetime]:
    """When each user last signed in."""
    latest = select(Access.actor, func.max(Access.order_key)).where(Access.what == "sign-in").group_by(Access.actor)
    return {user: clock.from_ms(clock.parse(key.partition("/")[0])[0]) for user, key in conn.execute(latest)}


def named(conn: Connection, codes: Iterable[str]) -> list[Place]:
    """Divisions by code, with county, town and village; above a county its own name alone."""
    codes = sorted(codes)
    names = own_names(conn, {step for code in codes for step in [*chain(code), code]})
    return [
        Place(code, " ".join(names[step] for step in chain(code) or [code] if step in names) if code in names else "")
        for code in codes
    ]
