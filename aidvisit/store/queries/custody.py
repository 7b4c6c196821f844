"""What the village committee keeps for a household (村委代存), and what of it is still there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, select

from aidvisit.domain.custody import movement_of
from aidvisit.store.queries.alias import Aliases, aliases, of_one
from aidvisit.store.queries.goods import place_names
from aidvisit.store.tables import Delivery, DeliveryLine, Household, StockLine, Visit
from sync import blobs


@dataclass(frozen=True, slots=True)
class Custody:
    """`place`: where it is kept, `name`: how that is called; `keeper`: who signed for it; `lines`: what is left there,
    quantity by item code.
    """

    place: str
    name: str
    keeper: str
    lines: dict[str, int]


def of_household(conn: Connection, household: str, trip: str | None = None) -> list[Custody]:
    """What is kept for one household (of one trip), by place; what was delivered from there is taken off."""
    alias = of_one(conn, household)
    return _kept(conn, alias, alias.all(household), trip).get(alias.of(household), [])


def of_trip(conn: Connection, trip: str) -> dict[str, list[Custody]]:
    """By household, what is kept of a trip's goods."""
    return _kept(conn, aliases(conn), None, trip)


@dataclass(frozen=True, slots=True)
class Left:
    """For whom goods were left and with whom. `drawn`: the keeper's signature where this machine has it, by SHA-256."""

    household: str
    name: str
    group: str
    keeper: str
    relation: str
    drawn: str | None


def left(conn: Connection, movement: str, trip: str) -> Left | None:
    """What a movement of a trip into custody was about; None of any other movement."""
    query = select(Visit.id, Visit.household, Visit.met_with, Visit.proofs).where(Visit.trip == trip)
    row = next((each for each in conn.execute(query) if movement_of(each.id) == movement), None)
    if row is None:
        return None
    known = conn.execute(
        select(Household.head_name, Household.village_group).where(Household.id == row.household)
    ).first()
    signed = {one["sha256"] for one in row.proofs or [] if one.get("as") == "signature" and "sha256" in one}
    who = row.met_with or {}
    name, group = known or ("", "")
    drawn = next(iter(blobs.held(conn, signed)), None)
    return Left(row.household, name, group or "", who.get("name", ""), who.get("relation", ""), drawn)


def _kept(conn: Connection, alias: Aliases, households: list[str] | None, trip: str | None) -> dict[str, list[Custody]]:
    visits = select(Visit.id, Visit.household, Visit.met_with).where(Visit.void_reason.is_(None))
    if households is not None:
        visits = visits.where(Visit.household.in_(households))
    if trip is not None:
        visits = visits.where(Visit.trip == trip)
    left = {movement_of(row.id): row for row in conn.execute(visits)}
    moved = select(StockLine.source, StockLine.to_place, StockLine.item, StockLine.quantity)
    amounts: dict[tuple[str, str], Counter[str]] = {}
    keepers: dict[tuple[str, str], str] = {}
    for row in conn.execute(moved.where(StockLine.source.in_(list(left)))):
        key = (alias.of(left[row.source].household), row.to_place)
        amounts.setdefault(key, Counter())[row.item] += row.quantity
        keepers[key] = (left[row.source].met_with or {}).get("name", "")
    if not amounts:
        return {}
    given = (
        select(Delivery.household, Delivery.from_place, DeliveryLine.item, DeliveryLine.quantity)
        .join(DeliveryLine, DeliveryLine.delivery == Delivery.id)
        .where(Delivery.counts, Delivery.from_place.in_({place for _, place in amounts}))
    )
    for handed in conn.execute(given):
        key = (alias.of(handed.household), str(handed.from_place))
        if key in amounts:
            amounts[key][handed.item] -= handed.quantity
    names = place_names(conn, {place for _, place in amounts})
    found: dict[str, list[Custody]] = {}
    for (household, place), lines in amounts.items():
        rest = {item: quantity for item, quantity in lines.items() if quantity > 0}
        if rest:
            found.setdefault(household, []).append(Custody(place, names[place], keepers[household, place], rest))
    return found
