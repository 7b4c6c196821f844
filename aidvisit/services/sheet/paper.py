"""A spreadsheet laid out as a paper to print and sign: a title over all columns, a framed table, lines below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aidvisit.services.sheet.cells import Cell
from aidvisit.services.sheet.write import HEAD, MAIN, book_pieces, cell_xml, letters

_PLAIN, _TITLE, _HEADER, _FRAMED = "", ' s="2"', ' s="3"', ' s="4"'
ROW_POINTS = 24
"""Height of a row that somebody signs in."""


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
    return book_pieces([(table.title, _sheet(table))])


def _sheet(table: PaperTable) -> Iterator[str]:
    """Source: ECMA-376, part 1, 18.3.1: the order of these parts is fixed."""
    last = letters(len(table.header) - 1)
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>' for n, width in enumerate(table.widths, 1)
    )
    yield (
        f'{HEAD}<worksheet xmlns="{MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
        f"<cols>{columns}</cols><sheetData>"
    )
    lines: list[tuple[str, Sequence[Cell], bool]] = [
        (_TITLE, [table.title], True),
        *((_PLAIN, [text], True) for text in table.above),
        (_HEADER, table.header, False),
        *((_FRAMED, row, False) for row in table.rows),
        *((_PLAIN, [text], True) for text in table.below),
    ]
    for number, (style, cells, _wide) in enumerate(lines, 1):
        yield _row(number, cells, style)
    merged = [f"A{number}:{last}{number}" for number, (_style, _cells, wide) in enumerate(lines, 1) if wide]
    ranges = "".join(f'<mergeCell ref="{each}"/>' for each in merged)
    yield (
        f'</sheetData><mergeCells count="{len(merged)}">{ranges}</mergeCells>'
        '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.5" header="0.2" footer="0.2"/>'
        '<pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/></worksheet>'
    )


def _row(number: int, cells: Sequence[Cell], style: str) -> str:
    height = "" if style == _HEADER else f' ht="{ROW_POINTS}" customHeight="1"'
    found = (cell_xml(f"{letters(column)}{number}", style, value) for column, value in enumerate(cells))
    return f'<row r="{number}"{height}>{"".join(found)}</row>'
