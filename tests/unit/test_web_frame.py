"""The frame of a page: which part of the menu it is of, whose it is, where one goes on after a mistake."""

from __future__ import annotations

import re

import pytest

from tests.support.forms import filled, register, send
from tests.support.pages import Pages, words


def marked(page: str) -> list[str]:
    """What the menu shows as the part that one is in."""
    menu = page.partition('aria-label="主导航"')[2].partition("</nav>")[0]
    return re.findall(r'aria-current="(?:page|true)">([^<]+?)\s*<', menu)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/catalog", "基础数据"),
        ("/divisions", "基础数据"),
        ("/divisions/one?code=441225", "基础数据"),
        ("/duplicates", "困难家庭"),
        ("/lists", "困难家庭"),
        ("/teams/add", "人员"),
        ("/bundles", "设备"),
        ("/import", "导入"),
    ],
)
def test_the_menu_says_which_part_a_page_is_of(office: Pages, path: str, part: str) -> None:
    office.sign_in("admin")
    assert marked(office.get(path).text) == [part]


def test_every_form_about_a_household_says_its_village(there: Pages) -> None:
    path = f"/households/{register(there)}"
    assert all("民强村" in words(there.get(path + page)) for page in ("", "/visits", "/close", "/edit"))


def focused(page: str) -> list[str]:
    return list(re.findall(r"<(?:input|select|textarea)\b[^>]*\bautofocus\b[^>]*>", page))


def test_who_sent_a_form_wrongly_goes_on_in_the_first_wrong_field(there: Pages) -> None:
    form = filled(there.get("/households/new"))
    assert ['name="head.name"' in one for one in focused(there.get("/households/new").text)] == [True]
    wrong = {"head__name": "谭新来", "division": "", "head__phone": "12"}
    for name in ("division", "head.phone"):
        (field,) = focused(send(there, "/households/new", form, **wrong).text)
        assert f'name="{name}"' in field or (name == "division" and "data-choose" in field)
        wrong["division"] = "441225112207"


def test_the_office_says_as_of_when_it_searched(office: Pages) -> None:
    office.sign_in("admin")
    shown = words(office.post("/search", {"q": "杨"}))
    assert re.search(r"在 34 户里找 · 截至 20\d\d-\d\d-\d\d \d\d:\d\d", shown), shown


def test_where_nothing_is_known_nothing_stands(there: Pages) -> None:
    for group, place in (("", '<p class="place">民强村'), ("六组", '<p class="place"><b>六组</b> · 民强村')):
        path = f"/households/{register(there, group=group, head__name='户' + (group or '无组'))}"
        assert all(place in there.get(path + page).text for page in ("", "/visits", "/close", "/edit"))


def test_an_institution_is_called_one(there: Pages) -> None:
    form = filled(there.get("/households/new?kind=institution"))
    typed = {"name": "中心小学", "head__name": "李校长", "division": "441225112207", "size": "120"}
    page = words(there.get(send(there, "/households/new", form, **typed).location))
    assert all(one in page for one in ("登记为单位", "单位情况", "人数 120 人"))
    assert "登记为困难家庭" not in page


def test_the_search_may_be_narrowed_to_those_who_are_old_enough(there: Pages) -> None:
    register(there, head__name="谭老人", head__born="1930-05-01")
    register(there, head__name="谭年轻", head__born="1990-05-01")
    assert "elder_80" in there.get("/search").text
    found = words(there.post("/search", {"q": "谭", "category": "elder_80"}))
    assert "谭老人" in found
    assert "谭年轻" not in found
