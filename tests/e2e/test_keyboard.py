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


def pick(person: Person, selector: str, value: str) -> None:
    """One of a list, by the arrows."""
    tab_to(person, selector)
    for _ in range(person.page.locator(f"{selector} option").count()):
        if person.page.locator(selector).input_value() == value:
            return
        person.page.keyboard.press("ArrowDown")
    raise AssertionError(f"the arrows never came to {value}")


def unfold(person: Person, cell: str) -> None:
    """A folded form of the goods' page."""
    if not person.page.locator(cell).is_visible():
        tab_to(person, f"details:has({cell}) > summary")
        person.page.keyboard.press("Enter")


def goods(person: Person, what: str, typed: dict[str, str], then: str) -> None:
    """One of the forms of the truck's goods, and what the next page says."""
    enter(person, ".nav a[href='/stock']")
    unfold(person, f"#{what}-date")
    for cell, text in typed.items():
        tab_to(person, f"#{what}-{cell}")
        person.page.keyboard.press("Control+A")
        person.page.keyboard.type(text)
    enter(person, f"form:has(#{what}-date) .btn--main")
    expect(person.page.get_by_role("main")).to_contain_text(then)


def left(person: Person, column: str = "td b") -> dict[str, str]:
    """By item, what is on the truck by the books."""
    rows = person.page.locator("tr[data-item]").all()
    return {str(row.get_attribute("data-item")): row.locator(column).last.inner_text() for row in rows}


def test_a_day_by_keyboard_alone(typist: Person) -> None:
    """A rule and a lock; a load; deliveries signed on paper and with a reason; an outcome; custody; a sheet that is
    typed in; what broke; what goes back; and the count.
    """
    page = typist.page
    planned(typist)
    enter(typist, ".nav a[href='/']")
    goods(typist, "load", {"oil": "2", "nuts": "0"}, "出库单")
    enter(typist, ".nav a[href='/']")
    delivered(typist)
    nobody_there(typist)
    on_paper(typist)
    goods(typist, "loss", {"oil": "1", "reason": "车上摔破一桶"}, "已保存")
    goods(typist, "return", {"rice": "1", "oil": "1", "nuts": "1"}, "退库单")
    enter(typist, ".nav a[href='/stock']")
    there = left(typist)
    assert there.keys() == LOADED.keys()
    goods(typist, "count", there, "已保存")
    assert left(typist, "td") == there
    expect(page.get_by_role("heading", level=1)).to_have_text("任务物资")


def planned(typist: Person) -> None:
    """One more portion of nuts for everybody, by a rule; then it is locked for somebody else to approve."""
    page = typist.page
    enter(typist, "main a[href$='/plan']")
    enter(typist, "main a[href$='/rules']")
    pick(typist, "[name='item.0']", "nuts")
    tab_to(typist, "[name='quantity.0']")
    page.keyboard.type("2")
    tab_to(typist, "#replace")
    page.keyboard.press("Space")
    enter(typist, "button[name=look]")
    expect(page.locator("section", has_text="保存后会是").locator("tr[data-item=nuts]")).to_contain_text("68")
    enter(typist, "button[name=save]")
    expect(page.get_by_role("main")).to_contain_text("处改动")
    enter(typist, "button[name=step][value=lock]")
    expect(page.get_by_role("main")).to_contain_text("方案是您锁定的")


def delivered(typist: Person) -> None:
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


def nobody_there(typist: Person) -> None:
    page = typist.page
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


def on_paper(typist: Person) -> None:
    """Two more of the list signed a sheet of which there is no photo."""
    page = typist.page
    enter(typist, ".nav a[href='/']")
    enter(typist, "main a[href$='/paper-day']")
    tab_to(typist, "#excused-1")
    page.keyboard.press("Space")
    for number in (2, 3):
        tab_to(typist, f"[data-row]:nth-of-type({number}) input[name^='take.']:not(:checked)")
        page.keyboard.press("Space")
    enter(typist, "[data-button]")
    expect(page.get_by_role("main")).to_contain_text("已保存 2 户")
