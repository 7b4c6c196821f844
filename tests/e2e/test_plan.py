"""A trip is planned at the office and comes to its laptop: rules, a hand, two people, and a release."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.person import Person
from tests.support.centre import PASSWORD
from tests.support.nodes import LEADER, Pair

VILLAGE, TITLE = "441225112207", "民强村三月慰问"


@pytest.fixture
def second(pair: Pair, somebody: Open) -> Person:
    """The team's leader, signed in at the centre: who approves what the administrator locked."""
    person = somebody()
    person.sign_in(pair.centre, PASSWORD, LEADER)
    person.page.wait_for_url(re.compile(f"{pair.centre.url}/(?!sign-in)"))
    return person


def planned(page: Page, url: str, day: str) -> None:
    """A village typed by its code is shown by its name before anything is saved."""
    page.goto(f"{url}/trips")
    page.get_by_role("link", name="新任务").click()
    page.get_by_label("任务名称").fill(TITLE)
    page.get_by_label("第一天").fill(day)
    page.get_by_label("最后一天").fill(day)
    page.get_by_label("队伍").select_option(label="慰问一队")
    page.get_by_label("加上村或乡镇").fill(VILLAGE)
    page.get_by_role("button", name="加上,看名称").click()
    expect(page.locator("#divisions")).to_contain_text("民强村")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("main")).to_contain_text("还没有给任何一户定物资")


def by_rules(page: Page) -> None:
    page.get_by_role("link", name="按规则定数量").click()
    for row, (category, least, item, quantity) in enumerate(
        [("低保户", "", "大米", "1"), ("低保户", "4", "大米", "2"), ("", "", "食用油", "1")]
    ):
        if category:
            page.locator(f"[name='category.{row}']").select_option(label=category)
        page.locator(f"[name='from.{row}']").fill(least)
        option = page.locator(f"[name='item.{row}'] option", has_text=item).get_attribute("value")
        page.locator(f"[name='item.{row}']").select_option(option)
        page.locator(f"[name='quantity.{row}']").fill(quantity)
    page.get_by_role("button", name="先看看").click()
    expect(page.locator("section", has_text="保存后会是").locator("tr[data-item=oil]")).to_contain_text("34")
    page.get_by_role("button", name="按规则保存").click()
    expect(page.get_by_role("main")).to_contain_text("处改动")


def test_a_trip_is_planned_approved_and_released(office: Person, second: Person, leader: Person, pair: Pair) -> None:
    page, day = office.page, "2026-03-29"
    planned(page, pair.centre.url, day)
    by_rules(page)
    expect(page.locator("tr[data-item=oil] td").first).to_have_text("34")

    cell = page.locator("input[name^='quantity.'][name$='.rice']").first
    cell.fill("一袋")
    page.get_by_role("button", name="保存数量").click()
    expect(page.get_by_role("alert")).to_contain_text("应为 0 或更大的整数")
    expect(cell).to_have_value("一袋")
    cell.fill("3")
    page.get_by_role("button", name="保存数量").click()
    expect(page.get_by_role("main")).to_contain_text("保存了 1 处改动")
    expect(page.locator("input[name^='quantity.'][name$='.rice']").first).to_have_value("3")

    page.get_by_role("button", name="锁定方案").click()
    expect(page.get_by_role("main")).to_contain_text("方案是您锁定的")
    address = page.url.split("?")[0]
    other = second.page
    other.goto(address)
    other.get_by_label("批准意见").fill("同意")
    other.get_by_role("button", name="批准方案").click()
    expect(other.get_by_role("main")).to_contain_text("罗春和 批准了方案")

    page.goto(address)
    page.locator("input[name^='quantity.'][name$='.oil']").first.fill("2")
    page.get_by_role("button", name="保存数量").click()
    expect(page.get_by_role("main")).to_contain_text("批准之后又改了 1 行")
    other.goto(address)
    other.get_by_role("button", name="批准方案").click()

    page.goto(address)
    page.get_by_role("link", name="下发到笔记本…").click()
    page.get_by_role("button", name="下发", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("至少选一台")
    page.get_by_label("3 号笔记本").check()
    page.get_by_role("button", name="下发", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("下发到笔记本")

    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="现在同步").click()
    leader.page.goto(f"{pair.field.url}{address.removeprefix(pair.centre.url)}")
    expect(leader.page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(leader.page.locator("tr[data-item=oil] td").first).to_have_text("34")


def test_one_household_is_put_on_a_trip_by_hand(office: Person, pair: Pair) -> None:
    page = office.page
    page.goto(f"{pair.centre.url}/trips/{pair.trip}/plan")
    page.locator("#lines ~ form tbody th a, section[aria-labelledby=lines] tbody th a").first.click()
    page.get_by_role("link", name="列入走访任务").click()
    page.locator("select[name=trip]").select_option(pair.trip)
    page.get_by_role("button", name="看这次的数量").click()
    page.locator("input[name$='.rice']:not([type=hidden])").fill("4")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("main")).to_contain_text("保存了 1 处改动")
