"""The entries below a figure, the newest first, and the figures themselves: sums of the very same lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, desc, func, literal, select, tuple_

from aidvisit.domain import mask
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import Of, Selection
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.catalog import items, unknown_item
from aidvisit.store.queries.figures import COUNTED, count, totals
from aidvisit.store.queries.goods import place_names
from aidvisit.store.queries.selected import lines, loaded_lots, lots_of_donors
from aidvisit.store.tables import Delivery, Household, StockLine, StockMove, Trip
from sync.rows import among

__all__ = ["COUNTED", "Entry", "count", "page", "totals"]

PAGE = 50
STEP = 500
"""Entries of a file whose names are read at once."""
SPAN = 20_000
"""Entries that SQLite sorts at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a figure. `kind`: delivery, movement or allotment; `source`: the id of its fact's subject.

    `quantity` is less than 0 when it went back. `household`: the one that stands for who was meant; `household_name` is
    "" for one that lies outside. `lot` may follow from what was loaded; `several`: then it is one of several.
    """

    key: str
    kind: str
    source: str
    date: str
    item: str
    item_name: str
    unit: str
    quantity: int
    trip: str | None
    trip_title: str
    household: str | None
    household_name: str
    from_place: str | None
    from_name: str
    to_place: str | None
    to_name: str
    lot: str | None
    several: bool
    donor: str | None
    donor_name: str
    slip: str | None
    reason: str | None


def page(
    conn: Connection,
    of: Of,
    selection: Selection,
    scope: Scope = EVERYTHING,
    *,
    today: str,
    after: str = "",
    limit: int = PAGE,
) -> tuple[list[Entry], bool]:
    """Those beyond `after` (an entry's key), and whether there are more. Raises: ValueError for a key that is none."""
    found = lines(conn, of, selection, scope, today).subquery()
    order = (found.c.date, found.c.source, found.c.line)
    query = select(found).order_by(*(desc(column) for column in order)).limit(limit + 1)
    if after:
        date, source, line = after.split("~")
        query = query.where(tuple_(*order) < tuple_(literal(date), literal(source), literal(int(line))))
    rows = conn.execute(query).all()
    return _entries(conn, of, rows[:limit], scope), len(rows) > limit


def every(
    conn: Connection, of: Of, selection: Selection, scope: Scope = EVERYTHING, *, today: str
) -> tuple[int, Iterator[Entry]]:
    """How many there are, and all of them in the same order, a few at a time in memory."""
    found = lines(conn, of, selection, scope, today).subquery()
    by_day = select(found.c.date, func.count()).group_by(found.c.date).order_by(desc(found.c.date))
    days = [(row[0], row[1]) for row in conn.execute(by_day)]
    query = select(found).order_by(desc(found.c.date), desc(found.c.source), desc(found.c.line))
    queries: Iterable[Select[Any]] = [query]
    if conn.dialect.name == "sqlite":  # it would sort all of them in this process's memory
        queries = (query.where(found.c.date.between(first, last)) for first, last in _spans(days))
    return sum(entries for _day, entries in days), _every(conn, of, queries, scope)


def _spans(days: Iterable[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    """(first day, last day) of some `SPAN` entries each, the newest first."""
    first, last, number = "", "", 0
    for day, entries in days:
        first, last, number = day, last or day, number + entries
        if number >= SPAN:
            yield first, last
            last, number = "", 0
    if last:
        yield first, last


def _every(conn: Connection, of: Of, queries: Iterable[Select[Any]], scope: Scope) -> Iterator[Entry]:
    for query in queries:
        rows = conn.execute(query, execution_options={"yield_per": STEP})
        for part in rows.partitions(STEP):
            yield from _entries(conn, of, part, scope)


# --- with names -----------------------------------------------------------------------------------------------


def _entries(conn: Connection, of: Of, rows: Sequence[Row[Any]], scope: Scope) -> list[Entry]:
    known, alias, titles = items(conn), aliases(conn), _titles(conn, rows)
    homes = _homes(conn, {alias.of(row.household) for row in rows if row.household}, scope)
    shown = {one for row in rows for one in (row.from_place, row.to_place) if one}
    lots = _lots(conn, rows)
    donors = _donors(conn, ((row.item, lots.get((row.source, row.line), (row.lot, False))[0]) for row in rows))
    places = place_names(conn, shown | set(donors.values()))
    moves, given = _moves(conn, rows), _deliveries(conn, rows)
    found = []
    for row in rows:
        item, home = known.get(row.item) or unknown_item(row.item), alias.of(row.household) if row.household else None
        lot, several = lots.get((row.source, row.line), (row.lot, False))
        donor = next((one for one in (row.from_place, row.to_place) if (one or "").startswith("donor:")), None)
        donor = donor or donors.get((row.item, lot or ""))
        move, kind = moves.get(row.source), "allotment" if of == "allocated" else "movement"
        found.append(
            Entry(
                f"{row.date}~{row.source}~{row.line}",
                "delivery" if row.source in given else kind,
                row.source,
                row.date,
                item.code,
                item.name,
                item.unit,
                int(row.quantity),
                row.trip,
                titles.get(row.trip, ""),
                home,
                homes.get(home or "", ""),
                row.from_place,
                places.get(row.from_place, ""),
                row.to_place,
                places.get(row.to_place, ""),
                lot,
                several,
                donor,
                places.get(donor or "", ""),
                move.slip if move else None,
                mask.text(move.reason) if move else None,
            )
        )
    return found


def _titles(conn: Connection, rows: Iterable[Row[Any]]) -> dict[str, str]:
    wanted = {row.trip for row in rows if row.trip}
    return {row.id: row.title for row in conn.execute(select(Trip.id, Trip.title).where(among(conn, Trip.id, wanted)))}


def _homes(conn: Connection, wanted: Iterable[str], scope: Scope) -> dict[str, str]:
    query = select(Household.id, Household.name).where(
        among(conn, Household.id, list(wanted)), within.places(Household.division.expression, scope)
    )
    return {row.id: row.name for row in conn.execute(query)}


def _moves(conn: Connection, rows: Iterable[Row[Any]]) -> dict[str, Row[Any]]:
    wanted = {row.source for row in rows}
    query = select(StockMove.id, StockMove.slip, StockMove.reason).where(among(conn, StockMove.id, wanted))
    return {row.id: row for row in conn.execute(query)}


def _deliveries(conn: Connection, rows: Iterable[Row[Any]]) -> set[str]:
    wanted = {row.source for row in rows}
    return set(conn.execute(select(Delivery.id).where(among(conn, Delivery.id, wanted))).scalars())


def _lots(conn: Connection, rows: Iterable[Row[Any]]) -> dict[tuple[str, int], tuple[str | None, bool]]:
    """Of lines that left a truck without a lot of their own: the only one that was loaded, or that it was several."""
    without = [row for row in rows if row.lot is None and (row.from_place or "").startswith("truck:")]
    if not without:
        return {}
    loaded = lots_loaded(conn, {row.from_place for row in without})
    found: dict[tuple[str, int], tuple[str | None, bool]] = {}
    for row in without:
        lots = loaded.get((row.from_place, row.item), set())
        found[row.source, row.line] = (next(iter(lots)), False) if len(lots) == 1 else (None, len(lots) > 1)
    return found


def lots_loaded(conn: Connection, trucks: Iterable[str]) -> dict[tuple[str, str], set[str | None]]:
    """By truck and item, the lots that were loaded; None among them: without one."""
    found: dict[tuple[str, str], set[str | None]] = {}
    for truck, item, lot in conn.execute(loaded_lots(conn, list(trucks))):
        found.setdefault((truck, item), set()).add(lot)
    return found


def _donors(conn: Connection, lots: Iterable[tuple[str, str | None]]) -> dict[tuple[str, str], str]:
    """By item and lot, the donor's place, where there is one alone."""
    wanted = {lot for _item, lot in lots if lot is not None}
    given = lots_of_donors().where(among(conn, StockLine.lot, wanted))
    return {(row.item, row.lot): row.donor for row in conn.execute(given)} if wanted else {}
