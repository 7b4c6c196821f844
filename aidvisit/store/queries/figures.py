"""The figures of a selection: sums of the lines that its entries list (store/queries/selected.py)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, cast

from sqlalchemy import Connection, func, select

from aidvisit.domain import place
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import SEVERAL, UNKNOWN, Of, Selection
from aidvisit.store.queries.selected import BLIND, OFF, ON, SIDES, TOLD_APART, Lines, lines, moved, only_lots
from aidvisit.store.tables import StockLine, Trip

COUNTED = 10_000
"""As far as `count` goes."""


def totals(
    conn: Connection,
    of: Of,
    selection: Selection,
    scope: Scope = EVERYTHING,
    *,
    today: str,
    by: Sequence[str] = ("item",),
    only: Collection[str] | None = None,
) -> dict[Any, int]:
    """The figure, by columns of its lines (`item`, `trip`, `date`, `household` …) or `team`, the trip's.

    The key is a tuple if there are several. A household is the id that was recorded: who sums by it resolves aliases.
    `only`: of these trips.
    """
    wide = any(name in ("from_place", "to_place") for name in by)
    found = lines(conn, of, selection, scope, today, wide=wide, only=only)
    return dict(_sums(conn, found, by))


def balances(
    conn: Connection,
    selection: Selection,
    scope: Scope = EVERYTHING,
    *,
    by: Sequence[str] = ("item",),
    only: Collection[str] | None = None,
) -> dict[Any, dict[Of, int]]:
    """All columns of the trucks at once, as `totals` gives each: two statements in all.

    `lot` among `by` is a line's own, else the only one of its truck; SEVERAL and UNKNOWN are what they are elsewhere.
    """
    found: dict[Any, dict[Of, int]] = {}
    if any(getattr(selection, name) for name in BLIND["on-truck"]):
        return found
    for way in (ON, OFF):
        found_there = moved(conn, (way, (), False, 1), selection, scope, only)
        for key, quantity in _sums(conn, found_there, (*by, "other"), selection.trip):
            other, group = key[-1], key[0] if len(by) == 1 else key[:-1]
            for column, sides in SIDES.items():
                for own, kinds, these, sign in sides:
                    if own == way and (not kinds or (other in _prefixes(kinds)) == these):
                        row = found.setdefault(group, {})
                        row[cast(Of, column)] = row.get(cast(Of, column), 0) + sign * quantity
    return found


def _prefixes(kinds: Sequence[str]) -> set[str]:
    return {f"{one}:"[:TOLD_APART] for one in kinds}


def _sums(conn: Connection, of: Lines, by: Sequence[str], trip: str = "") -> Iterator[tuple[Any, int]]:
    """What stands for a trip or a truck is looked up once they are added up: a join goes through every line."""
    found = of.subquery()
    names = list(dict.fromkeys(name for one in by for name in _TOLD_BY.get(one, (one,))))
    columns = [found.c[name] for name in names]
    teams = dict(conn.execute(select(Trip.id, Trip.team)).tuples().all()) if "team" in by else {}
    lots = _only_lots(conn, trip) if "lot" in by else {}
    sums: dict[Any, int] = {}
    for row in conn.execute(select(*columns, func.sum(found.c.quantity)).group_by(*columns)):
        held = dict(zip(names, row, strict=False))
        if "team" in by:
            held["team"] = teams.get(held["trip"])
        if "lot" in by and held["lot"] is None:
            held["lot"] = lots.get((held["from_place"], held["item"]), UNKNOWN)
        key = held[by[0]] if len(by) == 1 else tuple(held[one] for one in by)
        sums[key] = sums.get(key, 0) + int(row[-1])
    yield from sums.items()


_TOLD_BY = {"team": ("trip",), "lot": ("from_place", "item", "lot")}


def _only_lots(conn: Connection, trip: str) -> dict[tuple[str, str], str]:
    """By truck and item, for lines that say no lot."""
    found = conn.execute(only_lots(*([StockLine.to_place == place.truck(trip)] if trip else [])))
    return {(row.truck, row.item): SEVERAL if row.several else UNKNOWN if row.lot is None else row.lot for row in found}


def count(conn: Connection, of: Of, selection: Selection, scope: Scope = EVERYTHING, *, today: str) -> int:
    """How many entries there are, no further than one beyond `COUNTED`."""
    found = lines(conn, of, selection, scope, today, wide=False).subquery()
    some = select(found.c.source).limit(COUNTED + 1).subquery()
    return conn.execute(select(func.count()).select_from(some)).scalar_one()
