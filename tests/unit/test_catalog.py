"""What everybody shares: categories, items and places, as the office keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aidvisit.errors import Problem
from aidvisit.services import catalog
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import catalog as queries
from aidvisit.store.queries.catalog import Defined, Noun
from sync import log
from tests.support.homes import VILLAGE, Centre, centre
from tests.support.pages import Pages, typed, words
from tests.support.store import allotted, planned, say

RICE = {"code": "rice", "name": "大米", "unit": "袋", "spec": "10kg", "class": "food", "repeat_days": 30}


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[Centre]:
    with centre(tmp_path, database_url) as made:
        yield made


def held(noun: Noun, code: str) -> Defined:
    with reading() as conn:
        found = queries.definition(conn, noun, code)
    assert found is not None
    return found


def ops() -> int:
    with reading() as conn:
        return int(conn.exec_driver_sql("SELECT count(*) FROM op").scalar_one())


def refused(*arguments: Any, **rest: Any) -> Problem:
    before = ops()
    with pytest.raises(Problem) as told:
        catalog.define(*arguments, **rest)
    assert ops() == before
    return told.value


# --- the service, on both databases -------------------------------------------------------------------------------


def test_a_code_is_defined_once_and_changed_by_who_saw_it(home: Centre) -> None:
    flour = {"code": "flour", "name": "面粉", "unit": "袋", "class": "food", "value_fen": 4590}
    assert catalog.define("item", flour, actor=home.device)
    assert held("item", "flour").body == flour
    assert refused("item", flour, actor=home.device).name == "code-taken"
    seen = held("item", "flour").seen
    assert catalog.define("item", flour | {"name": " 特级面粉 "}, actor=home.device, seen=seen)
    assert held("item", "flour").name == "特级面粉"
    assert refused("item", flour, actor=home.device, seen=seen).name == "changed-meanwhile"
    assert refused("item", flour | {"code": "corn"}, actor=home.device, seen=seen).name == "unknown-code"


def test_what_says_nothing_new_leaves_nothing(home: Centre) -> None:
    before = ops()
    assert not catalog.define("item", RICE, actor=home.device, seen=held("item", "rice").seen)
    assert ops() == before


def test_an_item_that_was_counted_keeps_its_unit_and_the_rest_may_change(home: Centre) -> None:
    with transaction() as conn:
        say(conn, planned(), allotted(("0192f3a0-0000-7000-8000-000000000001", "rice", 2)))
    boxes, seen = RICE | {"unit": "箱"}, held("item", "rice").seen
    assert refused("item", boxes, actor=home.device, seen=seen).name == "unit-in-use"
    assert catalog.define("item", RICE | {"name": "香米", "spec": "5kg"}, actor=home.device, seen=seen)
    unused = held("item", "quilt")
    assert catalog.define("item", unused.body | {"unit": "套"}, actor=home.device, seen=unused.seen)


def test_a_word_means_one_category(home: Centre) -> None:
    orphan = {"code": "poor", "name": "困难户", "level": "household", "synonyms": ["低保家庭"]}
    told = refused("category", orphan, actor=home.device)
    assert (told.name, told.members["word"], told.members["held"]) == ("word-taken", "低保家庭", "低保户")
    assert refused("category", orphan | {"name": "低保户", "synonyms": []}, actor=home.device).name == "word-taken"
    assert catalog.define("category", orphan | {"synonyms": ["困难群众"]}, actor=home.device)
    own = held("category", "dibao")
    assert catalog.define("category", own.body | {"basis": "省民政厅"}, actor=home.device, seen=own.seen)


def test_a_place_stands_in_a_division_that_exists(home: Centre) -> None:
    village = {"code": "minqiang", "name": "民强村委", "kind": "held", "division": "441225999"}
    assert refused("place", village, actor=home.device).name == "unknown-division"
    assert catalog.define("place", village | {"division": "441225112207"}, actor=home.device)
    assert catalog.define("place", village | {"code": "county", "division": "110101"}, actor=home.device)


def test_long_lists_come_in_pages(home: Centre) -> None:
    with transaction() as conn:
        device = log.own(conn)
    for number in range(7):
        body = {"code": f"x{number}", "name": f"物{number}", "unit": "个", "class": "food"}
        catalog.define("item", body, actor=device)
    found, after, more = [], "", True
    with reading() as conn:
        while more:
            page, more = queries.defined(conn, "item", after, limit=3)
            found += [row.code for row in page]
            after = page[-1].code
        assert found == sorted(queries.items(conn))


# --- the pages ----------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(office: Pages) -> Pages:
    office.sign_in("admin")
    return office


def chosen(pages: Pages, noun: Noun, code: str) -> Defined:
    with pages.app.app_context():
        return held(noun, code)


def test_the_catalogue_is_read_by_who_looks_and_changed_by_the_office(office: Pages) -> None:
    office.sign_in("luo")
    shown = office.get("/catalog")
    assert "最低生活保障家庭" in words(shown)
    assert "/catalog/one" not in shown.text
    before = office.ops()
    for path in (
        "/catalog/add?what=item",
        "/catalog/one?what=item&code=rice",
        "/divisions/one?code=44",
        "/divisions/load",
    ):
        assert office.get(path).status_code == 403
        assert office.post(path, {"name": "别名", "code": "x"}).status_code == 403
    assert office.ops() == before


def test_an_item_is_added_with_its_price(admin: Pages) -> None:
    form = {"name": "面粉", "code": "flour", "class": "food", "unit": "袋", "spec": "5kg", "repeat_days": "30"}
    wrong = admin.post("/catalog/add?what=item", form | {"value": "四十五", "repeat_days": "一个月"})
    assert wrong.status_code == 422
    assert typed(wrong)["name"] == "面粉"
    assert "元,如 59.90" in words(wrong)
    assert admin.post("/catalog/add?what=item", form | {"value": "45.90"}).status_code == 303
    assert chosen(admin, "item", "flour").body["value_fen"] == 4590
    assert "45.90" in words(admin.get("/catalog?what=item"))
    assert "代码“flour”已经是“面粉”" in words(admin.post("/catalog/add?what=item", form))


def test_cash_is_counted_in_fen(admin: Pages) -> None:
    form = {"name": "救急金", "code": "urgent", "class": "cash", "unit": "元", "value": "100"}
    assert admin.post("/catalog/add?what=item", form).status_code == 303
    assert chosen(admin, "item", "urgent").body == {
        "code": "urgent", "name": "救急金", "class": "cash", "unit": "fen",
    }  # fmt: skip


def test_a_category_by_age_has_the_age_in_its_code(admin: Pages) -> None:
    form = {"name": "古稀老人", "from_age": "70", "level": "household", "synonyms": "七十岁以上,70岁以上\n古稀"}
    assert admin.post("/catalog/add", form).status_code == 422
    assert admin.post("/catalog/add", form | {"level": "person"}).status_code == 303
    assert chosen(admin, "category", "elder_70").body["synonyms"] == ["七十岁以上", "70岁以上", "古稀"]
    assert "满 70 岁自动算" in words(admin.get("/catalog"))


def test_who_saves_an_old_page_sees_what_it_is_now_and_may_save_again(admin: Pages) -> None:
    path = "/catalog/one?what=item&code=rice"
    old = typed(admin.get(path)) | {"class": "food"}
    assert admin.post(path, old | {"name": "香米"}).status_code == 303
    stale = admin.post(path, old | {"name": "糙米"})
    assert stale.status_code == 409
    assert "香米" in words(stale)
    again = typed(stale) | {"class": "food"}
    assert again["name"] == "糙米"
    assert admin.post(path, again).status_code == 303
    assert chosen(admin, "item", "rice").name == "糙米"


def test_a_place_keeps_its_kind(admin: Pages) -> None:
    path = "/catalog/one?what=place&code=main"
    form = typed(admin.get(path)) | {"kind": "donor", "name": "县仓库", "contact_name": "邓若谷"}
    half = admin.post(path, form)
    assert half.status_code == 422
    assert admin.post(path, form | {"contact_phone": "0758-668 8000"}).status_code == 303
    body = chosen(admin, "place", "main").body
    assert (body["kind"], body["name"], body["holder"]["name"]) == ("warehouse", "县仓库", "邓若谷")


def test_an_office_of_one_town_changes_what_lies_there_and_nothing_of_everybodys(office: Pages) -> None:
    office.sign_in("office")
    assert office.post("/catalog/add?what=item", RICE | {"code": "flour", "name": "面粉"}).status_code == 303
    before = office.ops()
    for path in ("/catalog/one?what=item&code=flour", "/catalog/one?what=place&code=main", "/catalog/one?code=dibao"):
        shown = office.get(path)
        assert shown.status_code == 200
        assert "保存" not in words(shown)
        with office.app.app_context():
            noun: Noun = "item" if "item" in path else "place" if "place" in path else "category"
            body = held(noun, path.rpartition("=")[2])
        refused = office.post(path, typed(shown) | body.body | {"name": "别名", "seen": body.seen, "synonyms": ""})
        assert refused.status_code == 403
        assert "大家共用" in words(refused)
    place = {"code": "hall", "name": "村部", "kind": "held"}
    for code in ("", "110101"):
        assert office.post("/catalog/add?what=place", place | {"division": code}).status_code == 403
    assert office.ops() == before
    assert office.post("/catalog/add?what=place", place | {"division": VILLAGE}).status_code == 303
    path = "/catalog/one?what=place&code=hall"
    form = typed(office.get(path)) | {"name": "老村部"}
    assert office.post(path, form | {"division": "110101"}).status_code == 403, "nor is it given away"
    assert office.post(path, form).status_code == 303
    assert chosen(office, "place", "hall").name == "老村部"


def test_a_code_that_nobody_defined_is_told(admin: Pages) -> None:
    assert admin.get("/catalog/one?what=item&code=nothing").status_code == 404
    assert admin.get("/catalog?what=nonsense&after=zz").status_code == 200
