"""What the ids and codes of a selection are called, for the headings of pages and papers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import Selection
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import of_one
from aidvisit.store.queries.catalog import categories, items, own_names
from aidvisit.store.queries.goods import place_names
from aidvisit.store.queries.trip import trip
from aidvisit.store.tables import Household, Team, Trip
from sync.rows import among

Names = Mapping[str, str]
"""By the name of a selection's field; what is not known is called by its code, and "" where it lies outside."""


def names(conn: Connection, asked: Selection, scope: Scope = EVERYTHING) -> Names:
    """Of every field that asks for something."""
    found = asked.arguments
    for field in ("trip", "tour"):
        if field in found:
            head = trip(conn, found[field], scope)
            found[field] = "" if head is None else (head.tour or head.title) if field == "tour" else head.title
    if asked.team:
        own = select(Team.name).where(Team.id == asked.team)
        found["team"] = conn.execute(own).scalar() or "" if scope.team(asked.team) else ""
    if asked.item:
        known = items(conn).get(asked.item)
        found["item"] = known.name if known else asked.item
    if asked.category:
        found["category"] = categories(conn).get(asked.category, asked.category)
    if asked.division:
        found["division"] = own_names(conn, [asked.division]).get(asked.division, asked.division)
    if asked.household:
        found["household"] = _household(conn, asked.household, scope)
    shown = {one for one in (asked.place, asked.donor and f"donor:{asked.donor}") if ":" in one}
    called = place_names(conn, shown)
    found |= {"place": called[asked.place]} if asked.place in called else {}
    found |= {"donor": called[f"donor:{asked.donor}"]} if asked.donor else {}
    return found


def _household(conn: Connection, identity: str, scope: Scope) -> str:
    own = of_one(conn, identity).of(identity)
    query = select(Household.name).where(Household.id == own, within.places(Household.division.expression, scope))
    return conn.execute(query).scalar() or ""


def team_names(conn: Connection) -> dict[str, str]:
    """What every team is called, by its id."""
    return {row.id: row.name for row in conn.execute(select(Team.id, Team.name))}


def titles(conn: Connection, trips: Iterable[str]) -> dict[str, str]:
    """What these trips are called, by their ids."""
    wanted = [one for one in trips if one]
    return {row.id: row.title for row in conn.execute(select(Trip.id, Trip.title).where(among(conn, Trip.id, wanted)))}
