"""Finding a household while one types, by keyboard alone, and without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Open
from tests.support.centre import PASSWORD
from tests.support.nodes import LEADER, Pair


@pytest.mark.parametrize("typed", ["yxz", "yangxuez", "楊雪", "杨雪珍"])
def test_results_come_while_one_types_and_enter_opens_one(pair: Pair, somebody: Open, typed: str) -> None:
    person = somebody()
    person.sign_in(pair.field)
    person.page.wait_for_url(f"{pair.field.url}/")
    person.go(pair.field, "/search")
    page = person.page
    page.locator("main [name=q]").press_sequentially(typed)
    first = page.locator("#found .found a").first
    expect(first).to_have_text("杨雪珍")
    expect(page.locator("#found-title")).to_contain_text("户里找")
    page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("main [name=q]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("杨雪珍")
    assert person.complaints == []


def test_a_filter_narrows_what_is_shown(pair: Pair, somebody: Open) -> None:
    person = somebody()
    person.sign_in(pair.field)
    person.page.wait_for_url(f"{pair.field.url}/")
    person.go(pair.field, "/search")
    page = person.page
    page.locator("summary", has_text="筛选").click()
    page.locator("[name=not_served_since]").fill("2020-01-01")
    expect(page.locator("#found .found a").first).to_be_visible()
    page.locator("main [name=q]").press_sequentially("龘")
    expect(page.locator("#found")).to_contain_text("没有找到")
    assert person.complaints == []


def test_search_works_without_javascript(pair: Pair, chromium: Browser) -> None:
    context = chromium.new_context(locale="zh-CN", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{pair.field.url}/sign-in")
    page.fill("[name=login]", LEADER)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.goto(f"{pair.field.url}/search")
    page.fill("main [name=q]", "yxz")
    page.press("main [name=q]", "Enter")
    expect(page.locator("#found .found a").first).to_have_text("杨雪珍")
    page.locator("summary", has_text="筛选").click()
    page.select_option("[name=place]", index=1)
    page.click("main .search > .btn")
    expect(page.locator("main [name=q]")).to_have_value("yxz")
    expect(page.locator("#found .found a").first).to_have_text("杨雪珍")
    context.close()
