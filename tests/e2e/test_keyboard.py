"""A day without a mouse: the touchpad is wet, or the hands are in gloves. Tab, arrows, blank, Enter and letters."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.person import Person
from tests.support.centre import PASSWORD
from tests.support.nodes import LEADER, LOADED, Pair

POINTED = "addEventListener('pointerdown', () => pointed(), true)"


@pytest.fixture
def typist(somebody: Open, pair: Pair) -> Iterator[Person]:
    """The team's leader at the laptop, who has touched nothing but keys at the end."""
    person, touched = somebody(), list[str]()
    person.page.expose_function("pointed", lambda: touched.append(person.page.url))
    person.page.add_init_script(POINTED)
    person.go(pair.field, "/sign-in")
    tab_to(person, "[name=login]")
    person.page.keyboard.type(LEADER)
    tab_to(person, "[name=password]")
    person.page.keyboard.type(PASSWORD)
    person.page.keyboard.press("Enter")
    person.page.wait_for_url(f"{pair.field.url}/")
    yield person
    assert touched == []


def tab_to(person: Person, selector: str) -> None:
    """Press Tab until the element has the focus, which must be seen."""
    for _ in range(120):
        if person.page.evaluate(FOCUSED, selector):
            return
        person.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {selector}")


FOCUSED = """selector => {
  const here = document.activeElement;
  const shown = getComputedStyle(here);
  return here.matches(selector) && (shown.outlineStyle !== 'none' || shown.boxShadow !== 'none');
}"""


def choose(person: Person, name: str, value: str) -> None:
    """One of several by the arrows."""
    tab_to(person, f"[name={name}]:checked")
    for _ in range(person.page.locator(f"[name={name}]").count()):
        if person.page.locator(f"[name={name}][value={value}]").is_checked():
            return
        person.page.keyboard.press("ArrowDown")
    raise AssertionError(f"the arrows never came to {value}")


def enter(person: Person, selector: str) -> None:
    """What is pressed leads to another page."""
    tab_to(person, selector)
    with person.page.expect_navigation():
        person.page.keyboard.press("Enter")


def test_a_day_by_keyboard_alone(typist: Person) -> None:
    """A delivery signed on paper and one with a reason, an outcome, goods left in custody, and the count."""
    page = typist.page
    for proof, cell, words in (("paper", "row", "1"), ("none", "none_reason", "老人不会写字,邻居在场")):
        name = page.locator(".card--next .who").inner_text()
        enter(typist, ".card--next .btn--main")
        expect(page.locator("h1")).to_have_text(name)
        choose(typist, "proof", proof)
        tab_to(typist, f"[name={cell}]")
        page.keyboard.type(words)
        enter(typist, ".act .btn--main")
        page.wait_for_url(re.compile(r"/\?saved="))
        expect(page.get_by_role("main")).to_contain_text(f"已保存在本机:{name}")

    name = page.locator(".card--next .who").inner_text()
    enter(typist, ".card--next a[href$='/visit']")
    enter(typist, "button[value=in-hospital]")
    page.wait_for_url(re.compile(r"/\?saved="))
    expect(page.get_by_role("main")).to_contain_text(f"已保存在本机:{name}")

    enter(typist, ".card--next a[href$='/visit']")
    tab_to(typist, "[name=with_name]")
    page.keyboard.type("廖满仓")
    tab_to(typist, "#paper")
    page.keyboard.press("Space")
    enter(typist, "[name=custody]")
    expect(page.locator(".slip")).to_contain_text("代存单")

    enter(typist, ".nav a[href='/stock']")
    expect(page.get_by_role("heading", level=1)).to_have_text("任务物资")
    left = {
        row.get_attribute("data-item"): row.locator("td b").inner_text() for row in page.locator("tr[data-item]").all()
    }
    assert left.keys() == LOADED.keys()
    tab_to(typist, "details:has(#count-date) > summary")
    page.keyboard.press("Enter")
    for item, quantity in left.items():
        tab_to(typist, f"#count-{item}")
        page.keyboard.type(quantity)
    enter(typist, "form:has(#count-date) .btn--main")
    expect(page.get_by_role("main")).to_contain_text("已保存")
    counted = {
        row.get_attribute("data-item"): row.locator("td").last.inner_text()
        for row in page.locator("tr[data-item]").all()
    }
    assert counted == left
