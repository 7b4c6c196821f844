"""The goods of a trip, and of the warehouses: what is where, by which papers, and what nobody can account for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from aidvisit.domain import place
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries.catalog import Quantity, is_goods, items, own_names, quantities
from aidvisit.store.queries.reconcile import ItemRow, item_rows
from aidvisit.store.queries.selected import kind
from aidvisit.store.queries.trip import TripHead, trip
from aidvisit.store.tables import Place, StockLine, StockMove, Trip, User
from sync.rows import among


@dataclass(frozen=True, slots=True)
class Paper:
    """One movement. `from_name`, `to_name`: empty for the trip's own truck; `kind`: load, return, transfer, loss, gain,
    custody, receipt or other. `lots`: by item, as far as they were said.
    """

    id: str
    kind: str
    slip: str | None
    date: str
    from_place: str
    from_name: str
    to_place: str
    to_name: str
    lines: list[Quantity]
    lots: dict[str, list[str]]
    reason: str | None
    by: str


@dataclass(frozen=True, slots=True)
class TripGoods:
    """`rows`: where each item went (docs/facts.md, the balance); services are no goods, and left out."""

    trip: TripHead
    rows: list[ItemRow]
    papers: list[Paper]

    @property
    def open_differences(self) -> list[ItemRow]:
        """Those that nobody has given a reason for."""
        return [row for row in self.rows if row.difference and not row.explained]


@dataclass(frozen=True, slots=True)
class Store:
    """A warehouse, a fund or a custody place with what is there by the books."""

    place: str
    name: str
    lines: list[Quantity]


def trip_goods(conn: Connection, trip_id: str, scope: Scope = EVERYTHING) -> TripGoods | None:
    """None when there is no such trip, or none in this scope."""
    head = trip(conn, trip_id, scope)
    if head is None:
        return None
    known = items(conn)
    rows = [row for row in item_rows(conn, trip_id) if is_goods(known, row.item)]
    return TripGoods(head, rows, papers(conn, place.truck(trip_id)))


def papers(conn: Connection, where: str) -> list[Paper]:
    """The movements to and from a place that are no deliveries, the latest first."""
    touching = or_(StockMove.from_place == where, StockMove.to_place == where)
    query = select(StockMove.__table__).where(touching).order_by(StockMove.date.desc(), StockMove.order_key.desc())
    return _papers(conn, conn.execute(query).all())


def paper(conn: Connection, identity: str, scope: Scope = EVERYTHING) -> Paper | None:
    """One movement, of a trip in this scope or of the warehouses."""
    row = conn.execute(select(StockMove.__table__).where(StockMove.id == identity)).first()
    if row is None or (row.trip is not None and trip(conn, row.trip, scope) is None):
        return None
    return _papers(conn, [row])[0]


def recorded(conn: Connection, moves: Iterable[str]) -> set[str]:
    """Those of these movements that are recorded."""
    return set(conn.execute(select(StockMove.id).where(among(conn, StockMove.id, list(moves)))).scalars())


def _papers(conn: Connection, rows: Iterable[Row[Any]]) -> list[Paper]:
    found = list(rows)
    ids, known = [row.id for row in found], items(conn)
    lines: dict[str, Counter[str]] = {}
    lots: dict[str, dict[str, list[str]]] = {}
    line = StockLine
    query = select(line.source, line.item, line.quantity, line.lot).where(line.source.in_(ids))
    for source, item, quantity, lot in conn.execute(query.order_by(line.line)):
        lines.setdefault(source, Counter())[item] += quantity
        said = lots.setdefault(source, {}).setdefault(item, [])
        said += [lot] if lot and lot not in said else []
    names = place_names(conn, {each for row in found for each in (row.from_place, row.to_place)})
    people = select(User.id, User.name).where(User.id.in_({row.actor for row in found}))
    by = {row.id: row.name for row in conn.execute(people)}
    return [
        Paper(
            row.id, _kind(row.from_place, row.to_place), row.slip, row.date, row.from_place, names[row.from_place],
            row.to_place, names[row.to_place], quantities(known, lines.get(row.id, {})), lots.get(row.id, {}),
            row.reason, by.get(row.actor, ""),
        )
        for row in found
    ]  # fmt: skip


def _kind(source: str, target: str) -> str:
    """What a movement is called, seen from the truck that it touches."""
    off, on = source.partition(":")[0], target.partition(":")[0]
    if (off, on) == ("truck", "truck"):
        return "transfer"
    if off == "truck":
        return {"loss": "loss", "held": "custody"}.get(on, "return")
    if on == "truck":
        return "gain" if off == "gain" else "load"
    return "receipt" if on in ("warehouse", "fund") else "other"


def place_names(conn: Connection, places: Iterable[str]) -> dict[str, str]:
    """How each place is called: as it was defined, a village for custody there, a truck by its trip's title."""
    read = {text: found for text in places if (found := place.parse(text)) is not None}
    codes = {each.key for each in read.values() if each.kind in place.NAMED_BY_CODE}
    trips = {each.key for each in read.values() if each.kind in ("truck", "gain", "loss")}
    defined = {
        f"{row.kind}:{row.code}": row.name
        for row in conn.execute(select(Place.kind, Place.code, Place.name).where(Place.code.in_(codes)))
    }
    villages = own_names(conn, codes)
    titles = {row.id: row.title for row in conn.execute(select(Trip.id, Trip.title).where(Trip.id.in_(trips)))}
    return {
        text: defined.get(text)
        or villages.get(each.key)
        or titles.get(each.key)
        or (each.key if each.kind in place.NAMED_BY_CODE else each.key[:8])
        for text, each in read.items()
    }


def stores(conn: Connection, kinds: Iterable[str] = ("warehouse", "fund", "held")) -> list[Store]:
    """Places of these kinds that are defined or have something, with what is there by the books."""
    wanted = tuple(kinds)
    amounts: dict[str, Counter[str]] = {
        f"{row.kind}:{row.code}": Counter()
        for row in conn.execute(
            select(Place.kind, Place.code).where(Place.kind.in_(wanted)).order_by(Place.kind, Place.order_key)
        )
    }
    for column, sign in ((StockLine.to_place, 1), (StockLine.from_place, -1)):
        of_kind = kind(column.expression, *wanted)
        query = select(column.label("where"), StockLine.item, func.sum(StockLine.quantity).label("quantity"))
        for where, item, quantity in conn.execute(query.where(of_kind).group_by(column, StockLine.item)):
            amounts.setdefault(where, Counter())[item] += sign * int(quantity)
    known, names = items(conn), place_names(conn, amounts)
    return [Store(where, names[where], quantities(known, held)) for where, held in amounts.items()]
