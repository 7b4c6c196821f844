"""A household is registered where there is no line, edited at both ends, and the two agree again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.person import WITHIN_MS, Person
from tests.support.nodes import Pair

NAME, VILLAGE = "谭阿秋", "民强村"


@pytest.mark.timeout(300)
def test_registered_offline_edited_at_both_ends_and_settled_at_the_centre(
    pair: Pair, leader: Person, office: Person
) -> None:
    pair.centre.stop()
    register(leader)
    leader.sees_chip("waiting")
    pair.centre.start()
    leader.sees_chip("sent")

    household = leader.page.url.rpartition("/")[2].partition("?")[0]
    path = f"/households/{household}"
    office.go(pair.centre, f"{path}/edit")
    expect(office.page.locator("[name='head.name']")).to_have_value(NAME)
    office.page.wait_for_load_state("networkidle")
    pair.centre.stop()
    leader.go(pair.field, f"{path}/edit")
    change(leader, "村口第一家")
    pair.centre.start()
    change(office, "新村 3 号")
    leader.sees_chip("sent")

    office.go(pair.centre, "/households/conflicts")
    card = office.page.locator("section.card", has_text=NAME)
    for value in ("村口第一家", "新村 3 号", "老屋"):
        expect(card).to_contain_text(value)
    card.get_by_role("link", name=re.compile("定下来")).click()
    office.page.get_by_role("radio", name=re.compile("村口第一家")).check()
    office.page.fill("[name=reason]", "电话问过本人")
    office.page.get_by_role("button", name="定下来").click()
    expect(office.page.locator("#family")).to_contain_text("村口第一家")
    expect(office.page.get_by_role("main")).not_to_contain_text("修改冲突")

    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="现在同步").click()
    leader.go(pair.field, path)
    expect(leader.page.locator("#family")).to_contain_text("村口第一家")
    expect(leader.page.get_by_role("main")).not_to_contain_text("修改冲突")
    leader.go(pair.field, "/households/conflicts")
    expect(leader.page.get_by_role("main")).to_contain_text("没有修改冲突")


def register(person: Person) -> None:
    """With a member, by a button that leaves what is typed where it is; the name is known, and not the same."""
    page = person.page
    person.go(person.pair.field, "/search")
    page.get_by_role("link", name="登记一户").click()
    page.fill("[name='head.name']", NAME)
    page.select_option("[name=division]", label=VILLAGE)
    page.fill("[name=address]", "老屋")
    page.get_by_role("button", name="添加一位成员").click()
    member = page.locator("fieldset", has_text="家庭成员 1")
    expect(member.locator("[name$='.name']").first).to_be_focused()
    page.keyboard.type("谭小秋")
    expect(page.locator("[name='head.name']")).to_have_value(NAME)
    page.locator(".act .btn--main").click()
    page.wait_for_url(re.compile(r"/households/[0-9a-f-]{36}"), timeout=WITHIN_MS)
    expect(page.locator("h1")).to_have_text(NAME)
    expect(page.get_by_role("main")).to_contain_text("谭小秋")


def change(person: Person, address: str) -> None:
    person.page.fill("[name=address]", address)
    person.page.locator(".act .btn--main").click()
    expect(person.page.locator("#family")).to_contain_text(address)
