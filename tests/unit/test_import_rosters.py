"""Lists as offices really have them, whole: what is taken, what is refused and why, and that twice is once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from aidvisit.errors import Problem
from aidvisit.services import account, catalog
from aidvisit.services.import_ import Imported, import_sheet
from aidvisit.services.import_read import Choices
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.importing import known_households
from sync import log
from tests.support.homes import Centre, centre

DATA = Path(__file__).parents[1] / "data"
MESSY, LEDGER, DACHONG = DATA / "messy.xlsx", DATA / "dahuai-ledger-2024.xlsx", DATA / "dachong-2020-06-30.csv"
FAULTS = json.loads((DATA / "messy-faults.json").read_text(encoding="utf-8"))
TRUTH = json.loads((DATA / "dahuai-truth.json").read_text(encoding="utf-8"))
TOWN = "440785108"
PLACES = {
    "440785": "恩平市", TOWN: "大槐镇", f"{TOWN}200": "沙栏村民委员会", f"{TOWN}201": "塘冲村民委员会",
    f"{TOWN}202": "河湾村民委员会", f"{TOWN}203": "大槐村民委员会", f"{TOWN}204": "锦新村民委员会",
    f"{TOWN}205": "大朗村民委员会", f"{TOWN}206": "银水村民委员会", f"{TOWN}207": "良洞村民委员会",
    f"{TOWN}208": "佛良村民委员会", f"{TOWN}209": "牛山村民委员会", f"{TOWN}210": "石坳村民委员会",
    "442000": "中山市", "442000116": "大涌镇", "442000116002": "南文社区居民委员会",
    "442000116004": "岚田社区居民委员会",
}  # fmt: skip
NATURAL = {"上围自然村": f"{TOWN}203", "龙岗里": f"{TOWN}203"}
WORDS = {
    "unknown category": "不认识困难类型", "quantity below zero": "不能小于 0",
    "same id number as the row before under another name": "身份证号码与第",
    "id number fails its check digit": "校验码",
    "id number was stored as a number: its last digits are lost": "存成了数字", "quantity is not a number": "不是整数",
    "no name": "没有姓名", "id number has 16 characters": "16 个字符", "the row before again, whole": "只算一次",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[Centre]:
    with centre(tmp_path, database_url if database_url.startswith("postgresql") else "") as made:
        with transaction() as conn:
            places = (catalog.division_fact({"code": code, "name": name}) for code, name in PLACES.items())
            ledger.record(conn, made.device, *places)
        account.add_team(actor=made.device, name="南队", divisions=["440785", "442000"])
        yield made


def load(path: Path, home: Centre, **choices: Any) -> Imported:
    return import_sheet(path, actor=home.device, choices=Choices(**choices))


def ops() -> int:
    with reading() as conn:
        return log.state(conn).last_seq


@pytest.mark.parametrize("path", [MESSY, DATA / "messy.xls"], ids=["xlsx", "xls"])
def test_in_a_messy_list_every_fault_is_found_and_nothing_else(home: Centre, path: Path) -> None:
    done = load(path, home)
    cells = load_workbook(MESSY).active
    assert cells is not None
    found = {cells.cell(row.row, 1).value: row.why for row in done.refused}
    assert found.keys() == {fault["sheet_no"] for fault in FAULTS}
    for fault in FAULTS:
        assert WORDS[fault["fault"]] in found[fault["sheet_no"]], fault
    assert done.households == {"new": 60 - len(FAULTS), "same": 0, "changed": 0}
    assert [question.row for question in done.questions] == [66], "the total counts rows that are refused"
    assert done.trip is not None
    assert (done.trip["title"], done.trip["starts"], done.allotments) == ("民强村慰问", "2020-12-30", 2 * 51)


def test_refused_rows_come_back_and_are_taken_when_they_are_mended(home: Centre, tmp_path: Path) -> None:
    """The spreadsheet of refused rows is a list by itself: title, day and headings are there, and the reason is read
    as what it is."""
    back = tmp_path / "back.xlsx"
    done = import_sheet(MESSY, actor=home.device, refused_to=back)
    book = load_workbook(back)
    sheet = book.worksheets[0]
    reasons = [row[-1] for row in sheet.iter_rows(min_row=4, values_only=True)]
    assert [str(reason).partition(" / ")[0] for reason in reasons] == [row.why for row in done.refused]
    again = import_sheet(back, actor=home.device)
    assert (sum(again.households.values()), len(again.refused)) == (1, 8), "one was only wrong beside another row"
    sheet["F4"] = "低保户"
    sheet["H5"] = 1
    sheet["H9"] = "两袋"
    book.save(back)
    mended = import_sheet(back, actor=home.device)
    assert mended.households["new"] == 3
    assert {row.name for row in mended.refused} == {"欧土发", "梁建祥", "谢玉容", "", "卢水"}
    assert done.trip is not None
    assert mended.trip is not None
    assert mended.trip["id"] == done.trip["id"]


def test_a_list_in_gb18030_says_where_it_is_by_its_villages_and_when_by_its_name(home: Centre) -> None:
    done = load(DACHONG, home)
    assert done.households == {"new": 48, "same": 0, "changed": 0}
    assert (done.refused, done.questions) == ((), ())
    assert done.trip is not None
    assert (done.trip["starts"], done.allotments) == ("2020-06-30", 96)
    before = ops()
    assert load(DACHONG, home).households["same"] == 48
    assert ops() == before


def test_a_ledger_of_families_women_and_children(home: Centre) -> None:
    """Whoever is in it by ID number is taken; a guardian with the same name and telephone when that is said."""
    done = load(LEDGER, home, accept_sure=True, villages=NATURAL)
    counted = {one["sheet"]: one["taken"] for one in done.sheets}
    assert counted == {"重点家庭": TRUTH["families"], "重点妇女": TRUTH["women"], "重点儿童": TRUTH["children"]}
    assert done.households == {"new": TRUTH["households_if_every_right_match_is_taken"], "same": 0, "changed": 0}
    assert done.members == {"new": TRUTH["women"] + TRUTH["children"], "same": 0, "changed": 0}
    assert (done.refused, done.questions) == ((), ())
    before = ops()
    again = load(LEDGER, home)
    assert (again.households["same"], again.members["same"]) == (158, 183)
    assert ops() == before
    with reading() as conn:
        held = {one["name"]: one for one in known_households(conn, [TOWN], [])}
        assert ledger.verify(conn) == []
    assert len(held) == 158
    assert [one["name"] for one in held["欧玉"]["members"]] == ["欧玉", "侯金琼", "欧兰珍"]
    (wen,) = [one for one in held["温丽群"]["members"] if one["name"] == "温丽群"]
    assert (wen["relation"], wen["categories"]) == ("户主", [{"code": "single_mother"}])
    assert (held["龙木根"]["division"], held["龙木根"]["group"]) == (f"{TOWN}203", "上围自然村")
    (child,) = held["杨德成"]["members"]
    assert child["guardian"] == {"name": "杨德成", "phone": "18717425822"}
    assert "dibao" in held["张丽兰"]["categories"], "what a whole household has is the household's as well"


def test_a_guardian_is_offered_and_not_assumed(home: Centre) -> None:
    done = load(LEDGER, home, villages=NATURAL)
    matches = TRUTH["children_whose_guardian_heads_a_family"] + TRUTH["children_whose_guardian_is_another_listed_woman"]
    assert (done.matches, done.accepted) == (matches, 0)
    assert done.households["new"] == 158 + matches


def test_a_natural_village_is_asked_about_and_remembered(home: Centre) -> None:
    done = import_sheet(LEDGER, actor=home.device, dry_run=True)
    asked = {question.what.split("”")[0].strip("“"): question.options for question in done.questions}
    assert list(asked) == TRUTH["villages_that_are_no_division"]
    assert f"{TOWN}203 大槐村" in asked["上围自然村"]
    assert [row.name for row in done.refused] == ["龙木根", "张伟发"]
    with pytest.raises(Problem, match="import-unclear"):
        load(LEDGER, home, villages={"上围自然村": "440785108999"})
    load(LEDGER, home, villages=NATURAL)
    assert not load(LEDGER, home).questions


@pytest.mark.parametrize("choices", [{}, {"division": "440785"}])
def test_a_list_of_a_county_names_the_towns(home: Centre, tmp_path: Path, choices: dict[str, str]) -> None:
    """One village is told from another of its name by the town in the row."""
    namesakes = {"440785100": "横陂镇", "440785100200": "大槐村民委员会"}
    with transaction() as conn:
        facts = (catalog.division_fact({"code": code, "name": name}) for code, name in namesakes.items())
        ledger.record(conn, home.device, *facts)
    path = tmp_path / "county.csv"
    rows = ["镇,村,户主,人口", "大槐镇,大槐村,莫永有,2", "横陂镇,大槐村,苏秀好,3", "横陂镇,牛山村,叶秀芳,1"]
    path.write_text("\n".join(rows), encoding="utf-8")
    done = load(path, home, **choices)
    assert [(row.name, "不是已知的村" in row.why) for row in done.refused] == [("叶秀芳", True)]
    with reading() as conn:
        held = {one["name"]: one["division"] for one in known_households(conn, [TOWN, "440785100"], [])}
    assert held == {"莫永有": f"{TOWN}203", "苏秀好": "440785100200"}
