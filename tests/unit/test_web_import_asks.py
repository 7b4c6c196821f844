"""What a list leaves open is asked where it is seen, answered there, and remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from aidvisit.services import account, catalog
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.trip import trips
from sync import log
from tests.support.pages import Pages
from tests.unit.test_web_import import DATA, bring, columns, ops, rest

PLACES = {
    "442000": "中山市",
    "442000116": "大涌镇",
    "442000116002": "南文社区居民委员会",
    "442000116004": "岚田社区居民委员会",
}
GOODS = "户主,身份证号码,人口,困难类型,大米,蜂窝煤(块)\n杨雪珍,44122519720601118X,2,低保户,1,1\n".encode()


@pytest.fixture
def admin(office: Pages) -> Pages:
    """The centre, with whoever sees all of it."""
    office.sign_in("admin")
    return office


def define(pages: Pages, places: dict[str, str]) -> None:
    with pages.app.app_context(), transaction() as conn:
        facts = (catalog.division_fact({"code": code, "name": name}) for code, name in places.items())
        ledger.record(conn, log.own(conn), *facts)


def test_a_list_whose_town_has_no_team_is_shown_and_imported(admin: Pages) -> None:
    define(admin, PLACES)
    address = bring(admin, DATA / "dachong-2020-06-30.csv")
    page = columns(admin, address)
    assert "新 48 · 相同 0 · 有改动 0" in page.text
    assert "还没有队伍在那里工作" in page.text
    assert 'href="/teams/add"' in page.text
    assert f"{address}/save" not in page.text, "nothing can be taken before it is said"
    before = ops(admin)
    admin.post(f"{address}/save")
    assert "要先说清楚" in rest(admin, address).text
    assert ops(admin) == before
    with admin.app.app_context(), reading() as conn:
        device = log.own(conn)
    with admin.app.app_context():
        team = account.add_team(actor=device, name="大涌队", divisions=["441225112"])
    admin.post(f"{address}/answers", {"team": team})
    rest(admin, address)
    admin.post(f"{address}/save")
    assert "已经导入" in rest(admin, address).text
    with admin.app.app_context(), reading() as conn:
        assert [head.team for head in trips(conn) if head.starts == "2020-06-30"] == [team]


def test_households_are_imported_without_a_trip(admin: Pages) -> None:
    define(admin, PLACES)
    address = bring(admin, DATA / "dachong-2020-06-30.csv")
    columns(admin, address)
    admin.post(f"{address}/answers", {"goods": "no"})
    assert "走访任务</dt>" not in rest(admin, address).text
    admin.post(f"{address}/save")
    assert "新 48 · 相同 0 · 有改动 0" in rest(admin, address).text
    with admin.app.app_context(), reading() as conn:
        assert [head for head in trips(conn) if head.starts == "2020-06-30"] == []


@pytest.mark.parametrize("end", ["office", "laptop"])
def test_an_item_that_only_the_office_may_add_is_asked_about(request: pytest.FixtureRequest, end: str) -> None:
    """At once, by name; whatever it is said to be is remembered."""
    leader: Pages = request.getfixturevalue(end)
    leader.sign_in("luo")
    address = bring(leader, Path("民强村慰问 2020-12-29.csv"), GOODS)
    page = columns(leader, address, division="441225112207", date="2020-12-29", **{"column.0.5": "item"})
    assert "物资目录里没有“蜂窝煤”" in page.text
    assert f"{address}/save" not in page.text
    leader.post(f"{address}/answers", {"item.0.5": "item:nuts"})
    rest(leader, address)
    leader.post(f"{address}/save")
    page = rest(leader, address)
    assert "已经导入" in page.text
    assert "应发 2 项" in page.text
    again = columns(leader, bring(leader, Path("民强村慰问 2020-12-29.csv"), GOODS), date="2020-12-29")
    assert "物资目录里没有" not in again.text


def test_a_natural_village_is_answered_where_it_is_asked(admin: Pages) -> None:
    raw = "户主,村(居),人口\n杨雪珍,上围自然村,2\n苏兴明,民强村,3\n".encode()
    address = bring(admin, Path("list.csv"), raw)
    page = columns(admin, address)
    assert 'name="village.上围自然村"' in page.text
    admin.post(f"{address}/answers", {"village.上围自然村": "441225112207"})
    assert "新 2 · 相同 0" in rest(admin, address).text
    admin.post(f"{address}/save")
    rest(admin, address)
    assert "不是行政村" not in columns(admin, bring(admin, Path("list.csv"), raw)).text


@pytest.mark.parametrize(("end", "words"), [("office", 'href="/divisions/load"'), ("laptop", "请办公室装好")])
def test_a_county_that_was_not_loaded_is_told(request: pytest.FixtureRequest, end: str, words: str) -> None:
    pages: Pages = request.getfixturevalue(end)
    pages.sign_in("admin" if end == "office" else "luo")
    raw = (DATA / "dachong-2020-06-30.csv").read_bytes()
    page = columns(pages, bring(pages, Path("list.csv"), raw))
    assert "先装入这个县的镇村" in page.text
    assert "“”" not in page.text
    assert words in page.text
