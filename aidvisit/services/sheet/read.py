"""Every sheet of a file that offices keep: .xlsx, .xls, .csv. What a file is, its bytes say and not its name."""

from __future__ import annotations

import csv
from collections import Counter
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aidvisit.errors import Problem
from aidvisit.services.sheet.cells import Cell, Sheet, filled_sheet
from aidvisit.services.sheet.unpack import MAX_CELLS, MAX_FILE_BYTES, check, too_large

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet
    from xlrd.book import Book
    from xlrd.sheet import Sheet as OldSheet

_ZIP, _OLE = b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DELIMITERS = ",\t;|"
_SAMPLE_CHARACTERS = 64 * 1024


def open_sheets(path: Path) -> list[Sheet]:
    """Every sheet of a file that holds anything.

    Raises: Problem `sheet-unreadable` (not there), `not-a-sheet`, `sheet-too-large`.
    """
    if not path.is_file():
        raise Problem("sheet-unreadable", file=path.name)
    with path.open("rb") as file:
        return read_sheets(file.read(MAX_FILE_BYTES + 1), path.name)


def read_sheets(raw: bytes, name: str) -> list[Sheet]:
    """The same from a file's bytes; `name` is what its refusal calls it."""
    if len(raw) > MAX_FILE_BYTES:
        raise too_large(name)
    try:
        sheets = [sheet for sheet in _sheets(raw, name) if not sheet.empty]
    except Problem:
        raise
    except Exception as error:  # what a damaged file makes of its reader is any of a dozen errors
        raise Problem("not-a-sheet", file=name) from error
    if not sheets:
        raise Problem("not-a-sheet", file=name)
    return sheets


def _sheets(raw: bytes, name: str) -> list[Sheet]:
    if raw.startswith(_ZIP):
        return _xlsx(raw, name)
    if raw.startswith(_OLE):
        return _xls(raw, name)
    return [_delimited(raw, name)]


def _xlsx(raw: bytes, name: str) -> list[Sheet]:
    # openpyxl costs a third of a second that no other command should pay
    from openpyxl import load_workbook

    check(raw, name)
    book = load_workbook(BytesIO(raw), data_only=True, keep_links=False)
    if sum(worksheet.max_row * worksheet.max_column for worksheet in book.worksheets) > MAX_CELLS:
        raise too_large(name)  # one cell far out, and all before it would be filled
    return [_worksheet(worksheet) for worksheet in book.worksheets]


def _worksheet(worksheet: Worksheet) -> Sheet:
    rows: list[list[Cell]] = [list(row) for row in worksheet.iter_rows(values_only=True)]
    merged = [(one.min_row - 1, one.min_col - 1, one.max_row, one.max_col) for one in worksheet.merged_cells.ranges]
    return filled_sheet(worksheet.title, rows, merged)


def _xls(raw: bytes, name: str) -> list[Sheet]:
    import xlrd

    # Where merged cells are is kept with the formats.
    with xlrd.open_workbook(file_contents=raw, formatting_info=True, on_demand=True, logfile=StringIO()) as book:
        sheets, cells = [], 0
        for number in range(book.nsheets):
            sheet = book.sheet_by_index(number)
            covered = sum((bottom - top) * (right - left) for top, bottom, left, right in sheet.merged_cells)
            cells += sheet.nrows * sheet.ncols + covered
            if cells > MAX_CELLS:
                raise too_large(name)
            sheets.append(_old_sheet(book, sheet))
        return sheets


def _old_sheet(book: Book, sheet: OldSheet) -> Sheet:
    rows = [[_old_cell(book, sheet, i, j) for j in range(sheet.ncols)] for i in range(sheet.nrows)]
    merged = [(top, left, bottom, right) for top, bottom, left, right in sheet.merged_cells]
    return filled_sheet(sheet.name, rows, merged)


def _old_cell(book: Book, sheet: OldSheet, row: int, column: int) -> Cell:
    import xlrd

    kind, value = sheet.cell_type(row, column), cast(Any, sheet.cell_value(row, column))
    if kind == xlrd.XL_CELL_DATE:
        try:
            return xlrd.xldate_as_datetime(value, book.datemode)
        except (ValueError, OverflowError):
            return str(value)
    if kind == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(value, "#ERROR!")
    return None if kind in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK) else cast(Cell, value)


def _delimited(raw: bytes, name: str) -> Sheet:
    text = _text(raw, name)
    delimiter = max(_DELIMITERS, key=lambda one: _tidiness(text[:_SAMPLE_CHARACTERS], one))
    rows: list[list[Cell]] = []
    cells = 0
    for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter):
        cells += len(row)
        if cells > MAX_CELLS:
            raise too_large(name)
        rows.append([cell or None for cell in row])
    width = max(map(len, rows), default=0)
    if width * len(rows) > MAX_CELLS:
        raise too_large(name)
    return filled_sheet(Path(name).stem, [row + [None] * (width - len(row)) for row in rows], [])


def _text(raw: bytes, name: str) -> str:
    marked = [encoding for mark, encoding in _MARKS if raw.startswith(mark)]
    for encoding in marked or ("utf-8", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text.lstrip()[:1] != "<" and not any(ord(c) < 32 and c not in "\t\r\n\f\v" for c in text):
            return text
    raise Problem("not-a-sheet", file=name)


def _tidiness(text: str, delimiter: str) -> tuple[int, int]:
    """How many rows have as many columns as most, when that is more than one; and how many columns."""
    try:
        widths = Counter(len(row) for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter) if any(row))
    except csv.Error:
        return 0, 0
    width, rows = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(0, 0))
    return (rows, width) if width > 1 else (0, 0)
