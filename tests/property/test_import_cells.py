"""Whatever a cell was typed like, it is read as what it says, or not at all."""

from __future__ import annotations

import sys
from datetime import date
from io import BytesIO
from pathlib import Path
from tempfile import gettempdir

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from aidvisit.domain.id_number import check_digit
from aidvisit.services.sheet import Sheet, find_layout, read_rows, read_sheets
from aidvisit.services.sheet.cells import clean, find_date, squeeze, whole_number
from aidvisit.services.sheet.write import csv_text, workbook

WIDE = {ord(c): ord(c) + 0xFEE0 for c in map(chr, range(0x21, 0x7F))}
HAN = "〇一二三四五六七八九"
BLANKS = st.sampled_from(["", " ", "\t", "\u3000", "\u200b", "\ufeff", "\xa0"])
DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31))
NUMBERS = st.builds(
    lambda county, born, order: (first := f"{county}{born:%Y%m%d}{order:03d}") + check_digit(first),
    st.sampled_from(["441225", "440785", "442000"]), st.dates(date(1910, 1, 1), date(2020, 1, 1)), st.integers(0, 999),
)  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), min_size=1)


def below_100(number: int) -> str:
    tens, ones = divmod(number, 10)
    return (("" if tens == 1 else HAN[tens]) + "十" if tens else "") + (HAN[ones] if ones else "")


@given(DAYS)
def test_a_day_in_any_spelling_is_the_same_day(day: date) -> None:
    han = "".join(HAN[int(digit)] for digit in f"{day:%Y}")
    spellings = [
        f"{day.year}年{day.month}月{day.day}日", f"{day:%Y-%m-%d}", f"{day.year}/{day.month}/{day.day}",
        f"{day.year}.{day.month}.{day.day}", f"{day:%Y%m%d}",
        f"{han}年{below_100(day.month)}月{below_100(day.day)}日",
    ]  # fmt: skip
    assert {find_date(clean(f"日期:{one}")) for one in (*spellings, day)} == {day.isoformat()}


@pytest.mark.parametrize("text", ["20.12.30", "2020年12月", "12-30", "2020-02-30", "44122519720601118X", "二〇二〇年"])
def test_what_is_no_whole_day_is_none(text: str) -> None:
    assert find_date(text) is None


@given(NUMBERS, BLANKS, BLANKS, st.sampled_from(["", "'", "\u2018"]), st.booleans(), st.integers(1, 17))
def test_an_id_number_is_read_through_whatever_guards_it(
    number: str, before: str, after: str, guard: str, wide: bool, gap: int
) -> None:
    typed = number.translate(WIDE) if wide else number
    assert squeeze(f"{before}{guard}{typed[:gap]}{before}{typed[gap:].lower()}{after}").upper() == number
    assert squeeze(f'="{number}"') == number


@given(NUMBERS)
def test_an_id_number_that_was_a_number_is_refused(number: str) -> None:
    for cell in (float(number[:17] + "0"), int(number[:17] + "0"), f"{float(number[:17] + '0'):.5E}"):
        sheet = Sheet("名单", (("姓名", "身份证号", "电话"), ("杨雪珍", cell, None)), frozenset())
        layout = find_layout(sheet)
        assert layout is not None
        ((row,), _) = read_rows(sheet, layout)
        assert row.id_number == ""
        assert "末几位已经丢失" in row.faults[0].zh


@given(st.integers(0, 10**6), st.sampled_from(["", "袋", " 桶", "份"]), st.booleans())
def test_a_quantity_is_read_with_its_unit(number: int, unit: str, wide: bool) -> None:
    text = f"{number}{unit}"
    assert whole_number(text.translate(WIDE) if wide else text) == number
    assert whole_number(float(number)) == number
    assert whole_number(f"{number}.5{unit}") is None
    assert whole_number(f"{number}.{number}.1") is None


@given(TEXTS)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=4), min_size=1, max_size=5))
def test_what_is_written_reads_back_as_text_and_never_as_a_formula(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("out") / "out.xlsx"
    workbook(path, [("表", ["甲", "乙"], rows)])
    sheet = load_workbook(path).worksheets[0]
    for want, cells in zip(rows, sheet.iter_rows(min_row=2), strict=True):
        assert all(cell.data_type == "s" for cell in cells if cell.value is not None)
        assert [str(cell.value) for cell in cells[: len(want)]] == want
    for line in csv_text(["甲"], [[text] for row in rows for text in row]).splitlines()[1:]:
        assert line.lstrip('"')[:1] not in tuple("=+-@")


@pytest.mark.parametrize("first", [*"=+-@\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_what_a_spreadsheet_would_run_is_text_in_a_csv(first: str) -> None:
    assert csv_text(["甲"], [[f"{first}1+1"]]).partition("\n")[2].lstrip('"').startswith(f"'{first}")


def test_what_is_written_passes_through_no_other_file(tmp_path: Path) -> None:
    """A list has people in it, and a home's own folder is the only place for these (docs/operations.md)."""
    opened: list[str] = []
    watching = True
    sys.addaudithook(lambda event, given: opened.append(str(given[0])) if watching and event == "open" else None)
    workbook(tmp_path / "out.xlsx", [("表", ["甲"], ([str(number)] for number in range(1000)))])
    watching = False  # a hook stays as long as the process
    assert [path for path in opened if path.startswith(gettempdir())] == [str(tmp_path / "out.xlsx")]


@given(st.lists(st.sampled_from(["名单", "名单2", "a/b", "AB", "", "x" * 40]), min_size=1, max_size=6))
def test_sheets_have_names_of_their_own(titles: list[str]) -> None:
    book = BytesIO()
    workbook(book, [(title, ["甲"], [[1, None, 2.5, ""]]) for title in titles])
    read = load_workbook(BytesIO(book.getvalue()))
    assert len({name.lower() for name in read.sheetnames}) == len(titles)
    assert all(len(name) <= 31 for name in read.sheetnames)
    assert [cell.value for cell in read.worksheets[0][2]] == [1, None, 2.5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@given(delimiter=st.sampled_from(",;\t|"), names=st.lists(st.sampled_from(["杨雪珍", "苏,兴明", 'a"b']), min_size=2))
def test_separated_values_are_read_in_any_coding(encoding: str, delimiter: str, names: list[str]) -> None:
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    text = "\r\n".join(delimiter.join(row) for row in [["姓名", "电话"], *([name, "1"] for name in quoted)])
    (sheet,) = read_sheets(text.encode(encoding), "list.csv")
    assert [list(row) for row in sheet.rows] == [["姓名", "电话"], *([name, "1"] for name in names)]


def test_a_sheet_is_called_as_its_file(tmp_path: Path) -> None:
    path = tmp_path / "大涌镇 2020-06-30.csv"
    path.write_text("姓名,电话\n杨雪珍,1\n", encoding="utf-8")
    assert read_sheets(path.read_bytes(), path.name)[0].name == "大涌镇 2020-06-30"
