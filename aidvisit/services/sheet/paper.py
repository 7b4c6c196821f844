"""A spreadsheet laid out as a paper to print and sign: a title over all columns, a framed table, lines below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aidvisit.services.sheet.cells import Cell
from aidvisit.services.sheet.write import HEAD, MAIN, PRINTED, book_pieces, breadth, cell_xml, columns, letters

_PLAIN, _TITLE, _HEADER, _FRAMED, _MONEY = "", ' s="2"', ' s="3"', ' s="4"', ' s="5"'
ROW_POINTS, LINE_POINTS = 24, 15
"""Height of a row that somebody signs in; and of each line of text where a cell has several."""


@dataclass(frozen=True, slots=True)
class PaperTable:
    """`above` and `below`: lines of text before and after the framed table; `widths`: of the columns, in characters."""

    title: str
    above: Sequence[str]
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    below: Sequence[str]
    widths: Sequence[int]


def paper_pieces(table: PaperTable) -> Iterator[bytes]:
    """The bytes of an .xlsx of one sheet, to print on A4 across, as wide as the paper."""
    head = 1 + len(table.above) + 1
    return book_pieces([(table.title, _sheet(table))], repeated=f"$1:${head}")


def _sheet(table: PaperTable) -> Iterator[str]:
    """Source: ECMA-376, part 1, 18.3.1: the order of these parts is fixed."""
    last = letters(len(table.header) - 1)
    yield (
        f'{HEAD}<worksheet xmlns="{MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
        f"{columns(table.widths)}<sheetData>"
    )
    lines: list[tuple[str, Sequence[Cell], bool]] = [
        (_TITLE, [table.title], True),
        *((_PLAIN, [text], True) for text in table.above),
        (_HEADER, table.header, False),
        *((_FRAMED, row, False) for row in table.rows),
        *((_PLAIN, [text], True) for text in table.below),
    ]
    for number, (style, cells, _wide) in enumerate(lines, 1):
        yield _row(number, cells, style, table.widths)
    merged = [f"A{number}:{last}{number}" for number, (_style, _cells, wide) in enumerate(lines, 1) if wide]
    ranges = "".join(f'<mergeCell ref="{each}"/>' for each in merged)
    yield (f'</sheetData><mergeCells count="{len(merged)}">{ranges}</mergeCells>{PRINTED}</worksheet>')


def _row(number: int, cells: Sequence[Cell], style: str, widths: Sequence[int]) -> str:
    lines = _lines(cells, widths) + 1 if style == _HEADER else _lines(cells, widths) if style == _FRAMED else 1
    styles = (_MONEY if style == _FRAMED and isinstance(value, float) else style for value in cells)
    found = (
        cell_xml(f"{letters(column)}{number}", drawn, value)
        for column, (drawn, value) in enumerate(zip(styles, cells, strict=True))
    )
    return f'<row r="{number}" ht="{max(ROW_POINTS, lines * LINE_POINTS)}" customHeight="1">{"".join(found)}</row>'


def _lines(cells: Sequence[Cell], widths: Sequence[int]) -> int:
    """Of the longest text in a column of that width: no program reckons that before it prints. A head breaks at its
    brackets, and takes one more.
    """
    return max(-(-breadth(str(value or "")) // max(width - 1, 1)) for value, width in zip(cells, widths, strict=True))
