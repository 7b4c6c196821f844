"""What a list leaves open is not settled by which row, column or household comes first."""

from __future__ import annotations

from dataclasses import replace

from aidvisit.services.sheet import (
    Decisions,
    Known,
    KnownHousehold,
    KnownItem,
    KnownMember,
    Listed,
    Plan,
    Sheet,
    find_layout,
    make_plan,
    read_rows,
)
from sync.op import uuid7

VILLAGE = "441225112207"
HEADING = ("村小组", "户主姓名", "身份证号码", "联系电话", "大米")
NUMBER, ANOTHER = "44122519720601118X", "441225195001207956"
RICE = KnownItem("rice", "大米", "袋", "")
HOUSE = KnownHousehold("id-1", "杨雪珍", NUMBER, VILLAGE, "一队", 2, "18874644436", "", "", frozenset())


def plan_of(
    *rows: tuple[object, ...],
    households: tuple[KnownHousehold, ...] = (HOUSE,),
    heading: tuple[object, ...] = HEADING,
    said: dict[str, object] | None = None,
    accepted: str = "",
) -> Plan:
    sheet = Sheet("名单", (heading, *rows), frozenset())
    layout = find_layout(sheet, frozenset({"大米"}), said)
    assert layout is not None
    found, total = read_rows(sheet, layout)
    known = Known(households, {}, [RICE], {VILLAGE: "民强村民委员会"})
    decisions = Decisions(accepted={("名单", 2): accepted} if accepted else {})
    return make_plan([Listed(sheet, layout, found, total, VILLAGE)], known, new_id=uuid7, decisions=decisions)


def test_two_rows_of_one_household_on_record_are_not_one_quantity() -> None:
    """Found by its place once and by its number once: the second is refused, instead of taking the first one's."""
    plan = plan_of(("一队", "杨雪珍", None, None, 2), ("一队", "杨雪珍", NUMBER, None, 1))
    assert [one.goods for one in plan.households] == [{("id-1", "rice"): 2}]
    assert [one.row for one in plan.refused] == [3]


def test_of_namesakes_in_one_group_none_is_chosen() -> None:
    """Without a number nobody knows which of the two a row means; with one it is somebody new, or known by it."""
    other = replace(HOUSE, id="id-2", id_number=ANOTHER)
    plan = plan_of(("一队", "杨雪珍", None, None, 2), households=(HOUSE, other))
    assert not plan.households
    assert "同名" in plan.refused[0].why
    (by_number,) = plan_of(("一队", "杨雪珍", ANOTHER, None, 2), households=(HOUSE, other)).households
    assert by_number.id == "id-2"
    (chosen,) = plan_of(("一队", "杨雪珍", None, None, 2), households=(HOUSE, other), accepted="id-2").households
    assert chosen.id == "id-2"


def test_two_columns_of_one_item_are_not_one_quantity() -> None:
    said = {
        "kind": "households",
        "columns": {"0": "group", "1": "name", "2": "id_number", "3": "item:rice", "4": "item:rice"},
    }
    heading = ("村小组", "户主姓名", "身份证号码", "大米一", "大米二")
    plan = plan_of(("一队", "杨雪珍", NUMBER, 2, 1), ("二队", "苏兴明", None, None, 1), heading=heading, said=said)
    assert [one.row for one in plan.refused] == [2]
    (taken,) = plan.households
    assert list(taken.goods.values()) == [1]


def test_a_person_of_a_household_does_not_change_who_heads_it() -> None:
    """Taken into the household that the person is a member of: the number and telephone are not the head's."""
    mother = replace(HOUSE, name="聂彩娣", id_number="", members=(KnownMember("m-1", "杨雪珍", id_number=NUMBER),))
    plan = plan_of(("一队", "杨雪珍", NUMBER, "13800000000", 1), households=(mother,), accepted="id-1")
    (taken,) = plan.households
    assert taken.id == "id-1"
    assert not [path for path in taken.changes if path.startswith("head.")]
    assert taken.goods == {("id-1", "rice"): 1}


def test_namesakes_who_were_born_on_different_days_are_two() -> None:
    old = replace(HOUSE, members=(KnownMember("m-1", "王伟", born="1950-01-01"),))
    sheet = Sheet("儿童", (("残疾儿童名单", None), ("姓名", "出生日期"), ("王伟", "2015-03-04")), frozenset())
    layout = find_layout(sheet)
    assert layout is not None
    listed = Listed(sheet, layout, read_rows(sheet, layout, "2020-12-30")[0], None, VILLAGE)
    plan = make_plan([listed], Known((old,), {}, [RICE], {VILLAGE: "民强村民委员会"}), new_id=uuid7)
    assert [one.state for one in plan.outcomes] == ["new"]


def test_a_remark_on_a_list_goes_behind_what_is_noted() -> None:
    heading = (*HEADING[:3], "备注", "大米")
    row = ("一队", "杨雪珍", NUMBER, "需要轮椅", 1)
    for before, after in (("", "需要轮椅"), ("独居", "独居;需要轮椅")):
        (house,) = plan_of(row, households=(replace(HOUSE, note=before),), heading=heading).households
        assert house.changes == {"note": after}
        (again,) = plan_of(row, households=(replace(HOUSE, note=after),), heading=heading).households
        assert again.changes == {}
