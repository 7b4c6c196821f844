"""Names of streams (docs/protocol.md section 1, "Streams")."""

from __future__ import annotations

import re
from typing import Literal

from sync.op import is_uuid

StreamType = Literal["org", "office", "team", "trip", "town"]

_TOWN = re.compile(r"[0-9]{9}")


def stream_type(stream: str) -> StreamType | None:
    """What a stream holds; None for a name that no stream may have."""
    if stream == "org":
        return "org"
    if stream == "office":
        return "office"
    if stream.startswith("team-") and is_uuid(stream[5:]):
        return "team"
    if stream.startswith("trip-") and is_uuid(stream[5:]):
        return "trip"
    return "town" if _TOWN.fullmatch(stream) else None


def trip_stream(trip: str) -> str:
    return f"trip-{trip}"


def team_stream(team: str) -> str:
    return f"team-{team}"


def trip_of(stream: str) -> str | None:
    """The trip whose stream this is."""
    return stream[5:] if stream_type(stream) == "trip" else None


def town_of(division: str) -> str:
    """The stream of a household registered in this village (12 digits)."""
    return division[:9]
