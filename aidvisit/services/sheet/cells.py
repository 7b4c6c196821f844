"""Cells as they are in the file, with merged ones filled, and the cleaning that every text gets."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from aidvisit.errors import Problem
from aidvisit.services.sheet.unpack import MAX_CELLS, read_checked, too_large

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

Cell: TypeAlias = object

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
_HAN_GAP = re.compile(r"(?<=[\u3400-\u9fff·])\s+(?=[\u3400-\u9fff·])")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook: `rows[i][j]` is row i + 1, column j + 1.

    `spread` holds the (row, column) indexes that are empty in the file and are filled here because a merged
    cell covers them.
    """

    name: str
    rows: tuple[tuple[Cell, ...], ...]
    spread: frozenset[tuple[int, int]]

    @property
    def empty(self) -> bool:
        return not any(clean(cell) for row in self.rows for cell in row)


def open_sheets(path: Path) -> list[Sheet]:
    """Every sheet of an .xlsx file that holds anything.

    Raises: Problem `sheet-unreadable` (not there), `not-a-sheet`, `sheet-too-large`.
    """
    if not path.is_file():
        raise Problem("sheet-unreadable", file=path.name)
    book = _open(path)
    if sum(worksheet.max_row * worksheet.max_column for worksheet in book.worksheets) > MAX_CELLS:
        raise too_large(path)  # one cell far out, and all before it would be filled
    sheets = [sheet for sheet in map(_sheet, book.worksheets) if not sheet.empty]
    book.close()
    if not sheets:
        raise Problem("not-a-sheet", file=path.name)
    return sheets


def _open(path: Path) -> Workbook:
    # openpyxl costs a third of a second that no other command should pay
    from openpyxl import load_workbook

    try:
        return load_workbook(read_checked(path), data_only=True, keep_links=False)
    except Problem:
        raise
    except Exception as error:  # what a damaged file makes of openpyxl is any of a dozen errors
        raise Problem("not-a-sheet", file=path.name) from error


def _sheet(worksheet: Worksheet) -> Sheet:
    rows: list[list[Cell]] = [list(row) for row in worksheet.iter_rows(values_only=True)]
    spread = set()
    for merged in worksheet.merged_cells.ranges:
        top, left = merged.min_row - 1, merged.min_col - 1
        for i in range(top, min(merged.max_row, len(rows))):
            for j in range(left, min(merged.max_col, len(rows[i]))):
                if (i, j) != (top, left):
                    rows[i][j] = rows[top][left]
                    spread.add((i, j))
    return Sheet(worksheet.title, tuple(tuple(row) for row in rows), frozenset(spread))


def clean(cell: Cell) -> str:
    """Text of a cell: NFC, trimmed, full-width characters made plain, no gaps inside Chinese words."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = unicodedata.normalize("NFC", str(cell)).translate(_FULL_WIDTH)
    return _HAN_GAP.sub("", " ".join(text.split()))


def squeeze(cell: Cell) -> str:
    """The same without any space at all: for headings, numbers and words that are looked up."""
    return clean(cell).replace(" ", "")


_DATE = re.compile(r"(\d{4})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})")


def find_date(text: str) -> str | None:
    """The first real day in a text (2020年12月30日, 2020-12-30, 2020.12.30) as YYYY-MM-DD."""
    for year, month, day in _DATE.findall(text):
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            continue
    return None


_HAN_DIGITS = {"两": 2} | {digit: i for i, digit in enumerate("一二三四五六七八九十", start=1)}
_NUMBER = re.compile(r"(-?\d+)(?:\.0+)?\D*")


def whole_number(cell: Cell) -> int | None:
    """A whole number as people write it: 2, 2.0, "2袋", "两"; None when it is none. Signs are kept."""
    text = squeeze(cell)
    if text[:1] in _HAN_DIGITS and not any(c in _HAN_DIGITS for c in text[1:]):
        return _HAN_DIGITS[text[0]]
    match = _NUMBER.fullmatch(text)
    return int(match[1]) if match else None
