"""Where goods went, by the lot that they are of and the donor that gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import Of, Selection
from aidvisit.store.queries.catalog import items, named
from aidvisit.store.queries.figures import balances
from aidvisit.store.queries.selected import lots_of_donors


@dataclass(frozen=True, slots=True)
class LotRow:
    """`lot`: as it is written, or as a selection names those that are not. `donor`: a place; None: not known."""

    item: str
    name: str
    unit: str
    lot: str
    donor: str | None
    figures: Mapping[Of, int]


def by_lot(conn: Connection, selection: Selection, scope: Scope = EVERYTHING) -> list[LotRow]:
    """One row for each item and lot of what the trucks of a selection carried, in the catalogue's order."""
    found = balances(conn, selection, scope, by=("item", "lot"))
    donors = {(row.item, row.lot): row.donor for row in conn.execute(lots_of_donors())} if found else {}
    return [
        LotRow(name.code, name.name, name.unit, lot, donors.get((item, lot)), found[item, lot])
        for name in named(items(conn), {item for item, _lot in found})
        for item, lot in sorted(found)
        if item == name.code and any(found[item, lot].values())
    ]
