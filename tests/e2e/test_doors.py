"""Signing in and out, the way back, and the two languages."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.person import Person
from tests.support.centre import PASSWORD
from tests.support.nodes import Pair


@pytest.mark.parametrize("role", ["field", "centre"])
def test_a_wrong_password_is_told_in_words_and_the_right_one_opens(pair: Pair, somebody: Open, role: str) -> None:
    person, node = somebody(), getattr(pair, role)
    person.sign_in(node, password="not this one")
    expect(person.page.locator("[role=alert]")).to_contain_text("密码")
    assert person.page.input_value("[name=login]")
    assert person.page.input_value("[name=password]") == ""
    person.page.fill("[name=password]", PASSWORD)
    person.page.click("main button")
    person.page.wait_for_url(f"{node.url}/")


@pytest.mark.parametrize("path", ["/", "/sync", "/search", "/households/019404d8-0000-7000-8000-000000000000/deliver"])
def test_who_is_signed_out_is_asked_to_sign_in_and_comes_back(pair: Pair, somebody: Open, path: str) -> None:
    person = somebody()
    person.go(pair.field, path)
    assert person.page.url.startswith(f"{pair.field.url}/sign-in")
    person.page.fill("[name=login]", "luo")
    person.page.fill("[name=password]", PASSWORD)
    person.page.click("main button")
    person.page.wait_for_url(pair.field.url + path)


def test_signing_out_closes_every_page(pair: Pair, leader: Person) -> None:
    leader.page.wait_for_url(f"{pair.field.url}/")
    leader.page.get_by_role("button", name="退出").click()
    leader.go(pair.field)
    assert "/sign-in" in leader.page.url


@pytest.mark.parametrize("role", ["field", "centre"])
def test_the_language_changes_on_every_page_and_stays(pair: Pair, somebody: Open, role: str) -> None:
    person, node = somebody(), getattr(pair, role)
    person.go(node, "/sign-in")
    expect(person.page.locator("html")).to_have_attribute("lang", "zh-CN")
    person.page.get_by_role("button", name="English").click()
    expect(person.page.locator("html")).to_have_attribute("lang", "en")
    person.sign_in(node)
    expect(person.page.locator("html")).to_have_attribute("lang", "en")
    expect(person.page.get_by_role("navigation")).not_to_contain_text("困难家庭")
    person.page.get_by_role("button", name="中文").click()
    expect(person.page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_a_browser_that_asks_for_english_gets_it(pair: Pair, somebody: Open) -> None:
    person = somebody(locale="en-US")
    person.go(pair.field, "/sign-in")
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Sign in")
