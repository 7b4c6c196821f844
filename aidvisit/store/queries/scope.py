"""What a person answers for at the centre, and how queries keep to it: what lies outside is as if it did not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Select, false, or_, select, true

from aidvisit.domain.rights import EVERYTHING, Scope, of_everything
from aidvisit.store.tables import Access, FieldDevice, Household, Release, Team, Trip, User
from sync import tables

op = tables.op.c


_TEAMS = select(Team.id, Team.level, Team.parent, Team.divisions)


def scope_of(conn: Connection, team: str) -> Scope:
    """What the people of a team answer for: it and the teams below it, where those work, and where their trips go.

    The head of the programme answers for everything; a team that is not known here for nothing. Three statements.
    """
    rows = {row.id: row for row in conn.execute(_TEAMS)}
    if team not in rows:
        return Scope()
    own = rows[team]
    if of_everything(own.level, own.parent, own.divisions):
        return EVERYTHING
    teams = frozenset(below(team, {row.id: row.parent for row in rows.values()}))
    codes = {code for one in teams for code in rows[one].divisions}
    carried = select(Trip.divisions).where(Trip.id.in_(_carried(teams)))
    codes |= {code for divisions in conn.execute(carried).scalars() for code in divisions}
    return Scope(tuple(sorted(codes)), teams)


def narrowed(conn: Connection, scope: Scope, codes: Sequence[str]) -> Scope:
    """What of a scope lies in these divisions; of teams those that work nowhere else."""
    if not codes:
        return scope
    inside = tuple(codes)
    rows = conn.execute(_TEAMS).all()
    teams = {row.id for row in rows if row.divisions and all(code.startswith(inside) for code in row.divisions)}
    return scope.narrowed(codes, frozenset(teams))


def below(team: str, parents: Mapping[str, str | None]) -> set[str]:
    """A team and all teams below it; in a circle each counts once."""
    children: dict[str, list[str]] = {}
    for one, parent in parents.items():
        if parent is not None:
            children.setdefault(parent, []).append(one)
    found, waiting = {team}, [team]
    while waiting:
        new = [child for child in children.get(waiting.pop(), ()) if child not in found]
        found.update(new)
        waiting += new
    return found


def under(column: ColumnElement[str], codes: Iterable[str]) -> ColumnElement[bool]:
    """Codes that begin with one of these: ranges, so that an index serves; the colon follows the digit 9."""
    return or_(false(), *((column >= code) & (column < f"{code}:") for code in codes))


def places(column: ColumnElement[str], scope: Scope) -> ColumnElement[bool]:
    """Divisions that lie in a scope."""
    return true() if scope.everything else under(column, scope.divisions)


def households(column: ColumnElement[str] | ColumnElement[str | None], scope: Scope) -> ColumnElement[bool]:
    """Ids of households that lie in a scope."""
    if scope.everything:
        return true()
    return column.in_(select(Household.id).where(places(Household.division.expression, scope)))


def teams(column: ColumnElement[str] | ColumnElement[str | None], scope: Scope) -> ColumnElement[bool]:
    """Ids of teams that lie in a scope."""
    return true() if scope.everything else column.in_(sorted(scope.teams))


def trips(scope: Scope) -> ColumnElement[bool]:
    """Trips of a scope's teams, and those that a laptop of theirs carries or planned."""
    if scope.everything:
        return true()
    planned = Trip.planned_by.in_(_laptops(scope.teams))
    return or_(Trip.team.in_(sorted(scope.teams)), planned, Trip.id.in_(_carried(scope.teams)))


def laptops(column: ColumnElement[str], scope: Scope) -> ColumnElement[bool]:
    """Ids of laptops of a scope's teams."""
    return true() if scope.everything else column.in_(_laptops(scope.teams))


def _laptops(of_teams: Iterable[str]) -> Select[tuple[str]]:
    return select(FieldDevice.id).where(FieldDevice.team.in_(sorted(of_teams)))


def _carried(of_teams: Iterable[str]) -> Select[tuple[str]]:
    return select(Release.trip).where(Release.device.in_(_laptops(of_teams)))


def records(scope: Scope) -> ColumnElement[bool]:
    """Ops in a place, of a person, on a laptop or about a household, a trip or a team that the scope covers."""
    if scope.everything:
        return true()
    people = select(User.id).where(teams(User.team.expression, scope))
    looked_at = select(Access.id).where(households(Access.household.expression, scope))
    return or_(
        within_streams(scope),
        op.actor.in_(people),
        laptops(op.device, scope),
        laptops(op.subject, scope),
        teams(op.subject, scope),
        op.subject.in_(select(Trip.id).where(trips(scope))),
        op.subject.in_(looked_at),
    )


def within_streams(scope: Scope) -> ColumnElement[bool]:
    """Ops of a scope's towns and teams."""
    return or_(under(op.stream, scope.divisions), op.stream.in_([f"team-{team}" for team in sorted(scope.teams)]))
