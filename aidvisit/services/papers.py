"""The papers of a trip: its list to sign or signed (签领表), its cash list, its notices, the list that a village mends.

A sheet has so many rows as the page on which signed sheets are typed in counts (store/queries/roster.py): a running
number, a sheet's sums and a photo of that sheet speak of the same households.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.store.database import reading
from aidvisit.store.queries import catalog, papers
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.catalog import ItemName
from aidvisit.store.queries.papers import PaperLine
from aidvisit.store.queries.roster import SHEET_ROWS
from aidvisit.store.queries.trip import TripHead

Kind = Literal["roll-empty", "roll", "cash-empty", "cash", "before", "after", "village"]
KINDS: tuple[Kind, ...] = ("roll-empty", "roll", "cash-empty", "cash", "before", "after", "village")
PLANNED: frozenset[Kind] = frozenset({"roll-empty", "cash-empty", "before", "village"})
"""Papers of what is to be given; the others say what was."""
CASH: frozenset[Kind] = frozenset({"cash-empty", "cash"})


@dataclass(frozen=True, slots=True)
class Sums:
    """`lines`: quantity by item code; `persons` of `households`; `fen`: worth of what has a price, None of nothing."""

    households: int
    persons: int
    lines: Mapping[str, int]
    fen: int | None


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """One household with what this paper says that it gets or got. `fen`: None when nothing of it has a price."""

    line: PaperLine
    lines: Mapping[str, int]
    fen: int | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One piece of paper. `handed_by`, `witnesses`: names of whoever did so for its rows."""

    number: int
    rows: list[PrintedRow]
    sums: Sums
    handed_by: list[str]
    witnesses: list[str]


@dataclass(frozen=True, slots=True)
class Paper:
    """`day`: when it was made; `place`: names of county, town and village; `items`: the columns, in the catalogue's
    order.
    """

    kind: Kind
    trip: TripHead
    day: str
    place: list[str]
    items: list[ItemName]
    sheets: list[Sheet]
    total: Sums

    @property
    def planned(self) -> bool:
        return self.kind in PLANNED

    @property
    def rows(self) -> list[PrintedRow]:
        return [row for sheet in self.sheets for row in sheet.rows]


def price(item: ItemName) -> int | None:
    """Fen of one unit: a fen of cash is worth itself."""
    return 1 if item.unit == "fen" else item.value_fen


def take(actor: str, trip: str, kind: Kind, *, today: str, scope: Scope = EVERYTHING) -> Paper:
    """A paper with every household that it is about; that it was taken is in the audit first. `today`: of ages.

    Raises: Problem `unknown-trip`, `not-permitted`, `disk-full`, `database-locked`.
    """
    paper = read(trip, kind, today=today, scope=scope)
    audit.record(actor, audit.EXPORT, rows=len(paper.rows), detail=f"paper-{kind}")
    return paper


def read(trip: str, kind: Kind, *, today: str, scope: Scope = EVERYTHING) -> Paper:
    """Raises: Problem `unknown-trip`."""
    with reading() as conn:
        head = trips.trip(conn, trip, scope)
        if head is None:
            raise Problem("unknown-trip")
        known = catalog.items(conn)
        found = papers.lines(conn, trip, today, scope)
        place = catalog.division_names(conn, head.divisions[0]) if head.divisions else []
    rows = _rows(kind, found, known)
    items = catalog.named(known, {item for row in rows for item in row.lines})
    sheets = [
        _sheet(number, rows[start : start + SHEET_ROWS])
        for number, start in enumerate(range(0, len(rows), SHEET_ROWS), 1)
    ]
    return Paper(kind, head, today, place, list(items), sheets, _sums(rows))


def _rows(kind: Kind, found: Iterable[PaperLine], known: Mapping[str, ItemName]) -> list[PrintedRow]:
    """A signed list keeps those who got nothing, with the reason; a notice and a cash list name who gets something."""
    rows = []
    for line in found:
        lines = line.allotted if kind in PLANNED else line.delivered
        about: Mapping[str, int] = line.allotted or line.delivered if kind == "roll" else lines
        if kind in CASH:
            lines, about = (
                {item: quantity for item, quantity in each.items() if item in known and known[item].unit == "fen"}
                for each in (lines, {**line.allotted, **line.delivered} if kind == "cash" else lines)
            )
        if about:
            rows.append(PrintedRow(line, lines, _worth(lines, known)))
    return rows


def _worth(lines: Mapping[str, int], known: Mapping[str, ItemName]) -> int | None:
    prices = [
        quantity * each
        for item, quantity in lines.items()
        if item in known and (each := price(known[item])) is not None
    ]
    return sum(prices) if prices else None


def _sheet(number: int, rows: list[PrintedRow]) -> Sheet:
    receipts = [one for row in rows for one in row.line.receipts]
    handed_by = list(dict.fromkeys(name for one in receipts for name in one.by))
    witnesses = list(dict.fromkeys(one.witness for one in receipts if one.witness))
    return Sheet(number, rows, _sums(rows), handed_by, witnesses)


def _sums(rows: Sequence[PrintedRow]) -> Sums:
    lines: Counter[str] = Counter()
    for row in rows:
        lines.update(row.lines)
    got = [row for row in rows if row.lines]
    priced = [row.fen for row in rows if row.fen is not None]
    return Sums(len(got), sum(row.line.size or 0 for row in got), lines, sum(priced) if priced else None)
