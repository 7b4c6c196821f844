"""Where goods went, by the lot that they are of and the donor that gave it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from aidvisit.domain import place
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import SEVERAL, UNKNOWN, Of, Selection
from aidvisit.store.queries.catalog import items, named
from aidvisit.store.queries.selected import lines, lots_of_donors, only_lots
from aidvisit.store.tables import StockLine

COLUMNS: Final[tuple[Of, ...]] = ("loaded", "gained", "handed", "returned", "lost", "held", "on-truck")


@dataclass(frozen=True, slots=True)
class LotRow:
    """`lot`: as it is written, or as a selection names those that are not. `donor`: a place; None: not known."""

    item: str
    name: str
    unit: str
    lot: str
    donor: str | None
    figures: Mapping[Of, int]


def by_lot(
    conn: Connection, selection: Selection, scope: Scope = EVERYTHING, *, today: str, of: Sequence[Of] = COLUMNS
) -> list[LotRow]:
    """One row for each item and lot of what the trucks of a selection carried, in the catalogue's order."""
    found: dict[tuple[str, str], dict[Of, int]] = {}
    for column in of:
        for key, quantity in _sums(conn, column, selection, scope, today).items():
            found.setdefault(key, {})[column] = quantity
    donors = {(row.item, row.lot): row.donor for row in conn.execute(lots_of_donors())} if found else {}
    names = named(items(conn), {item for item, _lot in found})
    return [
        LotRow(name.code, name.name, name.unit, lot, donors.get((item, lot)), found[item, lot])
        for name in names
        for item, lot in sorted(found)
        if item == name.code and any(found[item, lot].values())
    ]


def _sums(conn: Connection, of: Of, selection: Selection, scope: Scope, today: str) -> dict[tuple[str, str], int]:
    line = lines(conn, of, selection, scope, today).subquery()
    trucks: list[ColumnElement[bool]] = []
    if selection.trip:
        trucks.append(StockLine.to_place == place.truck(selection.trip))
    loaded = only_lots(*trucks).subquery()
    lot = func.coalesce(line.c.lot, loaded.c.lot)
    query = (
        select(line.c.item, lot, loaded.c.several, func.sum(line.c.quantity))
        .join(loaded, (loaded.c.truck == line.c.from_place) & (loaded.c.item == line.c.item), isouter=True)
        .group_by(line.c.item, lot, loaded.c.several)
    )
    sums: dict[tuple[str, str], int] = {}
    row: Any
    for row in conn.execute(query):
        key = row[0], row[1] or (SEVERAL if row[2] else UNKNOWN)
        sums[key] = sums.get(key, 0) + int(row[3])
    return sums
