"""A visit without goods: two actions from Today or the household's page, and taken back with a reason; on paper too."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.person import Person


def test_two_actions_from_today_and_taken_back_from_the_history(leader: Person) -> None:
    page = leader.page
    name = page.locator(".card--next .who").inner_text()
    page.get_by_role("link", name="走访,不发物资").click()
    page.get_by_role("button", name="保存这次走访").click()
    page.wait_for_url(re.compile(r"/\?saved="))
    expect(page.get_by_role("main")).to_contain_text(f"已保存在本机:{name}")
    page.get_by_role("link", name=name).first.click()
    entry = page.locator(".time li", has_text="走访")
    expect(entry).to_contain_text("见到了")
    expect(entry).to_contain_text("罗春和")
    page.get_by_role("link", name="作废这次走访").click()
    page.get_by_role("button", name="作废").click()
    expect(page.get_by_role("alert")).to_contain_text("请写明原因")
    page.fill("[name=reason]", "记错了户")
    page.get_by_role("button", name="作废").click()
    expect(page.locator(".time li", has_text="走访")).to_contain_text("作废:记错了户")
    expect(page.locator("#history")).to_contain_text("走访 0 次")


def test_what_is_odd_is_shown_and_nothing_typed_is_lost(leader: Person) -> None:
    page = leader.page
    page.locator(".lines--list b a").nth(3).click()
    page.get_by_role("link", name="走访,不发物资").click()
    page.fill("[name=date]", "2099-01-01")
    page.fill("[name=needs]", "修屋顶\n助听器")
    page.get_by_label("节日慰问").check()
    page.get_by_role("button", name="保存这次走访").click()
    expect(page.get_by_role("main")).to_contain_text("在今天之后")
    assert page.input_value("[name=needs]") == "修屋顶\n助听器"
    page.get_by_label("确实如此,照样保存").check()
    page.get_by_role("button", name="保存这次走访").click()
    expect(page.get_by_role("main")).to_contain_text("走访已保存")
    entry = page.locator(".time li", has_text="走访")
    expect(entry).to_contain_text("修屋顶;助听器")
    expect(entry).to_contain_text("节日慰问")


def test_one_kind_alone_and_on_paper(leader: Person) -> None:
    """What is to be pressed stays off the paper; the button to print appears where a script can print."""
    page = leader.page
    page.locator(".lines--list b a").nth(5).click()
    expect(page.get_by_role("button", name="打印")).to_be_visible()
    page.get_by_label("只看一种").get_by_role("link", name="走访").click()
    expect(page.locator(".time li")).to_contain_text("还没有记录")
    page.get_by_label("只看一种").get_by_role("link", name="登记与修改").click()
    expect(page.locator(".time li").last).to_contain_text("登记为困难家庭")
    page.emulate_media(media="print")
    for gone in ("nav", ".top", "button", ".btn"):
        expect(page.locator(f"{gone}:visible")).to_have_count(0)
    expect(page.locator(".who")).to_be_visible()
