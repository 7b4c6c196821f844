"""The pure reader: from a sheet as a town office keeps it to a plan, with words for every refused row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from aidvisit.errors import Problem
from aidvisit.services.sheet import (
    Category,
    Known,
    KnownHousehold,
    KnownItem,
    Listed,
    Plan,
    Sheet,
    find_layout,
    make_plan,
    open_sheets,
    read_rows,
)
from aidvisit.services.sheet.categories import find_category
from aidvisit.services.sheet.cells import clean, find_date, whole_number
from aidvisit.services.sheet.layout import trip_title
from aidvisit.services.sheet.places import find_towns, find_villages, short_name
from sync.op import uuid7

SAMPLE = Path(__file__).parents[1] / "data" / "minqiang-2020-12-30.xlsx"
DIVISIONS = {
    "441225112": "大玉口镇",
    "441225112207": "民强村民委员会",
    "441225112208": "民进村民委员会",
    "441225102205": "民强村民委员会",
    "441225102": "白垢镇",
}
CATEGORIES = {"低保户": "dibao", "低保": "dibao", "残疾": "disabled", "高龄老人": "elder_80"}
ITEMS = [KnownItem("rice", "大米", "袋", "10kg/袋"), KnownItem("oil", "食用油", "桶", "5L")]
HEADING = ["序号", "村小组", "户主姓名", "身份证号码", "家庭人口", "困难类型", "联系电话", "大米", "油"]
GOOD = [1, "一队", "杨雪珍", "44122519720601118X", 2, "低保户", "18874644436", 1, 1]


def sheet_of(*rows: list[object]) -> Sheet:
    return Sheet("名单", tuple(tuple(row) for row in rows), frozenset())


def plan_of(*rows: list[object], households: tuple[KnownHousehold, ...] = ()) -> Plan:
    sheet = sheet_of(HEADING, *rows)
    layout = find_layout(sheet, frozenset(item.name for item in ITEMS))
    assert layout is not None
    found, total = read_rows(sheet, layout)
    known = Known(households, CATEGORIES, ITEMS, DIVISIONS)
    return make_plan([Listed(sheet, layout, found, total, "441225112207")], known, new_id=uuid7)


def changed(**cells: object) -> list[object]:
    """The good row with some cells otherwise, named by their place in the heading."""
    places = {"name": 2, "id_number": 3, "size": 4, "categories": 5, "phone": 6, "rice": 7, "oil": 8}
    row: list[object] = list(GOOD)
    for name, value in cells.items():
        row[places[name]] = value
    return row


def test_the_sample_sheet_is_read_whole() -> None:
    """Two heading rows, groups merged downwards, the total left out: 34 households and 41, 34, 34."""
    (sheet,) = open_sheets(SAMPLE)
    layout = find_layout(sheet)
    assert layout is not None
    assert (layout.title, layout.date) == ("大玉口镇民强村困难家庭慰问物资发放登记表", "2020-12-30")
    assert [(i.name, i.unit, i.spec) for i in layout.items] == [
        ("大米", "袋", "10kg"),
        ("食用油", "桶", "5L"),
        ("坚果", "份", ""),
    ]
    rows, total = read_rows(sheet, layout)
    assert len(rows) == 34
    assert [sum(row.quantities.get(i, 0) for row in rows) for i in range(3)] == [41, 34, 34]
    assert total is not None
    assert total.quantities == {0: 41, 1: 34, 2: 34}
    assert {row.group for row in rows} == {"一队", "二队", "三队", "大塘组", "坑口组"}
    assert [row.group for row in rows].count("坑口组") == 6
    assert rows[4].categories == ("单亲困境母亲", "低保户")
    assert sum(row.size or 0 for row in rows) == 85
    assert not any(row.faults for row in rows)
    assert not layout.unknown


def test_a_file_that_is_no_spreadsheet_is_told(tmp_path: Path) -> None:
    page = tmp_path / "list.xlsx"
    page.write_text("<html>hotel</html>")
    with pytest.raises(Problem, match="not-a-sheet"):
        open_sheets(page)
    with pytest.raises(Problem, match="sheet-unreadable"):
        open_sheets(tmp_path / "missing.xlsx")
    Workbook().save(page)
    with pytest.raises(Problem, match="not-a-sheet"):
        open_sheets(page)


def test_a_sheet_without_a_list_has_no_layout() -> None:
    assert find_layout(sheet_of(["会议记录"], ["到会", "张三", "李四"])) is None
    assert find_layout(sheet_of(["姓名", "工资"], ["张三", 1])) is None


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (3.0, "3"),
        (" 侯 德 ", "侯德"),
        ("４４１２２５", "441225"),
        ("A  B", "A B"),
        (date(2020, 1, 2), "2020-01-02"),
    ],
)
def test_cells_are_cleaned(cell: object, text: str) -> None:
    assert clean(cell) == text


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (2, 2),
        (2.0, 2),
        ("2袋", 2),
        ("一", 1),
        ("两", 2),
        ("-1", -1),
        ("若干", None),
        ("", None),
        (1.5, None),
        ("1.5", None),
        ("二十", None),
    ],
)
def test_whole_numbers_as_people_write_them(cell: object, number: int | None) -> None:
    assert whole_number(cell) == number


def test_days_are_found() -> None:
    assert find_date("日期:2020年12月30日") == "2020-12-30"
    assert find_date("2020年13月40日") is None


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (changed(name=None), "姓名"),
        (changed(id_number="441225197206011181"), "身份证"),
        (changed(id_number=4.412251938052278e17), "存成了数字"),
        (changed(categories="贫困程度一般"), "贫困程度一般"),
        (changed(rice=-1), "不能小于 0"),
        (changed(rice="若干"), "若干"),
        (changed(size="全家"), "全家"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(row: list[object], word: str) -> None:
    plan = plan_of(row)
    assert not plan.households
    (refused,) = plan.refused
    assert (refused.sheet, refused.row) == ("名单", 2)
    assert word in refused.why


def test_the_same_person_twice_counts_once() -> None:
    plan = plan_of(GOOD, GOOD, changed(name="别人"))
    assert len(plan.households) == 1
    assert [(r.row, "第 2 行" in r.why) for r in plan.refused] == [(3, True), (4, True)]


def test_a_quantity_cell_merged_over_rows_is_refused() -> None:
    sheet = Sheet("名单", (tuple(HEADING), tuple(GOOD), tuple(changed(name="聂彩娣"))), frozenset({(2, 7)}))
    layout = find_layout(sheet, frozenset({"大米"}))
    assert layout is not None
    rows, _ = read_rows(sheet, layout)
    assert [bool(row.faults) for row in rows] == [False, True]


def test_rows_match_what_is_known() -> None:
    """By ID number, else by place; an empty cell changes nothing."""
    known = KnownHousehold(
        "id-1",
        "杨雪珍",
        "44122519720601118X",
        "441225112207",
        "一队",
        2,
        "18874644436",
        "村口",
        "",
        frozenset({"dibao"}),
    )
    (same,) = plan_of(GOOD, households=(known,)).households
    assert same.state == "same"
    (edited,) = plan_of(
        changed(phone="13800000000", size=None, categories="低保、二级残疾"), households=(known,)
    ).households
    assert (edited.state, edited.changes) == ("changed", {"head.phone": "13800000000"})
    assert edited.added == (Category("disabled", "二级"),)
    plan = plan_of(changed(name="杨雪贞"), households=(known,))
    assert "杨雪珍" in plan.refused[0].why
    (by_place,) = plan_of(changed(id_number=None), households=(known,)).households
    assert by_place.known is known


def test_a_total_that_does_not_add_up_is_asked_about() -> None:
    plan = plan_of(GOOD, ["合计", None, None, None, None, None, None, 2, 1])
    assert [question.row for question in plan.questions] == [3]


def test_items_of_the_catalogue_are_used_and_others_are_new() -> None:
    sheet = sheet_of([*HEADING[:7], "慰问物资", "慰问物资"], [*HEADING[:7], "大米(袋,10kg)", "棉被(床)"], GOOD)
    sheet = Sheet("名单", sheet.rows, frozenset({(1, j) for j in range(7)} | {(0, 8)}))
    layout = find_layout(sheet)
    assert layout is not None
    rows, total = read_rows(sheet, layout)
    listed = Listed(sheet, layout, rows, total, "441225112207")
    plan = make_plan([listed], Known((), CATEGORIES, ITEMS, DIVISIONS), new_id=uuid7)
    assert plan.items[0].code == "rice"
    assert [(item.name, item.unit) for item in plan.new_items] == [("棉被", "床")]


def test_categories_with_a_grade() -> None:
    assert find_category("残疾(3级)", CATEGORIES) == Category("disabled", "三级")
    assert find_category("九级残疾", CATEGORIES) is None


def test_the_village_is_found_in_the_title() -> None:
    assert short_name("大玉口社区居民委员会") == "大玉口社区"
    assert find_villages("大玉口镇民强村困难家庭", DIVISIONS) == ["441225112207"]
    assert find_villages("民强村慰问", DIVISIONS) == ["441225102205", "441225112207"]
    assert find_villages("民强村慰问", DIVISIONS, "441225112") == ["441225112207"]
    assert find_towns("大玉口镇困难家庭", DIVISIONS) == ["441225112"]
    assert trip_title("民强村困难家庭慰问物资发放登记表") == "民强村困难家庭慰问物资发放"
    assert trip_title("民强村慰问名单(最终版2)") == "民强村慰问"
