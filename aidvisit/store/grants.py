"""Which streams a device may pull and author in (docs/protocol.md section 1, "Streams")."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from aidvisit.domain.stream import team_stream, trip_stream
from aidvisit.store.queries.scope import under
from aidvisit.store.tables import Division, FieldDevice, Household, Release, Team, Trip
from sync.log import Grants


def grants_of(conn: Connection, device: str) -> Grants:
    """The organisation, its team, where the team works, the trips that it carries and where those go.

    A trip that the device planned by itself grants the trip's stream and nothing else.
    """
    team = select(FieldDevice.team, Team.divisions).join(Team, Team.id == FieldDevice.team, isouter=True)
    own = conn.execute(team.where(FieldDevice.id == device)).first()
    if own is None:
        return Grants(frozenset({"org"}))
    carried = select(Trip.id, Trip.divisions).join(Release, Release.trip == Trip.id)
    released = conn.execute(carried.where(Release.device == device)).all()
    planned = conn.execute(select(Trip.id).where(Trip.planned_by == device)).scalars()
    codes = {*(own.divisions or ()), *(code for trip in released for code in trip.divisions)}
    streams = {"org", team_stream(own.team)} if own.team else {"org"}
    streams |= {trip_stream(trip) for trip in (*planned, *(trip.id for trip in released))}
    prefixes = tuple(sorted(code for code in codes if len(code) < 9))
    streams |= {code[:9] for code in codes if len(code) >= 9} | _towns(conn, prefixes)
    return Grants(frozenset(streams), prefixes)


def _towns(conn: Connection, prefixes: Iterable[str]) -> set[str]:
    """The towns under these counties that exist: defined, or with a household."""
    prefixes = list(prefixes)
    if not prefixes:
        return set()
    defined = select(Division.code).where(func.length(Division.code) == 9, under(Division.code.expression, prefixes))
    lived_in = select(Household.stream).distinct().where(under(Household.stream.expression, prefixes))
    return {*conn.execute(defined).scalars(), *conn.execute(lived_in).scalars()}
