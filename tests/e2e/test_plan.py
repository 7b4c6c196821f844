"""A trip is planned at the office and comes to its laptop: rules, a hand, two people, and a release."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.e2e.planning import TITLE, by_rules, planned
from tests.support.nodes import Pair


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
