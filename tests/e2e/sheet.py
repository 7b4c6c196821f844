"""What the sample list says, read by openpyxl alone: the importer has no part in what it is tested against."""

from __future__ import annotations

from dataclasses import dataclass

import openpyxl

from tests.support.nodes import SHEET

FIRST_ROW = 5


@dataclass(frozen=True, slots=True)
class Row:
    group: str
    name: str
    goods: dict[str, int]


def _rows() -> tuple[list[Row], dict[str, int]]:
    """Its households in order, and its own line of totals."""
    sheet = openpyxl.load_workbook(SHEET).active
    found: list[Row] = []
    group = ""
    for number, among, name, *_, rice, oil, nuts, _signed, _note in sheet.iter_rows(FIRST_ROW, values_only=True):
        group = among or group  # merged downwards: only the first cell holds it
        goods = {"大米": rice, "食用油": oil, "坚果": nuts}
        if number == "合计":
            return found, goods
        found.append(Row(group, name, goods))
    raise AssertionError("no total row")


ROWS, TOTALS = _rows()
NAMES = frozenset(row.name for row in ROWS)
