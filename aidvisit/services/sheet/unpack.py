"""A workbook is a zip of XML, and a small one can be made to fill any memory: measured before it is read.

What is refused here: more than a list can hold, packed beyond what a list packs, document types (their entities
expand), and ranges that openpyxl would fill cell by cell.
"""

from __future__ import annotations

import re
from io import BytesIO
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from aidvisit.errors import Problem

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_UNPACKED_BYTES = 64 * 1024 * 1024
MAX_RATIO = 200  # deflate reaches 1,032; a list of ten thousand rows about 20
MAX_PARTS = 1000
MAX_CELLS = 500_000
"""Cells of all sheets together, those included that merged cells and links cover; and of the rectangle around them."""
MAX_CELLS_READ = 2_000_000
"""The same where several sheets are said to be the largest one."""
CHUNK_BYTES = 64 * 1024

_REF = re.compile(r"\$?([A-Za-z]{0,3})\$?([0-9]{0,7})")
_COLUMNS, _ROWS = 16_384, 1_048_576


def check(raw: bytes, name: str) -> None:
    """Whether a workbook is safe to be read whole; `name` is what its refusal calls it.

    Raises: Problem `sheet-too-large`, `not-a-sheet`; zipfile's and zlib's errors for a file that is no zip.
    """
    with ZipFile(BytesIO(raw)) as book:
        parts = book.infolist()
        unpacked = sum(part.file_size for part in parts)
        if len(parts) > MAX_PARTS or unpacked > min(MAX_UNPACKED_BYTES, MAX_RATIO * len(raw)):
            raise too_large(name)
        if any(part.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or part.flag_bits & 1 for part in parts):
            raise Problem("not-a-sheet", file=name)
        found = [_measured(book, part, name) for part in parts if part.filename.endswith((".xml", ".rels", ".vml"))]
    cells = [one.cells for one in found]
    if sum(cells) > MAX_CELLS or max(cells, default=0) * sum(one.sheets for one in found) > MAX_CELLS_READ:
        raise too_large(name)


def too_large(name: str) -> Problem:
    return Problem("sheet-too-large", file=name, megabytes=MAX_FILE_BYTES // 1024 // 1024, cells=MAX_CELLS)


class _Measure:
    """`cells` that openpyxl would make of one part of a workbook, and the `sheets` that it names."""

    def __init__(self, name: str) -> None:
        self.cells = self.sheets = 0
        self._name = name

    def doctype(self, *_: object) -> None:
        """No program that writes lists writes one."""
        raise Problem("not-a-sheet", file=self._name)

    def element(self, tag: str, attributes: dict[str, str]) -> None:
        match tag.rpartition(":")[2]:
            case "c":
                self.cells += 1
            case "mergeCell" | "hyperlink":
                self.cells += _covered(attributes.get("ref", ""))
            case "sheet":
                self.sheets += 1
        if self.cells > MAX_CELLS:
            raise too_large(self._name)


def _measured(book: ZipFile, part: ZipInfo, name: str) -> _Measure:
    """Read in small pieces that are thrown away, and no further than it said that it is long."""
    measure, parser, left = _Measure(name), expat.ParserCreate(), part.file_size
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = measure.doctype, measure.element
    try:
        with book.open(part) as stream:
            while piece := stream.read(CHUNK_BYTES):
                left -= len(piece)
                if left < 0:
                    raise too_large(name)
                parser.Parse(piece)
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Problem("not-a-sheet", file=name) from error
    return measure


def _covered(reference: str) -> int:
    """How many cells a range covers; without a row or a column it is all of them."""
    first, colon, last = reference.partition(":")
    (left, top), (right, bottom) = _place(first, 1, 1), _place(last if colon else first, _COLUMNS, _ROWS)
    return (abs(right - left) + 1) * (abs(bottom - top) + 1)


def _place(reference: str, column: int, row: int) -> tuple[int, int]:
    """(column, row) of AB12, from 1; what stands in for the one that is not there."""
    match = _REF.fullmatch(reference)
    letters, digits = match.groups() if match else ("", "")
    if letters:
        column = 0
        for letter in letters.upper():
            column = column * 26 + ord(letter) - ord("A") + 1
    return column, int(digits) if digits else row
