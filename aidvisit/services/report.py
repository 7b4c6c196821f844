"""Figures put together for pages and files: a report by one axis, the overview, and the statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from aidvisit.domain.division import village
from aidvisit.domain.report import DIGITS, FEWEST, Axis, Share, narrowed, told
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import COLUMNS, Of, Selection
from aidvisit.store.queries import figures as sums_of
from aidvisit.store.queries import report as queries
from aidvisit.store.queries.catalog import ItemName, categories, definition, items, named, names_of
from aidvisit.store.queries.goods import place_names
from aidvisit.store.queries.lots import LotRow, by_lot
from aidvisit.store.queries.names import team_names, titles
from aidvisit.store.queries.report import Figure, Key, worth_fen

BIGGEST_FIRST: Sequence[Axis] = ("class", "team", "trip", "category", "donor")


@dataclass(frozen=True, slots=True)
class Row:
    """`name`: "" for what is not known, or is put in words by the page. `asked`: whose entries it is; None: nobody can
    ask for them. `unpriced`: whether something of it has no price, so that `value_fen` is of a part.
    """

    key: str
    name: str
    asked: Selection | None
    figure: Figure
    value_fen: int
    unpriced: bool


@dataclass(frozen=True, slots=True)
class Report:
    """`items`: the columns of goods, in the catalogue's order. `whole` is of all, not the sum of the rows."""

    by: Axis
    asked: Selection
    items: list[ItemName]
    rows: list[Row]
    whole: Row


def report(conn: Connection, asked: Selection, by: Axis, scope: Scope = EVERYTHING, *, today: str) -> Report:
    """All rows: as many as there are days, villages or trips."""
    found = queries.figures(conn, asked, scope, today=today, by=[by])
    whole = queries.total(conn, asked, scope, today=today)
    return put_together(conn, asked, by, found, whole)


def put_together(conn: Connection, asked: Selection, by: Axis, found: Mapping[Key, Figure], whole: Figure) -> Report:
    """The rows in their order, with their names."""
    known = items(conn)
    called = _names(conn, by, [str(key) for key in found])
    rows = [_row(known, asked, by, str(key), called.get(str(key), ""), figure) for key, figure in found.items()]
    if by in BIGGEST_FIRST:
        rows.sort(key=lambda row: (-row.figure.times, row.key))
    elif by == "item":
        order = {item.code: number for number, item in enumerate(named(known, (row.key for row in rows)))}
        rows.sort(key=lambda row: order[row.key])
    else:
        rows.sort(key=lambda row: row.key)
    value, unpriced = worth_fen(known, whole.items)
    return Report(by, asked, named(known, whole.items), rows, Row("", "", asked, whole, value, bool(unpriced)))


def _row(known: Mapping[str, ItemName], asked: Selection, by: Axis, key: str, name: str, figure: Figure) -> Row:
    value, unpriced = worth_fen(known, figure.items)
    return Row(key, name, narrowed(asked, by, key), figure, value, bool(unpriced))


def _names(conn: Connection, by: Axis, keys: Sequence[str]) -> Mapping[str, str]:
    if by == "item":
        return {one.code: one.name + (f" {one.spec}" if one.spec else "") for one in named(items(conn), keys)}
    if by in DIGITS:
        return {code: _place(names) or code for code, names in names_of(conn, [key for key in keys if key]).items()}
    if by == "team":
        return team_names(conn)
    if by == "trip":
        return titles(conn, keys)
    if by == "category":
        return categories(conn)
    if by == "donor":
        donors = {key: f"donor:{key}" for key in keys if not key.startswith("~")}
        called = place_names(conn, donors.values())
        return {key: called.get(where, key) for key, where in donors.items()}
    return {key: key for key in keys} if by in ("day", "month") else {}


def _place(names: Sequence[str]) -> str:
    return " ".join(map(village, names))


# --- overview -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reached:
    """Of the open households of a place, how many received something."""

    key: str
    name: str
    households: int
    served: int

    @property
    def waiting(self) -> int:
        return self.households - self.served


@dataclass(frozen=True, slots=True)
class Charts:
    """`reports` by axis; `reached`: by village, those first in which most wait."""

    whole: Row
    reports: dict[str, Report]
    reached: list[Reached]


def charts(conn: Connection, asked: Selection, scope: Scope = EVERYTHING, *, today: str) -> Charts:
    """What the overview draws. Villages are added up to towns and counties: a household is in one of them."""
    found: dict[Axis, Mapping[Key, Figure]] = {
        axis: queries.figures(conn, asked, scope, today=today, by=[axis])
        for axis in ("day", "item", "class", "village", "team", "category")
    }
    whole = queries.total(conn, asked, scope, today=today)
    place: Axis = "county"
    while place != "village" and len({str(key)[: DIGITS[place]] for key in found["village"]} - {""}) <= 1:
        place = "town" if place == "county" else "village"
    found[place] = _added(found["village"], DIGITS[place])
    drawn: list[Axis] = ["day", "item", "class", place, "team", "category"]
    reports: dict[str, Report] = {axis: put_together(conn, asked, axis, found[axis], whole) for axis in drawn}
    reports["place"] = reports.pop(place)
    return Charts(reports["day"].whole, reports, reached(conn, asked, scope, today=today))


def reached(conn: Connection, asked: Selection, scope: Scope = EVERYTHING, *, today: str) -> list[Reached]:
    """By village, those first in which most wait."""
    there = queries.served(conn, asked, scope, today=today)
    called = names_of(conn, there)
    found = [Reached(code, _place(called[code][-2:]) or code, *counts) for code, counts in there.items()]
    return sorted(found, key=lambda one: (-one.waiting, one.key))


def _added(villages: Mapping[Key, Figure], digits: int) -> dict[Key, Figure]:
    found: dict[Key, Figure] = {}
    for code, one in villages.items():
        key = str(code)[:digits]
        old = found.get(key, Figure())
        sums = {item: old.items.get(item, 0) + one.items.get(item, 0) for item in {*old.items, *one.items}}
        found[key] = Figure(
            old.households + one.households, old.persons + one.persons, old.times + one.times, sums
        )  # fmt: skip
    return found


# --- statements -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Given:
    """One item of a donor: what came, and where it is. `shares`: where it was delivered, by village."""

    item: ItemName
    figures: Mapping[Of, int]
    shares: list[tuple[Share, str]]
    value_fen: int | None


@dataclass(frozen=True, slots=True)
class DonorStatement:
    """Nobody's data: `households` and `times` are None where fewer than FEWEST households received something."""

    donor: str
    name: str
    asked: Selection
    households: int | None
    times: int | None
    items: list[Given]
    lots: list[LotRow]


def donor_statement(
    conn: Connection, donor: str, asked: Selection, scope: Scope = EVERYTHING, *, today: str
) -> DonorStatement:
    """Where a donor's goods went, by item and village. Raises: LookupError for a donor that nobody defined."""
    where = definition(conn, "place", donor)
    if where is None or where.body.get("kind") != "donor":
        raise LookupError(donor)
    asked, known = asked.but(donor=donor), items(conn)
    sums = {of: sums_of.totals(conn, of, asked, scope, today=today) for of in COLUMNS if of != "allocated"}
    shared = queries.figures(conn, asked, scope, today=today, by=["item", "village"])
    whole = queries.total(conn, asked, scope, today=today)
    codes = {code for found in sums.values() for code, quantity in found.items() if quantity}
    called = names_of(conn, {key[1] for key in shared if key[1]})
    given = []
    for item in named(known, codes):
        cells = {key[1]: (one.households, one.items[item.code]) for key, one in shared.items() if key[0] == item.code}
        shares = [(share, _place(called.get(share.village, []))) for share in told(cells)]
        figures: dict[Of, int] = {of: found.get(item.code, 0) for of, found in sums.items()}
        value, without = worth_fen(known, {item.code: figures["delivered"]})
        given.append(Given(item, figures, shares, None if without else value))
    enough = whole.households >= FEWEST
    return DonorStatement(
        donor, where.name, asked, whole.households if enough else None, whole.times if enough else None, given,
        by_lot(conn, asked, scope),
    )  # fmt: skip
