"""What holds for every page: its width, its weight, its title, and that everybody can use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Open
from tests.e2e.person import WIDE, Person
from tests.e2e.sheet import NAMES, ROWS
from tests.support.nodes import LEADER, Pair

AXE = Path(__file__).parents[1] / "vendor" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
CHECK = "tags => axe.run({runOnly: tags, rules: {'target-size': {enabled: true}}})"
WEIGHT = "performance.getEntries().reduce((sum, one) => sum + (one.decodedBodySize || 0), 0)"
HEAVIEST = 300 * 1024
PAGES = [
    *(("field", page) for page in ("sign-in", "today", "search", "found", "household", "deliver", "visit", "sync",
                                   "slip", "password", "lists", "register", "register-institution", "edit", "close",
                                   "conflicts", "visit-form", "visit-void", "plan", "goods", "goods-slip", "ready",
                                   "paper-day", "papers", "papers-summary", "papers-roll", "papers-village",
                                   "papers-notice", "manual", "backups", "doctor")),
    *(("centre", page) for page in ("sign-in", "overview", "report", "donor", "trips", "reconciliation", "search",
                                    "found", "household",
                                    "devices", "device", "revoke", "code", "missing", "password", "people", "person",
                                    "person-add", "person-password", "team", "team-add", "tokens", "audit", "bundles",
                                    "catalog", "items", "places", "item", "category-add", "divisions", "villages",
                                    "division",
                                    "divisions-load", "lists", "duplicates", "duplicates-many", "register", "edit",
                                    "close", "conflicts", "settle", "visit-form", "visit-void", "choose", "compare",
                                    "plan", "plan-add", "plan-edit",
                                    "plan-rules", "release", "allot", "goods", "goods-slip", "stock",
                                    "stock-load", "inbox", "inbox-settled", "held", "backups", "doctor")),
]  # fmt: skip
PATHS = {"today": "/", "overview": "/?all=1", "report": "/reports?all=1&by=village", "donor": "/reports/donor",
         "reconciliation": "/trips/{trip}", "found": "/search", "code": "/devices",
         "device": "/devices", "revoke": "/devices", "slip": "/sync/slip",
         "register": "/households/new", "register-institution": "/households/new?kind=institution",
         "edit": "/households/{household}/edit", "close": "/households/{household}/close",
         "conflicts": "/households/conflicts", "settle": "/households/{household}/conflicts",
         "household": "/households/{household}", "deliver": "/households/{household}/deliver",
         "visit": "/households/{household}/visit", "person": "/people/{user}", "person-add": "/people/add?team={team}",
         "person-password": "/people/{user}/password", "team": "/teams/{team}", "team-add": "/teams/add",
         "items": "/catalog?what=item", "places": "/catalog?what=place", "item": "/catalog/one?what=item&code=rice",
         "category-add": "/catalog/add", "villages": "/divisions?under=441225112",
         "division": "/divisions/one?code=441225112", "divisions-load": "/divisions/load?county=441225",
         "visit-form": "/households/{household}/visits", "visit-void": "/households/{household}/visits",
         "choose": "/duplicates/of/{household}", "compare": "/duplicates/of/{household}",
         "duplicates-many": "/duplicates/many", "plan": "/trips/{trip}/plan", "plan-add": "/trips/add",
         "plan-edit": "/trips/{trip}/edit", "plan-rules": "/trips/{trip}/rules", "release": "/trips/{trip}/release",
         "allot": "/households/{household}/allot", "goods": "/trips/{trip}/stock",
         "goods-slip": "/trips/{trip}/stock", "paper-day": "/trips/{trip}/paper-day",
         "papers-summary": "/trips/{trip}/papers/summary",
         **dict.fromkeys(("papers", "papers-roll", "papers-village", "papers-notice"), "/trips/{trip}/papers"),
         "stock-load": "/stock/load", "inbox-settled": "/inbox?settled=yes"}  # fmt: skip


@pytest.fixture(scope="module")
def household(pair: Pair) -> str:
    """Id of the list's first household."""
    from aidvisit.store.database import reading
    from aidvisit.store.queries.trip import today

    with pair.field.inside(), reading() as conn:
        return next(one.id for one in today(conn, pair.trip).households if one.name == ROWS[0].name)


@pytest.fixture(scope="module")
def leader(pair: Pair) -> tuple[str, str]:
    """Ids of the team's leader and of the team."""
    from aidvisit.store.database import reading
    from aidvisit.store.queries.account import user_by_login

    with pair.centre.inside(), reading() as conn:
        found = user_by_login(conn, LEADER)
    assert found is not None
    return found.id, found.team


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, pair: Pair) -> Iterator[Callable[[str], Person]]:
    """Who is signed in at a node, once for all its pages: a browser and a sign-in would be half of a test's time."""
    people: dict[str, Person] = {}

    def at(role: str) -> Person:
        if role not in people:
            people[role] = Person(chromium, pair)
            node = getattr(pair, role)
            people[role].sign_in(node)
            people[role].page.wait_for_url(f"{node.url}/")
        return people[role]

    yield at
    for person in people.values():
        person.leave()
    assert [line for person in people.values() for line in person.complaints] == []


def show(person: Person, role: str, page: str, household: str, leader: tuple[str, str]) -> None:
    """Bring a person to a page by its address, and where it has none by what they click there."""
    node = getattr(person.pair, role)
    user, team = leader
    path = PATHS.get(page, f"/{page}").format(trip=person.pair.trip, household=household, user=user, team=team)
    person.go(node, path)
    if page == "found":
        person.page.fill("main [name=q]", "杨")
        person.page.press("main [name=q]", "Enter")
        expect(person.page.get_by_role("main")).to_contain_text("杨雪珍")
    if page in ("choose", "compare", "visit-void", "goods-slip", "paper-day", *PRINTED):
        go_on(person, page)
    if page == "edit":
        for _ in range(2):
            person.page.get_by_role("button", name="添加一位成员").click()
        expect(person.page.locator("fieldset", has_text="家庭成员 2")).to_be_visible()
    if page == "settle":
        disagree(person, f"{node.url}/households/{household}")
        person.go(node, path)
        expect(person.page.locator(".side")).to_have_count(2)
    if page == "code":
        person.page.fill("[name=count]", "3")
        person.page.get_by_role("button", name="开登记码").click()
        expect(person.page.locator("#codes")).to_be_visible()
    if page in ("device", "revoke"):
        person.page.get_by_role("link", name="3 号笔记本").click()
        expect(person.page.locator("#facts")).to_be_visible()
    if page == "revoke":
        person.page.fill("[name=reason]", "丢失")
        person.page.get_by_role("button", name="下一步").click()
        expect(person.page.locator("[name=sure]")).to_have_count(1)


PRINTED = {"papers-roll": "打印 发放花名册", "papers-village": "打印 给村干部核对的名单", "papers-notice": "拟发放名单"}


def printed(person: Person, page: str) -> None:
    """A paper of the trip as the browser shows it before it prints."""
    if page == "papers-notice":
        person.page.get_by_label("异议电话").fill("0758-6688001")
        person.page.get_by_label("落款单位").fill("民强村民委员会")
    person.page.get_by_role("button", name=PRINTED[page], exact=True).click()
    expect(person.page.locator(".sheet, .posted").first).to_be_visible()


def go_on(person: Person, page: str) -> None:
    """From the search for another household, a visit's form, a trip's goods or its list."""
    if page in PRINTED:
        printed(person, page)
        return
    if page == "paper-day":
        for summary in person.page.locator("[data-row] summary").all()[:2]:
            summary.click()
        person.page.click("[data-button]")  # refused: nobody is ticked
        expect(person.page.get_by_role("alert")).to_be_visible()
        return
    if page == "goods-slip":
        person.page.get_by_role("link", name="CK-2012-031").click()
        expect(person.page.locator(".slip")).to_be_visible()
        return
    if page == "visit-void":
        person.page.get_by_role("button", name="保存这次走访").click()
        person.page.get_by_role("link", name="作废这次走访").first.click()
        expect(person.page.locator("[name=reason]")).to_be_visible()
        return
    person.page.fill("main [name=q]", "杨")
    person.page.press("main [name=q]", "Enter")
    expect(person.page.locator(".found a").first).to_be_visible()
    if page == "compare":
        person.page.locator(".found a").first.click()
        expect(person.page.locator(".side")).to_have_count(2)


def disagree(person: Person, household: str) -> None:
    """Two edits of one field, each from a form that was opened before the other was saved."""
    first = person.page
    second = first.context.new_page()
    for page in (first, second):
        page.goto(f"{household}/edit")
    for page, address in ((first, "新村"), (second, "镇上")):
        page.fill("[name=address]", address)
        page.locator(".act .btn--main").click()
        expect(page.locator("#family")).to_contain_text(address)
    second.close()


@pytest.mark.parametrize(("role", "page"), PAGES)
def test_a_page(
    somebody: Open, signed_in: Callable[[str], Person], household: str, leader: tuple[str, str], role: str, page: str
) -> None:
    """It never scrolls sideways; axe finds nothing, wide or narrow; it is light, and its title names nobody."""
    person = somebody() if page == "sign-in" else signed_in(role)
    person.page.set_viewport_size(WIDE)
    person.page.emulate_media(color_scheme="light")
    show(person, role, page, household, leader)
    assert 5_000 < person.page.evaluate(WEIGHT) < HEAVIEST
    assert not any(name in person.page.title() for name in NAMES)
    expect(person.page.locator("h1, [role=alert]").first).to_be_visible()
    shown = person.page.inner_text("body")
    assert [line for line in shown.splitlines() if re.search(r'[<>"]{2}|[{}]{2}|\burl_for\b', line)] == [], "a torn tag"

    # Colours are what a scheme changes, and they are the same at every width: two looks tell what four would.
    for width, scheme in ((1280, "light"), (360, "dark")):
        person.page.set_viewport_size({"width": width, "height": 800})
        sideways = person.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 0, f"{sideways} px to the side at {width}"
        person.page.emulate_media(color_scheme=scheme)
        assert violations(person) == [], f"{width} px, {scheme}"
    complaints, person.complaints = person.complaints, []
    assert complaints == []


def violations(person: Person) -> list[dict[str, Any]]:
    """What axe finds, as short as it can be read."""
    if not person.page.evaluate("'axe' in window"):
        person.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = person.page.evaluate(CHECK, WCAG)
    assert len(found["passes"]) > 5, "axe looked at nothing"
    return [
        {"rule": one["id"], "where": [node["target"] for node in one["nodes"]][:4], "why": one["help"]}
        for one in found["violations"]
    ]
