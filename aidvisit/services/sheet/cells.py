"""Cells as they are in the file, with merged ones filled, and the cleaning that every text gets."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

Cell: TypeAlias = object

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
_INVISIBLE = dict.fromkeys((0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF))
_PLAIN = str.maketrans(_FULL_WIDTH | _INVISIBLE)
_HAN_GAP = re.compile(r"(?<=[\u3400-\u9fff·])\s+(?=[\u3400-\u9fff·])")
_GUARDS = "'\u2018\u2019`"
_FORMULA = re.compile(r'="([^"]*)"')


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


def filled_sheet(name: str, rows: list[list[Cell]], merged: list[tuple[int, int, int, int]]) -> Sheet:
    """A sheet whose merged ranges (top, left, bottom, right; indexes, the last two not included) are filled."""
    spread = set()
    for top, left, bottom, right in merged:
        if top >= len(rows) or left >= len(rows[top]):
            continue
        for i in range(top, min(bottom, len(rows))):
            for j in range(left, min(right, len(rows[i]))):
                if (i, j) != (top, left):
                    rows[i][j] = rows[top][left]
                    spread.add((i, j))
    return Sheet(name, tuple(map(tuple, rows)), frozenset(spread))


def clean(cell: Cell) -> str:
    """Text of a cell: NFC, trimmed, full-width characters made plain, no gaps inside Chinese words.

    What guards a number against the spreadsheet goes: a tab, an apostrophe before it, or `="…"` around it.
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        text = cell
    elif isinstance(cell, datetime):
        return cell.date().isoformat()
    elif isinstance(cell, date):
        return cell.isoformat()
    elif isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    else:
        text = str(cell)
    if text.isascii():
        if text.isalnum():
            return text
    else:
        text = _HAN_GAP.sub("", " ".join(unicodedata.normalize("NFC", text).translate(_PLAIN).split()))
    text = " ".join(text.split())
    if text[:1] == "=" and (formula := _FORMULA.fullmatch(text)):
        text = formula[1]
    return text.lstrip(_GUARDS).strip() if text[:1] in _GUARDS else text


def squeeze(cell: Cell) -> str:
    """The same without any space at all: for headings, numbers and words that are looked up."""
    return clean(cell).replace(" ", "")


_HAN_DIGIT = dict(zip("〇零○一二三四五六七八九", "000123456789", strict=True))
_DATES = (
    re.compile(r"(?<!\d)(\d{4})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})(?!\d)"),
    re.compile(r"(?<!\d)((?:19|20)\d{2})(\d{2})(\d{2})(?!\d)"),
)
_HAN_DATE = re.compile(
    r"([〇零○一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})[日号]"
)


def find_date(text: str) -> str | None:
    """The first real day in a text as YYYY-MM-DD.

    2020年12月30日, 2020-12-30, 2020/12/30, 2020.12.30, 20201230, 二〇二〇年十二月三十日; a cell that holds a day was
    made text by `clean`. Two digits of a year, and a month without a day, are none.
    """
    found = [match.groups() for pattern in _DATES for match in pattern.finditer(text)]
    found += [
        ("".join(_HAN_DIGIT[digit] for digit in year), _below_100(month), _below_100(day))
        for year, month, day in _HAN_DATE.findall(text)
    ]
    for year, month, day in found:
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            continue
    return None


def _below_100(text: str) -> str:
    """三 → 3, 十二 → 12, 三十一 → 31; what is no such number becomes 0, which is no month and no day."""
    tens, ten, ones = text.rpartition("十")
    if len(tens) > 1 or len(ones) > 1:
        return "0"
    return str((int(_HAN_DIGIT[tens] if tens else 1) * 10 if ten else 0) + int(_HAN_DIGIT[ones] if ones else 0))


_HAN_DIGITS = {"两": 2} | {digit: i for i, digit in enumerate("一二三四五六七八九十", start=1)}
_NUMBER = re.compile(r"(-?\d{1,15})(?:\.0+)?[^\d.]*")


def whole_number(cell: Cell) -> int | None:
    """A whole number as people write it: 2, 2.0, "2袋", "两"; None when it is none. Signs are kept."""
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    text = squeeze(cell)
    if text[:1] in _HAN_DIGITS and not any(c in _HAN_DIGITS for c in text[1:]):
        return _HAN_DIGITS[text[0]]
    match = _NUMBER.fullmatch(text)
    return int(match[1]) if match else None
