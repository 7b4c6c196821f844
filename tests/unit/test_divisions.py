"""Divisions: the country that ships with the product, and the towns and villages that a county loads."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidvisit import cli
from aidvisit.domain import division as rules
from aidvisit.domain.category import born_by, from_age, of_age
from aidvisit.domain.person import age
from aidvisit.domain.rights import Scope
from aidvisit.errors import Problem
from aidvisit.services import division
from aidvisit.store.database import reading
from aidvisit.store.queries import catalog
from aidvisit.store.queries import division as queries
from tests.support.homes import PASSWORD, Centre, centre
from tests.support.pages import TOKEN, Pages, words

COUNTY = "130102"
FILE = (
    "code,name,parent\n130102,长安区,1301\n130102001,建北街道,130102\n130102001001,棉一社区,130102001\n"
    "\n440785001,恩城街道,440785\n130102100,西兆通镇,130102\n"
)


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[Centre]:
    with centre(tmp_path, database_url) as made:
        yield made


def states(found: division.Loading) -> dict[str, str]:
    return {row.code: row.state for row in found.rows}


# --- the country --------------------------------------------------------------------------------------------------


def test_the_country_ships_down_to_the_county_and_every_parent_with_it() -> None:
    names = rules.built_in()
    levels = [rules.LEVELS[len(code)] for code in names]
    assert (levels.count("province"), levels.count("city"), levels.count("county")) == (34, 342, 2978)
    assert list(names) == sorted(names)
    assert all(rules.parent(code) in names for code in names if len(code) > 2)
    known = {"441225": "封开县", "110101": "东城区", "460400": "儋州市", "659001": "石河子市", "81": "香港特别行政区"}
    assert {code: names[code] for code in known} == known


def test_a_code_says_what_it_lies_in() -> None:
    assert rules.line("441225112207") == ["44", "4412", "441225", "441225112", "441225112207"]
    assert [rules.below(code) for code in ("", "44", "4412", "441225", "441225112", "441225112207")] == [
        2, 4, 6, 9, 12, None,
    ]  # fmt: skip
    assert [rules.is_code(text) for text in ("44", "441", "44122a", "４４", "")] == [True, False, False, False, False]


@given(st.dates(), st.dates(), st.integers(10, 120))
def test_the_day_of_birth_and_the_age_agree(today: date, born: date, years: int) -> None:
    if born <= today and today.year > years:
        assert (age(str(born), str(today)) >= years) == (str(born) <= born_by(years, str(today)))


def test_a_category_that_follows_from_age() -> None:
    assert [from_age(code) for code in (of_age(80), "elder_alone", "elder_8", "elder_080", "dibao")] == [
        80, None, None, None, None,
    ]  # fmt: skip


# --- one by one ---------------------------------------------------------------------------------------------------


def test_names_change_and_codes_stay(home: Centre) -> None:
    with reading() as conn:
        held = queries.division(conn, "441225")
        assert held is not None
        assert (held.seen, held.line) == ("", [("44", "广东省"), ("4412", "肇庆市")])
    contact = {"name": "邓若谷", "phone": "0758-6688000"}
    assert division.define(actor=home.device, code="441225", name="封川县", contact=contact, seen="")
    with reading() as conn:
        assert catalog.division_names(conn, "441225112207")[0] == "封川县"
        assert [row.code for row in queries.find(conn, "封川")[0]] == ["441225"]
        assert queries.find(conn, "封开")[0] == []
        row = next(row for row in queries.children(conn, "4412")[0] if row.code == "441225")
        assert (row.name, row.contact) == ("封川县", contact)
    with pytest.raises(Problem, match="changed-meanwhile"):
        division.define(actor=home.device, code="441225", name="又一名", seen="")


def test_what_is_not_there_or_not_ones_own_is_refused(home: Centre) -> None:
    mine = Scope(divisions=("441225",))
    for code, seen, scope, name in (
        ("441225112", None, mine, "code-taken"),
        ("441225", None, mine, "code-taken"),
        ("44122511", None, mine, "unknown-code"),
        ("441225777", "", mine, "unknown-code"),
        ("441225777001", None, mine, "unknown-division"),
        ("440785001", None, mine, "place-outside"),
    ):
        with pytest.raises(Problem, match=name):
            division.define(actor=home.device, code=code, name="新名", seen=seen, scope=scope)
    assert division.define(actor=home.device, code="441225777", name="新镇", scope=mine)


def test_the_tree_comes_in_pages_and_says_all_once(home: Centre) -> None:
    division.define(actor=home.device, code="44", name="广东", seen="")
    for under, whole in (("", 34), ("44", 21), ("441225112", 10)):
        found: list[str] = []
        more = True
        with reading() as conn:
            while more:
                page, more = queries.children(conn, under, found[-1] if found else "", limit=5)
                found += [row.code for row in page]
        assert found == sorted(set(found))
        assert len(found) == whole, under


# --- a county from a file -----------------------------------------------------------------------------------------


def test_a_county_is_loaded_whole_and_again_changes_nothing(home: Centre) -> None:
    found = division.preview(FILE.encode(), COUNTY)
    assert (found.count("new"), found.count("same"), found.elsewhere) == (3, 1, 1)
    division.load(FILE.encode(), COUNTY, actor=home.device)
    with reading() as conn:
        assert catalog.division_names(conn, "130102001001") == ["长安区", "建北街道", "棉一社区"]
    again = division.load(FILE.encode(), COUNTY, actor=home.device)
    assert (again.count("new"), again.count("changed")) == (0, 0)
    assert division.preview(again.text().encode(), COUNTY).rows[0].state == "same"


def test_a_contact_outlives_a_new_name_from_a_file(home: Centre) -> None:
    division.load(FILE.encode(), COUNTY, actor=home.device)
    contact = {"name": "苏晓禾", "phone": "13800000000"}
    with reading() as conn:
        held = queries.division(conn, "130102001")
    assert held is not None
    division.define(actor=home.device, code="130102001", name=held.name, contact=contact, seen=held.seen)
    found = division.load(FILE.replace("建北街道", "建北街道办事处").encode("gb18030"), COUNTY, actor=home.device)
    assert [(row.code, row.before) for row in found.rows if row.state == "changed"] == [("130102001", "建北街道")]
    with reading() as conn:
        held = queries.division(conn, "130102001")
    assert held is not None
    assert (held.name, held.contact) == ("建北街道办事处", contact)


def test_one_wrong_line_and_nothing_is_loaded(home: Centre) -> None:
    more = "13010200,短码,\n130102002,,\n130102100,又一名,\n130102999001,孤村,\n130102003,错上级,130103\n"
    found = division.preview((FILE + more).encode(), COUNTY)
    refused = {row.line: row.why for row in found.rows if row.state == "refused"}
    assert sorted(refused) == [8, 9, 10, 11, 12]
    assert all(" / " in why for why in refused.values())
    with pytest.raises(Problem, match="refused-lines") as told:
        division.load((FILE + more).encode(), COUNTY, actor=home.device)
    assert told.value.members["line"] == 8
    with reading() as conn:
        assert queries.defined(conn, COUNTY) == {}


@pytest.mark.parametrize(
    ("data", "county", "name"),
    [
        (b"\x81", COUNTY, "not-a-division-list"),
        ("姓名,电话\n".encode(), COUNTY, "not-a-division-list"),
        (b"", COUNTY, "not-a-division-list"),
        (FILE.encode(), "130104", "nothing-for-county"),
        (FILE.encode(), "139999", "unknown-code"),
        (FILE.encode(), "13", "unknown-code"),
    ],
)
def test_a_file_that_is_none(home: Centre, data: bytes, county: str, name: str) -> None:
    with pytest.raises(Problem, match=name):
        division.preview(data, county)


def test_a_county_that_is_not_ones_own_is_not_loaded(home: Centre) -> None:
    with pytest.raises(Problem, match="place-outside"):
        division.preview(FILE.encode(), COUNTY, scope=Scope(divisions=("441225",)))


def test_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, file = str(tmp_path / "central"), tmp_path / "towns.csv"
    file.write_text(FILE, encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD))
    assert cli.main(["central", "init", "--admin", "office", "--password-stdin", "--home", home]) == 0

    def load(*more: str) -> dict[str, object]:
        capsys.readouterr()
        asked = ("central", "divisions", "load", str(file), "--county", COUNTY, "--home", home, *more)
        assert cli.main(["--json", *asked]) == 0
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found

    assert load("--dry-run")["new"] == 3
    assert load()["new"] == 3
    assert load()["same"] == 4
    file.write_text(FILE + "1,x,\n", encoding="utf-8")
    assert cli.main(["central", "divisions", "load", str(file), "--county", COUNTY, "--home", home]) == 1
    assert "8" in capsys.readouterr().err


# --- the pages ----------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(office: Pages) -> Pages:
    office.sign_in("admin")
    return office


def choose(pages: Pages, text: str, county: str = COUNTY) -> str:
    found = TOKEN.search(pages.get("/search").text)
    assert found is not None
    form = {"csrf_token": found[1], "county": county, "file": (io.BytesIO(text.encode()), "towns.csv")}
    return pages.client.post("/divisions/load", data=form).text


def test_a_file_is_looked_at_and_then_loaded(admin: Pages) -> None:
    before = admin.ops()
    shown = choose(admin, FILE)
    assert "新增 3,改名 0,不变 1,不对 0" in shown
    assert admin.ops() == before
    carried = re.search(r'name="text" hidden>\n(.*?)</textarea>', shown, re.DOTALL)
    assert carried is not None
    answer = admin.post("/divisions/load", {"county": COUNTY, "text": unescape(carried[1])})
    assert answer.status_code == 303
    assert admin.ops() == before + 3
    assert "建北街道" in words(admin.get(answer.location))


def test_a_file_with_a_wrong_line_offers_no_way_on(admin: Pages) -> None:
    shown = choose(admin, FILE + "1301020,短码,\n")
    assert "什么都不会读入" in shown
    assert "全部读入" not in shown
    assert admin.post("/divisions/load", {"county": COUNTY}).status_code == 422


def test_the_tree_is_walked_and_searched(admin: Pages) -> None:
    assert "广东省" in words(admin.get("/divisions"))
    assert "封开县" in words(admin.get("/divisions?under=4412"))
    assert "广东省 肇庆市 封开县" in words(admin.get("/divisions?q=大玉口"))
    assert admin.post("/divisions/add", {"code": "441225800", "name": "新镇"}).status_code == 303
    assert "新镇" in words(admin.get("/divisions?under=441225"))
    taken = admin.post("/divisions/add", {"code": "441225800", "name": "新镇二"})
    assert taken.status_code == 409
    assert "新镇二" in taken.text
    assert admin.get("/divisions/one?code=999999").status_code == 404


def test_an_office_of_one_town_changes_nothing_elsewhere(office: Pages) -> None:
    office.sign_in("office")
    assert office.post("/divisions/add", {"code": "440785800", "name": "别处"}).status_code == 403
    assert office.post("/divisions/one?code=441225112", {"name": "大玉口", "seen": "x"}).status_code == 409
    assert office.post("/divisions/one?code=440785", {"name": "别处", "seen": ""}).status_code == 403
