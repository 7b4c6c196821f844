"""Spreadsheets out: what another program would run as a formula is text and stays text."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import IO, Any

from aidvisit.services.sheet.cells import Cell

_RUNS = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet takes for a formula."""
Table = tuple[str, Sequence[str], Iterable[Sequence[Cell]]]
"""(title of the sheet, header, rows)."""


def workbook(to: Path | IO[bytes], tables: Iterable[Table]) -> None:
    """Write an .xlsx, one sheet a table. Texts are cells of text, whatever they begin with."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    for title, header, rows in tables:
        sheet = book.create_sheet(_title(title))
        for row in (header, *rows):
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet, _storable(value))
                if isinstance(value, str):
                    cell.data_type = "s"
                cells.append(cell)
            sheet.append(cells)
    book.save(to)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The same as CSV for a spreadsheet program: with a mark that it is UTF-8, and an apostrophe before a formula."""
    file = StringIO(newline="")
    writer = csv.writer(file)
    for row in (header, *rows):
        writer.writerow([f"'{value}" if isinstance(value, str) and value.startswith(_RUNS) else value for value in row])
    return "\ufeff" + file.getvalue()


def _title(text: str) -> str:
    """What a sheet may be called: at most 31 characters, and none that stands in a reference."""
    return "".join(c for c in text if c not in "[]:*?/\\")[:31].strip("'") or "Sheet"


def _storable(value: Cell) -> Any:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
