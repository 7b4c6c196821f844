"""Households registered twice, reviewed by keyboard alone: merged, undone, told apart; also without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from aidvisit.services import household
from sync.op import uuid7
from tests.e2e.person import NARROW, Person
from tests.support.centre import PASSWORD
from tests.support.homes import VILLAGE
from tests.support.nodes import OFFICE, Pair

Open = Callable[..., Person]
NUMBER = "11010519491231002X"


@pytest.fixture(scope="module")
def twins(pair: Pair) -> None:
    """Three registrations of one household, and two of another one."""
    with pair.centre.inside() as device:
        for number, name in enumerate(["覃来回", "覃来回", "覃来回", "莫往返", "莫往反"]):
            head = {"name": name, "born": "1950-03-04"} | ({"id_number": NUMBER} if name == "覃来回" else {})
            body = {
                "kind": "household", "head": head, "division": VILLAGE, "group": f"{number}组",
                "categories": [{"code": "dibao"}], "members": [{"id": uuid7(), "name": f"小{number}"}],
            }  # fmt: skip
            household.register(actor=device, household=uuid7(), body=body)


@pytest.mark.usefixtures("twins")
def test_pairs_are_reviewed_without_scripts(pair: Pair, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{pair.centre.url}/sign-in")
    page.fill("[name=login]", OFFICE)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.goto(f"{pair.centre.url}/duplicates")
    before = page.locator("[data-item]").count()
    assert before
    page.get_by_role("button", name="是两户").first.click()
    expect(page.locator("[data-item]")).to_have_count(before - 1)
    page.get_by_role("button", name="撤销").first.click()
    expect(page.locator("[data-item]")).to_have_count(before)
    context.close()


@pytest.mark.usefixtures("twins")
def test_pairs_are_reviewed_by_keyboard(pair: Pair, office: Person) -> None:
    page = office.page
    office.go(pair.centre, "/search")
    page.get_by_role("link", name="可能重复登记的户").click()
    items = page.locator("[data-item]")
    expect(items).to_have_count(4)
    expect(items.first).to_be_focused()
    page.keyboard.press("j")
    expect(items.nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("2")
    expect(items.first.get_by_role("radio").nth(1)).to_be_checked()
    stays = items.first.locator("section").nth(1)
    expect(stays).to_contain_text("小1")
    page.keyboard.press("m")
    expect(page.get_by_role("main")).to_contain_text("已并户")
    expect(items).to_have_count(2)
    page.keyboard.press("u")
    expect(page.get_by_role("main")).to_contain_text("已撤销")
    expect(items).to_have_count(4)
    for _ in range(3):
        page.keyboard.press("j")
    expect(items.nth(3)).to_contain_text("姓名同音")
    page.keyboard.press("d")
    expect(page.get_by_role("main")).to_contain_text("已记下:是两户")
    expect(items).to_have_count(3)
    page.get_by_label("并户的原因").first.press("d")
    expect(items).to_have_count(3)
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]

    page.get_by_role("link", name="毫无疑问").click()
    expect(page.get_by_role("checkbox")).to_have_count(2)
    page.get_by_role("button", name="并所有勾选的").press("Enter")
    expect(page.get_by_role("main")).to_contain_text("并了 2 对")
    expect(items).to_have_count(0)
    page.get_by_role("link", name="覃来回").first.click()
    expect(page.get_by_role("heading", name="并入的户")).to_have_count(2)
    expect(page.get_by_role("main")).to_contain_text("小2")
