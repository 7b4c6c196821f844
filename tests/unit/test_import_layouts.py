"""Headings of every shape, and what stands between and below the rows: read for what they are."""

from __future__ import annotations

import pytest

from aidvisit.domain.id_number import check_digit
from aidvisit.services.sheet import Hints, Layout, Sheet, SheetRow, find_layout, read_rows
from aidvisit.services.sheet.cells import Cell, filled_sheet

HINTS = Hints(frozenset({"大米", "食用油"}), frozenset({"低保", "残疾", "孤寡"}), frozenset({"民强村", "民进村"}))
NUMBERS = ("44122519720601118X", "441225195001207956", "441225192907256347")
NAMES = ("杨雪珍", "苏兴明", "聂彩娣")


def read(*rows: list[Cell], merged: tuple[tuple[int, int, int, int], ...] = ()) -> tuple[Layout, list[SheetRow]]:
    width = max(map(len, rows))
    sheet = filled_sheet("名单", [[*row, *[None] * (width - len(row))] for row in rows], list(merged))
    layout = find_layout(sheet, HINTS)
    assert layout is not None
    return layout, read_rows(sheet, layout)[0]


def people(*columns: tuple[Cell, ...]) -> list[list[Cell]]:
    return [list(row) for row in zip(*columns, strict=True)]


def test_a_heading_whose_groups_stand_above_the_names() -> None:
    """户主信息 over three columns and 慰问物资 over two, the names of the columns below."""
    layout, rows = read(
        ["慰问名单"],
        ["序号", "户主信息", None, None, "慰问物资", None],
        [None, "姓名", "身份证号", "电话", "面粉(袋)", "大米"],
        [1, NAMES[0], NUMBERS[0], "18874644436", 2, 1],
        merged=((0, 0, 1, 6), (1, 0, 3, 1), (1, 1, 2, 4), (1, 4, 2, 6)),
    )
    assert (layout.heading, layout.first, layout.title) == (1, 3, "慰问名单")
    assert [(item.name, item.unit) for item in layout.items] == [("面粉", "袋"), ("大米", "")]
    assert [(row.name, row.goods) for row in rows] == [(NAMES[0], {0: 2, 1: 1})]


def test_a_heading_of_two_rows_whose_merged_cells_were_lost() -> None:
    """As a .csv has it: the names of goods stand below a heading that is empty to its right."""
    layout, rows = read(
        ["姓名", "电话", "慰问物资", None, "备注"],
        [None, None, "面粉", "大米", None],
        [NAMES[0], "18874644436", 1, 2, "在家"],
    )
    assert [item.name for item in layout.items] == ["面粉", "大米"]
    assert (rows[0].goods, rows[0].note) == ({0: 1, 1: 2}, "在家")


def test_what_stands_between_and_below_the_rows_is_no_household() -> None:
    heading: list[Cell] = ["序号", "姓名", "电话", "人口"]
    _, rows = read(
        heading,
        [1, NAMES[0], "18874644436", 2],
        [None, None, None, None],
        ["小计", None, None, 2],
        list(heading),
        [2, NAMES[1], "13753856425", 3],
        ["合计", None, None, 5],
        ["制表人:张三", None, "审核:李四", None],
        [None, "负责人:王五", None, None],
    )
    assert [(row.number, row.name) for row in rows] == [(2, NAMES[0]), (6, NAMES[1])]


def test_columns_are_known_by_what_stands_in_them() -> None:
    phones = ("18874644436", "13753856425", "17660172569")
    layout, rows = read(
        ["姓名", "困难情况", "何处", "联络", "编号", "人口"],
        *people(NAMES, ("低保", "残疾、低保", "孤寡"), ("民强村", "民强村", "民进村"), phones, NUMBERS, (1, 2, 3)),
    )
    assert not layout.unknown
    row = rows[1]
    assert (row.categories, row.village, row.phone, row.id_number) == (
        ("残疾", "低保"),
        "民强村",
        phones[1],
        NUMBERS[1],
    )


def test_names_are_known_by_their_surnames_where_no_heading_says_so() -> None:
    layout, rows = read(["困难对象称呼", "人口", "身份证号"], *people(NAMES, (1, 2, 3), NUMBERS))
    assert [row.name for row in rows] == list(NAMES)
    assert layout.kind == "households"


def test_two_columns_of_one_meaning_are_not_mixed_up() -> None:
    layout, rows = read(
        ["姓名", "电话", "联系电话", "类型1", "类型2", "人口"],
        [NAMES[0], "18874644436", "13753856425", "低保", "残疾", 1],
    )
    assert rows[0].phone == "18874644436"
    assert rows[0].categories == ("低保", "残疾")
    assert [heading for _, heading in layout.unknown] == ["联系电话"]


@pytest.mark.parametrize(
    ("title", "heading", "kind"),
    [
        ("重点妇女台账", ["姓名", "身份证", "类别"], "people"),
        ("困难家庭台账", ["姓名", "身份证", "类别"], "households"),
        ("高龄老人慰问名单", ["姓名", "身份证", "大米"], "households"),
        ("台账", ["姓名", "身份证", "监护人"], "people"),
        ("台账", ["户主姓名", "姓名", "与户主关系"], "people"),
        ("儿童家庭", ["户主", "身份证", "人口"], "households"),
    ],
)
def test_what_a_list_is_of(title: str, heading: list[Cell], kind: str) -> None:
    layout, _ = read([title], heading, [NAMES[0], NUMBERS[0], None])
    assert layout.kind == kind


def test_what_somebody_said_goes_before_what_is_guessed() -> None:
    sheet = Sheet("名单", (("姓名", "电话", "人口"), ("杨雪珍", "18874644436", 2)), frozenset())
    found = find_layout(sheet, HINTS, {"kind": "people", "columns": {"1": "guardian_phone", "2": "item:rice"}})
    assert found is not None
    assert (found.kind, found.meanings()) == ("people", {0: "name", 1: "guardian_phone", 2: "item:rice"})
    again = find_layout(sheet, HINTS)
    assert again is not None
    assert again.digest == found.digest


@pytest.mark.parametrize(
    ("typed", "kept", "asked"),
    [
        ("173-9379-1687", "17393791687", 0),
        ("+86 173 9379 1687", "17393791687", 0),
        (17393791687.0, "17393791687", 0),
        ("17393791687(女儿)", "17393791687(女儿)", 0),
        ("17393791687/13724714542", "17393791687/13724714542", 0),
        ("0758-6661234", "0758-6661234", 0),
        ("无", "", 0),
        ("1739379168", "", 1),
        ("173****1687", "", 1),
    ],
)
def test_telephone_numbers(typed: Cell, kept: str, asked: int) -> None:
    _, rows = read(["姓名", "电话", "人口"], [NAMES[0], typed, 1])
    assert (rows[0].phone, len(rows[0].asks)) == (kept, asked)


def test_an_age_that_is_not_the_numbers_is_asked_about() -> None:
    _, rows = read(["日期:2020年12月30日"], ["姓名", "身份证", "年龄", "性别"], [NAMES[0], NUMBERS[0], 49, "女"],
                   [NAMES[1], NUMBERS[1], 60, "女"])  # fmt: skip
    assert not rows[0].asks, "48, and one more as people count"
    assert len(rows[1].asks) == 2
    assert not rows[1].faults


def test_numbers_that_a_spreadsheet_cut_are_refused_together() -> None:
    """One whose check digit fits by chance is no better than its neighbours."""
    fits = next(f"{first}0" for day in range(1, 29) if check_digit(first := f"441225197206{day:02d}000") == "0")
    _, alone = read(["姓名", "身份证", "人口"], [NAMES[0], fits, 1])
    assert not alone[0].faults
    _, rows = read(["姓名", "身份证", "人口"], [NAMES[0], "441225195001207000", 1], [NAMES[1], fits, 1])
    assert all(row.faults for row in rows)
