"""Workbooks made to fill the memory or to read what is not theirs: refused in words, before they are opened."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from aidvisit.errors import Problem
from aidvisit.services.sheet import open_sheets
from aidvisit.services.sheet import unpack as module
from tests.support.homes import SAMPLE

SHEET = "xl/worksheets/sheet1.xml"
MOST_BYTES = 48 * 1024 * 1024

Change = Callable[[dict[str, bytes]], None]


@pytest.fixture(scope="session")
def parts() -> dict[str, bytes]:
    """The parts of a small list by name."""
    book, raw = Workbook(), BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(["户主姓名", "大米"])
    sheet.append(["杨雪珍", 1])
    book.save(raw)
    with zipfile.ZipFile(raw) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(path: Path, parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as book:
        for name, data in parts.items():
            book.writestr(name, data)
    return path


def refused(path: Path) -> str:
    """What it is refused as, soon and without filling the memory."""
    began = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(Problem) as raised:
            open_sheets(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MOST_BYTES
    assert time.monotonic() - began < 20
    assert path.name in raised.value.words("zh")
    return raised.value.name


def inside(parts: dict[str, bytes], mark: bytes, *, name: str = SHEET, before: bytes = b"</worksheet>") -> None:
    assert before in parts[name]
    parts[name] = parts[name].replace(before, mark + before)


def zeros(parts: dict[str, bytes]) -> None:
    parts["xl/media/image1.png"] = bytes(200 * 1024 * 1024)


def spaces(parts: dict[str, bytes]) -> None:
    inside(parts, b" " * (60 * 1024 * 1024))


def many_cells(parts: dict[str, bytes]) -> None:
    inside(parts, b"<row>" + b"<c/>" * (module.MAX_CELLS + 1) + b"</row>", before=b"</sheetData>")


def one_cell_far_out(parts: dict[str, bytes]) -> None:
    inside(parts, b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', before=b"</sheetData>")


def one_cell_far_down_that_names_no_place(parts: dict[str, bytes]) -> None:
    inside(parts, b'<row r="9999999"><c><v>1</v></c></row>', before=b"</sheetData>")


def a_merge_of_everything(parts: dict[str, bytes]) -> None:
    inside(parts, b'<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')


def a_merge_with_a_prefix(parts: dict[str, bytes]) -> None:
    parts[SHEET] = (
        b'<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData/>'
        b'<x:mergeCells><x:mergeCell ref="$A$1:$XFD$1048576"/></x:mergeCells></x:worksheet>'
    )


def many_merges(parts: dict[str, bytes]) -> None:
    inside(parts, b"<mergeCells>" + b'<mergeCell ref="A1:J1000"/>' * 51 + b"</mergeCells>")


def a_link_over_columns(parts: dict[str, bytes]) -> None:
    inside(parts, b'<hyperlinks><hyperlink ref="A:XFD" display="x"/></hyperlinks>')


def a_link_over_rows(parts: dict[str, bytes]) -> None:
    inside(parts, b'<hyperlinks><hyperlink ref="1:1048576" display="x"/></hyperlinks>')


def one_part_as_many_sheets(parts: dict[str, bytes]) -> None:
    inside(parts, b"<row>" + b"<c/>" * 100_000 + b"</row>", before=b"</sheetData>")
    sheets = b"".join(b'<sheet name="s%d" sheetId="%d" r:id="rId1"/>' % (number, number) for number in range(2, 30))
    more = sheets.replace(
        b"r:id", b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id'
    )
    inside(parts, more, name="xl/workbook.xml", before=b"</sheets>")


def many_parts(parts: dict[str, bytes]) -> None:
    parts.update({f"xl/media/{number}": b"" for number in range(module.MAX_PARTS)})


@pytest.mark.parametrize(
    "change",
    [zeros, spaces, many_cells, one_cell_far_out, one_cell_far_down_that_names_no_place, a_merge_of_everything,
     a_merge_with_a_prefix, many_merges, a_link_over_columns, a_link_over_rows, one_part_as_many_sheets, many_parts],
)  # fmt: skip
def test_what_would_fill_the_memory_is_too_large(tmp_path: Path, parts: dict[str, bytes], change: Change) -> None:
    made = dict(parts)
    change(made)
    assert refused(packed(tmp_path / "bomb.xlsx", made)) == "sheet-too-large"


def test_a_file_that_is_too_long_is_not_read_to_its_end(tmp_path: Path, parts: dict[str, bytes]) -> None:
    path = packed(tmp_path / "long.xlsx", parts)
    with path.open("r+b") as file:
        file.truncate(4 * 1024**3)
    assert refused(path) == "sheet-too-large"


LAUGHS = b'<!DOCTYPE x [<!ENTITY a0 "ha">%s]>' % b"".join(
    b'<!ENTITY a%d "%s">' % (number, b"&a%d;" % (number - 1) * 10) for number in range(1, 10)
)
FILE = b'<!DOCTYPE x [<!ENTITY a9 SYSTEM "file:///etc/passwd">]>'


HARMLESS = b'<!DOCTYPE x [<!ENTITY a9 "">]>'


@pytest.mark.parametrize("doctype", [LAUGHS, FILE, HARMLESS], ids=["laughs", "file", "harmless"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", [SHEET, "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"])
def test_a_document_type_is_refused(
    tmp_path: Path, parts: dict[str, bytes], doctype: bytes, encoding: str, name: str
) -> None:
    made = dict(parts)
    text = made[name].decode().removeprefix('<?xml version="1.0" encoding="UTF-8"?>')
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>'
    made[name] = (declaration + doctype.decode() + text.replace("</", "&a9;</", 1)).encode(encoding)
    assert refused(packed(tmp_path / "laugh.xlsx", made)) == "not-a-sheet"


def test_a_part_that_says_it_is_shorter_than_it_is(tmp_path: Path, parts: dict[str, bytes]) -> None:
    """Its declared sizes lie, in both places where a zip has them."""
    made = dict(parts)
    spaces(made)
    path = packed(tmp_path / "liar.xlsx", made)
    raw, true = path.read_bytes(), struct.pack("<I", len(made[SHEET]))
    assert raw.count(true) == 2
    path.write_bytes(raw.replace(true, struct.pack("<I", 1000)))
    assert refused(path) == "not-a-sheet"


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_packing_that_no_list_uses_is_refused(tmp_path: Path, parts: dict[str, bytes], method: int) -> None:
    assert refused(packed(tmp_path / "packed.xlsx", parts, method)) == "not-a-sheet"


def test_what_is_behind_a_password_is_refused(tmp_path: Path, parts: dict[str, bytes]) -> None:
    path = packed(tmp_path / "locked.xlsx", parts)
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = raw.find(mark)
        while place >= 0:
            raw[place + offset] |= 1
            place = raw.find(mark, place + 4)
    path.write_bytes(raw)
    assert refused(path) == "not-a-sheet"


def test_an_ordinary_list_of_thousands_is_read(tmp_path: Path) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("名单")
    for number in range(3_000):
        sheet.append([number, "杨雪珍", "44122519720601118X", *range(12)])
    book.save(tmp_path / "list.xlsx")
    (found,) = open_sheets(tmp_path / "list.xlsx")
    assert len(found.rows) == 3_000


@given(st.lists(st.tuples(st.integers(0, 8000), st.integers(0, 255)), min_size=1, max_size=20))
def test_a_damaged_list_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]
) -> None:
    raw = bytearray(SAMPLE.read_bytes())
    for place, value in flips:
        raw[place % len(raw)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.xlsx"
    path.write_bytes(raw)
    with suppress(Problem):
        open_sheets(path)


@given(st.binary(max_size=3000), st.sampled_from([SHEET, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"]))
def test_a_part_of_anything_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, parts: dict[str, bytes], data: bytes, name: str
) -> None:
    path = packed(tmp_path_factory.getbasetemp() / "anything.xlsx", parts | {name: parts[name][: len(data)] + data})
    with pytest.raises(Problem, match=r"not-a-sheet|sheet-too-large"):
        open_sheets(path)
