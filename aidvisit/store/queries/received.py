"""What a household received: totals by item and year, and how often anybody was there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal, select, union_all

from aidvisit.store.queries.alias import of_one
from aidvisit.store.queries.catalog import Quantity, items, quantities
from aidvisit.store.tables import Delivery, DeliveryLine, Household, Visit

_ids: Any = bindparam("ids", expanding=True)
_SUMS = (
    select(
        func.substr(DeliveryLine.date, 1, 4).label("year"),
        DeliveryLine.item,
        func.sum(DeliveryLine.quantity).label("quantity"),
    )
    .where(DeliveryLine.household.in_(_ids), DeliveryLine.counts)
    .group_by("year", DeliveryLine.item)
)
_TIMES = (
    select(func.substr(Delivery.date, 1, 4).label("year"), func.count().label("times"))
    .where(Delivery.household.in_(_ids), Delivery.counts)
    .group_by("year")
)
_VISITS = select(literal(""), func.count()).where(Visit.household.in_(_ids), Visit.void_reason.is_(None))
_TIMES_AND_VISITS = union_all(_TIMES, _VISITS)


@dataclass(frozen=True, slots=True)
class Year:
    """`year` as YYYY. `deliveries`: how often something was given."""

    year: str
    deliveries: int
    items: list[Quantity]


@dataclass(frozen=True, slots=True)
class Received:
    """All that counts; voided and replaced deliveries, and voided visits, do not. `years`: the latest first."""

    years: list[Year]
    items: list[Quantity]
    deliveries: int
    visits: int


def received(conn: Connection, household: str) -> Received:
    """What a household, and those merged into it, received."""
    ids = {"ids": of_one(conn, household).all(household)}
    names = items(conn)
    by_year: dict[str, dict[str, int]] = {}
    total: dict[str, int] = {}
    for row in conn.execute(_SUMS, ids):
        by_year.setdefault(row.year, {})[row.item] = int(row.quantity)
        total[row.item] = total.get(row.item, 0) + int(row.quantity)
    times = {row.year: row.times for row in conn.execute(_TIMES_AND_VISITS, ids)}
    visits = times.pop("")
    years = [Year(year, times.get(year, 0), quantities(names, by_year[year])) for year in sorted(by_year, reverse=True)]
    return Received(years, quantities(names, total), sum(times.values()), visits)


def latest(conn: Connection, household: str) -> list[dict[str, Any]]:
    """The last delivery of each item, `item`, `date` and `quantity`, also of what it brought from another town."""
    ids = of_one(conn, household).all(household)
    line = DeliveryLine
    query = select(line.item, line.date, func.sum(line.quantity).label("quantity"))
    rows = conn.execute(query.where(line.household.in_(ids), line.counts).group_by(line.delivery, line.item, line.date))
    given = [{"item": row.item, "date": row.date, "quantity": int(row.quantity)} for row in rows]
    for brought in conn.execute(select(Household.brought).where(Household.id.in_(ids))).scalars():
        given += brought
    last = {one["item"]: one for one in sorted(given, key=lambda one: (one["date"], one["quantity"]))}
    return [last[item] for item in sorted(last)]
