"""Goods moved and counted (stream `trip-<id>`, or `org` for what is no trip's)."""

from __future__ import annotations

from typing import Any

from aidvisit.domain import place
from aidvisit.domain.facts.fields import NOTE, Body, Date, Many, Part, PlaceRef, Text, Whole, code
from aidvisit.domain.facts.kind import KindOf, Reference
from aidvisit.domain.stream import trip_of
from sync.op import MAX_INT


class MovedLine(Body):
    """`value_fen`: worth of one unit of this lot."""

    item = code()
    quantity = Whole(1, required=True)
    lot = Text()
    expires = Date()
    value_fen = Whole()


class Moved(Body):
    """`slip` is the number of the paper."""

    from_ = PlaceRef(required=True, data_key="from")
    to = PlaceRef(required=True)
    date = Date(required=True)
    lines = Many(Part(MovedLine), least=1, required=True)
    slip = Text()
    reason = Text(NOTE)


class CountedLine(Body):
    item = code()
    lot = Text()
    counted = Whole(required=True)


class Explained(Body):
    """`difference`: either sign."""

    item = code()
    difference = Whole(-MAX_INT, required=True)
    reason = Text(NOTE, required=True)


class Counted(Body):
    place = PlaceRef(required=True)
    date = Date(required=True)
    lines = Many(Part(CountedLine), required=True)
    explained = Many(Part(Explained))


def _own_trip(stream: str, _subject: str, body: dict[str, Any]) -> list[Reference]:
    trip = trip_of(stream)
    own = {str(made(trip)) for made in (place.truck, place.gain, place.loss)} if trip else set()
    named = own & {body.get("from"), body.get("to"), body.get("place")}
    return [("trip", trip)] if trip and named else []


KINDS = tuple(
    KindOf(
        kind=kind,
        stream="trip",
        or_stream="org",
        schema=schema,
        entity="stock",
        creates=True,
        names=_own_trip,
    )
    for kind, schema in (("stock.moved", Moved), ("stock.counted", Counted))
)
