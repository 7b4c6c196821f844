"""What a laptop holds of each stream: how fresh it is, what is still coming in, what was taken away."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, case, func, select

from aidvisit.domain.stream import StreamType, stream_type, town_of, trip_stream
from aidvisit.store.queries.catalog import names_of
from aidvisit.store.queries.trip import TripHead
from aidvisit.store.tables import Team, Trip
from sync import freshness, tables
from sync.freshness import Fresh
from sync.log import LogState

ACCESS = "access.recorded"
TOLD = timedelta(days=7)
"""How long people are told that a stream was taken away, where nothing of theirs waits there."""


@dataclass(frozen=True, slots=True)
class Stream:
    """`name` of a town, trip or team, "" where it is not known here. `fresh`: None for one that was taken away."""

    stream: str
    type: StreamType | None
    name: str
    fresh: Fresh | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of some streams. `as_of`: of the least fresh one; None: not all of one was ever here.

    `coming`: those that are still coming in. `streams`: how many they are in all; none: there is nothing to know.
    """

    as_of: str | None
    coming: list[Stream]
    streams: int


@dataclass(frozen=True, slots=True)
class Gone:
    """A stream that was taken from this laptop. `since`: when it learned of it.

    `unsent`, `held`: own records there that wait here, and that the centre holds for review.
    """

    stream: Stream
    since: str
    unsent: int
    held: int


def holding(conn: Connection) -> list[Stream]:
    """Every granted stream, in the order in which they come in."""
    return _named(conn, freshness.streams(conn))


def coming(conn: Connection) -> list[Stream]:
    """Those that are still coming in."""
    found = freshness.coming(conn)
    return _named(conn, found) if found else []


def known(conn: Connection, *, town: str | None = None, trip: TripHead | None = None) -> Known:
    """Of one town; of a trip and all that its households may be in; of every town."""
    fresh = freshness.streams(conn)
    if town is not None:
        chosen = [one for one in fresh if one.stream == town]
    elif trip is not None:
        prefixes = tuple(town_of(code) for code in trip.divisions)
        chosen = [one for one in fresh if one.stream == trip_stream(trip.id) or _within(one.stream, prefixes)]
    else:
        chosen = [one for one in fresh if stream_type(one.stream) == "town"]
    times = [one.as_of for one in chosen]
    oldest = None if None in times else min((time for time in times if time is not None), default=None)
    return Known(oldest, _named(conn, [one for one in chosen if one.coming]), len(chosen))


def _within(stream: str, prefixes: tuple[str, ...]) -> bool:
    return stream_type(stream) == "town" and stream.startswith(prefixes)


def gone(conn: Connection, state: LogState, now: datetime) -> list[Gone]:
    """What was taken away lately, or where something of this laptop's own still waits; the latest first."""
    told = freshness.gone(conn)
    if not told:
        return []
    op = tables.op.c
    unsent = func.sum(case((op.seq > state.through, 1), else_=0))
    held = func.sum(case((op.problem.is_not(None) & op.dismissed.is_(False), 1), else_=0))
    query = select(op.stream, unsent.label("unsent"), held.label("held")).where(op.device == state.device)
    rows = conn.execute(query.where(op.stream.in_(sorted(told))).group_by(op.stream))
    counts = {row.stream: (int(row.unsent), int(row.held)) for row in rows}
    streams = _named(conn, [Fresh(stream, 0, None, None) for stream in told])
    found = [Gone(one, told[one.stream], *counts.get(one.stream, (0, 0))) for one in streams]
    lately = (now - TOLD).isoformat()
    found = [one for one in found if one.unsent or one.held or one.since > lately]
    return sorted(found, key=lambda one: one.since, reverse=True)


_op = tables.op.c
_UNSENT = (
    select(_op.kind, func.count())
    .where(_op.device == bindparam("device"), _op.seq > bindparam("through"), _op.kind.is_not(None))
    .group_by(_op.kind)
    .order_by(func.count().desc(), _op.kind)
)


def unsent_kinds(conn: Connection, state: LogState) -> list[tuple[str, int]]:
    """What waits to be sent, by kind, the most first."""
    asked = {"device": state.device, "through": state.through}
    return [(row[0], row[1]) for row in conn.execute(_UNSENT, asked)]


def unsent_accesses(conn: Connection, state: LogState) -> int:
    """How much of what waits to be sent nobody recorded: it says who looked at what (`access.recorded`)."""
    return dict(unsent_kinds(conn, state)).get(ACCESS, 0)


_ORDER = {"org": 0, "team": 1, "trip": 2, "town": 3, "office": 4, None: 5}


def _named(conn: Connection, fresh: Iterable[Fresh]) -> list[Stream]:
    fresh = list(fresh)
    found = names(conn, [one.stream for one in fresh])
    streams = [Stream(one.stream, stream_type(one.stream), found.get(one.stream, ""), one) for one in fresh]
    return sorted(streams, key=lambda one: (_ORDER[one.type], one.stream))


def names(conn: Connection, streams: Collection[str]) -> dict[str, str]:
    """Of towns, trips and teams that are known here."""
    towns = {stream for stream in streams if stream_type(stream) == "town"}
    found = {code: chain[-1] for code, chain in names_of(conn, towns).items() if len(chain) > 1} if towns else {}
    for model, prefix, title in ((Trip, "trip-", Trip.title), (Team, "team-", Team.name)):
        ids = sorted(stream.removeprefix(prefix) for stream in streams if stream.startswith(prefix))
        if ids:
            rows = conn.execute(select(model.id, title).where(model.id.in_(ids)))
            found |= {prefix + row[0]: row[1] for row in rows}
    return found
