"""Planning a trip at the office as a person does: its days and village, the rules, and what follows from them."""

from __future__ import annotations

from playwright.sync_api import Page, expect

VILLAGE, TITLE = "441225112207", "民强村三月慰问"


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
    """低保: rice 1; from 4 people rice 2; oil for everybody."""
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
