"""One trip: its plan, its allotment and how far it came (stream `trip-<id>`)."""

from __future__ import annotations

from typing import Any

from aidvisit.domain.facts.fields import (
    ADDRESS,
    NOTE,
    Body,
    Date,
    Identity,
    Many,
    NumberOrText,
    OneOf,
    Part,
    Text,
    Whole,
    Why,
    code,
    division,
    sha256,
)
from aidvisit.domain.facts.kind import KindOf, Reference, about_trip, name_subject
from aidvisit.domain.facts.update import SetPaths, Update
from aidvisit.domain.stream import trip_of

MAX_LINES = 200


class Trip(Body):
    title = Text(required=True)
    starts = Date(required=True)
    ends = Date(required=True)
    team = Identity(required=True)
    divisions = Many(division(required=True), required=True)
    tour = Text()
    distance_km = Whole()
    note = Text(NOTE)


class TripUpdate(Update):
    set = SetPaths(Trip)


class AllocationLine(Body):
    """A quantity of 0 takes the line away."""

    household = Identity(required=True)
    item = code()
    quantity = Whole(required=True)


class Allocation(Body):
    lines = Many(Part(AllocationLine), most=MAX_LINES, required=True)


class Nothing(Body):
    """A fact that says all by its kind."""


class Remark(Body):
    note = Text(NOTE)


class ReleasedDevice(Body):
    """Without `groups`, the laptop gets every household of the trip."""

    device = Identity(required=True)
    groups = Many(Text(required=True))


class Released(Body):
    devices = Many(Part(ReleasedDevice), required=True)


class Notice(Body):
    """A public notice (公示) before or after the distribution; `sha256` is its photo."""

    as_ = OneOf("before", "after", required=True, data_key="as")
    from_ = Date(required=True, data_key="from")
    until = Date(required=True)
    where = Text(ADDRESS)
    objections = NumberOrText(NOTE)
    sha256 = sha256()


def _kind(kind: str, schema: type[Body], **rest: Any) -> KindOf:
    row = {"names": name_subject("trip"), "rule": about_trip, "entity": "trip", **rest}
    return KindOf(kind=kind, stream="trip", schema=schema, **row)


def _stream_trip(stream: str, _subject: str, _body: dict[str, Any]) -> list[Reference]:
    trip = trip_of(stream)
    return [("trip", trip)] if trip else []


KINDS = (
    KindOf(kind="trip.planned", stream="trip", schema=Trip, entity="trip", creates=True, rule=about_trip),
    _kind("trip.updated", TripUpdate),
    _kind("allocation.set", Allocation),
    _kind("trip.locked", Nothing),
    _kind("trip.approved", Remark),
    _kind("trip.released", Released, by="centre"),
    _kind("trip.closed", Remark),
    _kind("trip.reopened", Why),
    KindOf(kind="notice.posted", stream="trip", schema=Notice, entity="notice", names=_stream_trip),
)
