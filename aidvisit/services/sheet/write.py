"""Spreadsheets out: what another program would run as a formula is text and stays text.

Written piece by piece: a list of a whole county is never in memory, and nothing of it in a temporary file either, where
openpyxl keeps what it writes (docs/security.md, "Where data lie").
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from io import StringIO
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import IO
from unicodedata import east_asian_width
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from aidvisit.services.sheet.cells import Cell

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that a spreadsheet takes for a formula, in full width too.

Source: owasp.org/www-community/attacks/CSV_Injection.
"""
Table = tuple[str, Sequence[str], Iterable[Sequence[Cell]]]
"""(title of the sheet, header, rows)."""
STEP = 200
"""Rows that are written before a piece goes out; the width of a column is what the first of them need."""
NARROWEST, WIDEST = 6, 50
"""Of a column, in characters."""
LONGEST = 32767
"""Characters that a cell can hold (ECMA-376)."""
MOST_ROWS = 1_048_000
"""Of a sheet below its header: it can hold 1,048,576."""
MOST_BYTES = 1_500_000_000
"""Of a sheet's XML, when a piece ends: what is zipped in one pass must stay below 2 GiB, or be of a form that not every
spreadsheet program reads.
"""

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PRINTED = (
    '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.5" header="0.2" footer="0.2"/>'
    '<pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/>'
)
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_STYLES = (
    f'<styleSheet xmlns="{MAIN}"><fonts count="3"><font><sz val="11"/><name val="宋体"/></font>'
    '<font><b/><sz val="11"/><name val="宋体"/></font><font><b/><sz val="16"/><name val="宋体"/></font></fonts>'
    '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
    '<borders count="2"><border/><border><left style="thin"/><right style="thin"/><top style="thin"/>'
    '<bottom style="thin"/></border></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="6"><xf/><xf fontId="1" applyFont="1"/>'
    '<xf fontId="2" applyFont="1" applyAlignment="1"><alignment horizontal="center" vertical="center"/></xf>'
    '<xf fontId="1" borderId="1" applyFont="1" applyBorder="1" applyAlignment="1">'
    '<alignment horizontal="center" vertical="center" wrapText="1"/></xf>'
    '<xf borderId="1" applyBorder="1" applyAlignment="1"><alignment horizontal="center" vertical="center" '
    'wrapText="1"/></xf><xf numFmtId="4" borderId="1" applyNumberFormat="1" applyBorder="1" applyAlignment="1">'
    '<alignment horizontal="right" vertical="center"/></xf></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def workbook(to: Path | IO[bytes], tables: Iterable[Table]) -> None:
    """Write an .xlsx, one sheet a table, or as many as it needs. Texts are cells of text, whatever they begin with."""
    if isinstance(to, Path):
        with to.open("wb") as file:
            return workbook(file, tables)
    for piece in workbook_pieces(tables):
        to.write(piece)
    return None


def workbook_pieces(tables: Iterable[Table]) -> Iterator[bytes]:
    """The bytes of such an .xlsx as they come."""
    return book_pieces(_sheets(tables))


def _sheets(tables: Iterable[Table]) -> Iterator[tuple[str, Iterable[str]]]:
    """Each has the header; the next begins with the row at which the one before was full."""
    for title, header, rows in tables:
        every = iter(rows)
        yield title, _sheet(header, every)
        while waiting := list(islice(every, 1)):
            yield title, _sheet(header, chain(waiting, every))


def book_pieces(sheets: Iterable[tuple[str, Iterable[str]]], *, repeated: str = "") -> Iterator[bytes]:
    """The bytes of an .xlsx of these (title, XML of the sheet piece by piece). `repeated`: rows of the first sheet that
    are printed on every page, as `$1:$3`. Source: ECMA-376, part 1, 18.
    """
    pipe, titles = _Pipe(), list[str]()
    with ZipFile(pipe, "w", ZIP_DEFLATED) as archive:
        for title, pieces in sheets:
            titles.append(_title(title, titles))
            with archive.open(_entry(f"xl/worksheets/sheet{len(titles)}.xml"), "w") as sheet:
                for xml in pieces:
                    sheet.write(xml.encode())
                    yield pipe.taken()
        for name, xml in _parts(titles, repeated):
            archive.writestr(_entry(name), HEAD + xml)
    yield pipe.taken()


def sealed(header: Sequence[str], rows: Iterable[Sequence[Cell]], *, count: str = "行数") -> Iterator[Sequence[Cell]]:
    """The rows and a last one that says how many they are and the SHA-256 of header and rows as `csv_pieces` writes
    them: of a .csv, of all its bytes before the last line. A file that was cut off has no such line.
    """
    digest, number = sha256("\ufeff".encode()), 0
    file = StringIO(newline="")
    writer = csv.writer(file)
    for number, row in enumerate(_chained(header, rows)):
        writer.writerow(_inert(row))
        if number:
            yield row
        if number % STEP == 0:
            digest.update(_drained(file))
    digest.update(_drained(file))
    yield [count, number, "SHA-256", digest.hexdigest()]


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The same as CSV for a spreadsheet program: with a mark that it is UTF-8, and an apostrophe before a formula."""
    return "".join(csv_pieces(header, rows))


def csv_pieces(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Such CSV as it comes."""
    file = StringIO(newline="")
    writer = csv.writer(file)
    file.write("\ufeff")
    for number, row in enumerate(_chained(header, rows), 1):
        writer.writerow(_inert(row))
        if number % STEP == 0:
            yield _drained(file).decode()
    yield _drained(file).decode()


def _inert(row: Sequence[Cell]) -> list[Cell]:
    return [f"'{value}" if isinstance(value, str) and value.startswith(_RUNS) else value for value in row]


def _drained(file: StringIO) -> bytes:
    text = file.getvalue()
    file.seek(0)
    file.truncate()
    return text.encode()


def _chained(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    yield header
    yield from rows


class _Pipe:
    """What a zip is written to that cannot go back: each piece is taken once."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """What was written is taken by whoever asked for it."""

    def taken(self) -> bytes:
        piece = b"".join(self._pieces)
        self._pieces.clear()
        return piece


def _entry(name: str) -> ZipInfo:
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED
    return info


def _sheet(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The XML of a sheet whose header stays in sight; printed across, as wide as the paper.

    It takes as many of the rows as it can hold.
    """
    every = islice(rows, MOST_ROWS)
    first = list(islice(every, STEP))
    widths = [_width(column) for column in zip_longest(header, *first, fillvalue="")]
    yield (
        f'{HEAD}<worksheet xmlns="{MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
        '<sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"{columns(widths)}<sheetData>"
    )
    waiting, size = list[str](), 0
    for number, row in enumerate(_chained(header, chain(first, every)), 1):
        style = ' s="1"' if number == 1 else ""
        cells = (cell_xml(f"{letters(column)}{number}", style, value) for column, value in enumerate(row))
        waiting.append(f'<row r="{number}">{"".join(cells)}</row>')
        if len(waiting) == STEP:
            piece = "".join(waiting)
            yield piece
            waiting.clear()
            size += len(piece.encode())
            if size >= MOST_BYTES and number > len(first):
                break
    yield "".join(waiting) + f"</sheetData>{PRINTED}</worksheet>"


def columns(widths: Sequence[int]) -> str:
    """How wide each column is, in characters."""
    each = (f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>' for n, width in enumerate(widths, 1))
    return f"<cols>{''.join(each)}</cols>" if widths else ""


def breadth(text: str) -> int:
    """How many narrow characters take the place of a text: a Chinese one is as wide as two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _width(column: Iterable[Cell]) -> int:
    longest = max(breadth(str(value)) for value in column if value is not None)
    return min(max(longest + 2, NARROWEST), WIDEST)


def cell_xml(place: str, style: str, value: Cell) -> str:
    """`style`: nothing, or ` s="n"` of a cell that is drawn even when it is empty."""
    if value is None or value == "":
        return f'<c r="{place}"{style}/>' if style else ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f'<c r="{place}"{style}><v>{value!r}</v></c>'
    text = escape(_NO_XML.sub("", str(value))[:LONGEST], {"\r": "&#13;"})
    return f'<c r="{place}"{style} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def letters(column: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    while column >= 0:
        letters = chr(ord("A") + column % 26) + letters
        column = column // 26 - 1
    return letters


def _title(text: str, taken: Sequence[str]) -> str:
    """What a sheet may be called: at most 31 characters, none that stands in a reference, and no other's name."""
    name = "".join(c for c in _NO_XML.sub("", text) if c not in "[]:*?/\\")[:31].strip("'") or "Sheet"
    others, number = {title.lower() for title in taken}, 2
    while name.lower() in others:
        name = f"{name[:28].rstrip('0123456789')}{number}"
        number += 1
    return name


def _parts(titles: Sequence[str], repeated: str) -> Iterator[tuple[str, str]]:
    """The parts that say what is where."""
    numbers = range(1, len(titles) + 1)
    sheets = "".join(
        f'<sheet name={quoteattr(title)} sheetId="{n}" r:id="rId{n}"/>'
        for n, title in zip(numbers, titles, strict=True)
    )
    names = ""
    if repeated:
        where = escape("'{}'!{}".format(titles[0].replace("'", "''"), repeated))
        title = f'<definedName name="_xlnm.Print_Titles" localSheetId="0">{where}</definedName>'
        names = f"<definedNames>{title}</definedNames>"
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets>{names}</workbook>',
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    styles = f'<Relationship Id="rId0" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    relations = f'xmlns="{_PACKAGE}/relationships"'
    yield "xl/_rels/workbook.xml.rels", f"<Relationships {relations}>{styles}{related}</Relationships>"
    yield "xl/styles.xml", _STYLES
    book = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    yield "_rels/.rels", f"<Relationships {relations}>{book}</Relationships>"
    override = "".join(
        f'<Override PartName="/{name}" ContentType="{_TYPE}.{kind}+xml"/>'
        for name, kind in (
            ("xl/workbook.xml", "sheet.main"),
            ("xl/styles.xml", "styles"),
            *((f"xl/worksheets/sheet{n}.xml", "worksheet") for n in numbers),
        )
    )
    xml = '<Default Extension="xml" ContentType="application/xml"/>'
    package = "application/vnd.openxmlformats-package.relationships+xml"
    rels = f'<Default Extension="rels" ContentType="{package}"/>'
    yield "[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types">{rels}{xml}{override}</Types>'
