"""How far a trip came, household by household: what lists, Today and the reconciliation are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, func, select

from aidvisit.domain import mask
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.trip import visiting_order
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import Aliases, aliases, of_one
from aidvisit.store.tables import Allocation, DeliveryLine, Household, Visit

State = Literal["done", "away", "todo"]


@dataclass(frozen=True, slots=True)
class LastVisit:
    """The last visit of the trip that was not voided."""

    outcome: str
    date: str
    order_key: str
    note: str | None


@dataclass(frozen=True, slots=True)
class Stop:
    """One household of a trip. `allotted` and `delivered`: quantity by item code."""

    household: str
    name: str
    group: str
    division: str
    address: str | None
    note: str | None
    allotted: Mapping[str, int]
    delivered: Mapping[str, int]
    visit: LastVisit | None
    institution: bool = False

    @property
    def owed(self) -> dict[str, int]:
        """What it was allotted and did not get yet (未发)."""
        return owed(self.allotted, self.delivered)

    @property
    def state(self) -> State:
        """`done`: something was delivered; `away`: visited, but nobody was met; else `todo`."""
        if self.delivered:
            return "done"
        return "away" if self.visit and self.visit.outcome != "met" else "todo"


def owed(allotted: Mapping[str, int], delivered: Mapping[str, int]) -> dict[str, int]:
    left = {item: quantity - delivered.get(item, 0) for item, quantity in allotted.items()}
    return {item: quantity for item, quantity in left.items() if quantity > 0}


def stops(conn: Connection, trip: str, scope: Scope = EVERYTHING) -> list[Stop]:
    """Every household that a trip is for or delivered to, in visiting order; aliases count for their household.

    Visiting order: the groups in the order in which the allotment first names them, in each the order of the
    allotment; who was not allotted anything comes last. Five statements, whatever the number of households.
    """
    alias = aliases(conn)
    allotted, first = _allotted(conn, trip, alias)
    delivered = _delivered(conn, trip, alias)
    visits = _visits(conn, trip, alias)
    known = _households(conn, alias.spread({*allotted, *delivered}), scope)
    found = [
        _stop(household, known, alias, allotted.get(household, {}), delivered.get(household, {}), visits)
        for household in {**allotted, **delivered}
        if allotted.get(household) or delivered.get(household)
    ]
    listed = {stop.household: stop for stop in sorted(found, key=lambda s: (first.get(s.household, "~"), s.name))}
    return [listed[one] for one in visiting_order((stop.household, stop.group) for stop in listed.values())]


@dataclass(frozen=True, slots=True)
class Share:
    """What one household was allotted on a trip and got of it: quantity by item code."""

    allotted: Mapping[str, int]
    delivered: Mapping[str, int]

    @property
    def owed(self) -> dict[str, int]:
        return owed(self.allotted, self.delivered)


def share(conn: Connection, trip: str, household: str) -> Share | None:
    """Of one household of a trip, aliases counted, without reading the others; None for one that it is not for."""
    asked = {"trip": trip, "ids": of_one(conn, household).all(household)}
    allotted, delivered = _sums(conn, _ALLOTTED, asked), _sums(conn, _DELIVERED, asked)
    return Share(allotted, delivered) if allotted or delivered else None


def _sums(conn: Connection, query: Any, asked: Mapping[str, Any]) -> dict[str, int]:
    return {row.item: int(row.quantity) for row in conn.execute(query, asked) if row.quantity}


_trip: Any = bindparam("trip")
_ids: Any = bindparam("ids", expanding=True)
_ALLOTTED = (
    select(Allocation.item, func.sum(Allocation.quantity).label("quantity"))
    .where(Allocation.trip == _trip, Allocation.household.in_(_ids))
    .group_by(Allocation.item)
)
_DELIVERED = (
    select(DeliveryLine.item, func.sum(DeliveryLine.quantity).label("quantity"))
    .where(DeliveryLine.household.in_(_ids), DeliveryLine.trip == _trip, DeliveryLine.counts)
    .group_by(DeliveryLine.item)
)


def _allotted(conn: Connection, trip: str, alias: Aliases) -> tuple[dict[str, Counter[str]], dict[str, str]]:
    query = select(Allocation).where(Allocation.trip == trip).order_by(Allocation.first_key)
    amounts: dict[str, Counter[str]] = {}
    first: dict[str, str] = {}
    for row in conn.execute(query):
        household = alias.of(row.household)
        first.setdefault(household, row.first_key)
        lines = amounts.setdefault(household, Counter())
        if row.quantity:
            lines[row.item] += row.quantity
    return amounts, first


def _delivered(conn: Connection, trip: str, alias: Aliases) -> dict[str, Counter[str]]:
    query = (
        select(DeliveryLine.household, DeliveryLine.item, DeliveryLine.quantity)
        .where(DeliveryLine.trip == trip, DeliveryLine.counts)
        .order_by(DeliveryLine.household, DeliveryLine.item)
    )
    amounts: dict[str, Counter[str]] = {}
    for row in conn.execute(query):
        amounts.setdefault(alias.of(row.household), Counter())[row.item] += row.quantity
    return amounts


def _visits(conn: Connection, trip: str, alias: Aliases) -> dict[str, LastVisit]:
    query = (
        select(Visit.household, Visit.outcome, Visit.date, Visit.order_key, Visit.note)
        .where(Visit.trip == trip, Visit.void_reason.is_(None))
        .order_by(Visit.order_key)
    )
    return {
        alias.of(row.household): LastVisit(row.outcome, row.date, row.order_key, mask.text(row.note))
        for row in conn.execute(query)
    }


def _households(conn: Connection, ids: Iterable[str], scope: Scope) -> dict[str, Row[Any]]:
    query = select(
        Household.id,
        Household.name,
        Household.village_group,
        Household.division,
        Household.address,
        Household.note,
        Household.kind,
    ).where(Household.id.in_(list(ids)), within.places(Household.division.expression, scope))
    return {row.id: row for row in conn.execute(query)}


def _stop(
    household: str,
    known: Mapping[str, Row[Any]],
    alias: Aliases,
    allotted: Mapping[str, int],
    delivered: Mapping[str, int],
    visits: Mapping[str, LastVisit],
) -> Stop:
    """The household that counts may not be held here, or lie outside, while its alias is: that one lends its name."""
    row = next((known[identity] for identity in alias.all(household) if identity in known), None)
    visit = visits.get(household)
    if row is None:
        return Stop(household, household[:8], "", "", None, None, allotted, delivered, visit)
    group = row.village_group or ""
    return Stop(
        household, row.name, group, row.division, row.address, mask.text(row.note), allotted, delivered, visit,
        row.kind == "institution",
    )  # fmt: skip
