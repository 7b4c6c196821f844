"""What this laptop has for a trip before it goes where there is no line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from aidvisit.domain.stream import stream_type, town_of
from aidvisit.store.queries.account import UserRow, users
from aidvisit.store.queries.alias import aliases, stands
from aidvisit.store.queries.catalog import items, named, names_of
from aidvisit.store.queries.holding import Known, known
from aidvisit.store.queries.progress import stops
from aidvisit.store.queries.scope import under
from aidvisit.store.queries.trip import TripHead, TruckLine, today
from aidvisit.store.tables import Household, Release
from sync import freshness, log


@dataclass(frozen=True, slots=True)
class HeldVillage:
    """A place of the trip. `households`: open ones that are known here. `granted`: this laptop may have them."""

    code: str
    name: str
    households: int
    granted: bool


@dataclass(frozen=True, slots=True)
class Held:
    """`listed`: how many households are to get something. `elsewhere`: the trip was released, but not to this laptop.

    `unnamed`: codes of allotted items that no catalogue names here. `truck`: what is on it and what is needed.
    """

    trip: TripHead
    listed: int
    elsewhere: bool
    known: Known
    villages: Sequence[HeldVillage]
    items: Sequence[str]
    unnamed: Sequence[str]
    truck: Sequence[TruckLine]
    people: Sequence[UserRow]


def held(conn: Connection, head: TripHead) -> Held:
    """What is here of one trip."""
    found = [stop for stop in stops(conn, head.id) if stop.allotted]
    codes, catalogue = {item for stop in found for item in stop.allotted}, items(conn)
    releases = set(conn.execute(select(Release.device).where(Release.trip == head.id)).scalars())
    return Held(
        head, len(found), bool(releases) and log.own(conn) not in releases, known(conn, trip=head),
        _villages(conn, head.divisions), [one.name for one in named(catalogue, codes & catalogue.keys())],
        sorted(codes - catalogue.keys()), today(conn, head.id).truck,
        [one for one in users(conn) if one.active],
    )  # fmt: skip


def _villages(conn: Connection, divisions: Sequence[str]) -> list[HeldVillage]:
    towns = [one.stream for one in freshness.streams(conn) if stream_type(one.stream) == "town"]
    standing = stands(conn, aliases(conn))
    found, names = [], names_of(conn, set(divisions))
    for code in divisions:
        here = under(Household.division.expression, [code])
        query = select(func.count()).select_from(Household).where(here, Household.closed_reason.is_(None), standing)
        count = int(conn.execute(query).scalar_one())
        granted = any(town.startswith(town_of(code)) for town in towns)
        found.append(HeldVillage(code, (names.get(code) or [code])[-1], count, granted))
    return found
