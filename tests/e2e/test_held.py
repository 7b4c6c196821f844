"""A record that the centre holds is told on both sides and accepted by name; a copy goes on by one button."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from aidvisit.services import account
from aidvisit.store.database import reading
from aidvisit.store.queries.account import user_by_login
from tests.e2e.person import NARROW, Person
from tests.support.centre import PASSWORD
from tests.support.nodes import LEADER, Node, Pair

Open = Callable[..., Person]
HELPER = "helper"


def hire(pair: Pair) -> None:
    """A volunteer of the laptop's team; the laptop hears of it."""
    with pair.centre.inside() as device:
        with reading() as conn:
            leader = user_by_login(conn, LEADER)
        assert leader is not None
        account.add_user(
            actor=device, login=HELPER, name="覃新来", role="volunteer", team=leader.team, password=PASSWORD
        )


def sees(person: Person, words: str | re.Pattern[str]) -> None:
    expect(person.page.get_by_role("main")).to_contain_text(words)


def in_view(person: Person) -> None:
    """Nothing is wider than a small telephone."""
    person.page.set_viewport_size(NARROW)
    assert person.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


@pytest.mark.timeout(180)
def test_a_held_record_is_accepted_by_name_and_told(pair: Pair, somebody: Open, office: Person) -> None:
    hire(pair)
    leader = somebody()
    leader.sign_in(pair.field)
    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="现在同步").click()
    helper = somebody()
    helper.sign_in(pair.field, login=HELPER)
    # The office makes an auditor of this person before the laptop hears of it.
    user = next(one for one in pair.centre.command("central", "user", "list")["users"] if one["login"] == HELPER)
    pair.centre.command("central", "user", "update", "--user", user["id"], "--role", "auditor")
    helper.go(pair.field)
    name = helper.open_next()
    helper.sign()
    helper.save()
    helper.sees_chip("attention", "已收存,待核")

    leader.go(pair.field, "/sync")
    sees(leader, "覃新来没有“发放”的权限")
    in_view(leader)
    office.go(pair.centre, "/held")
    line = office.page.get_by_role("listitem").filter(has_text=name).filter(has=office.page.get_by_role("checkbox"))
    expect(line).to_contain_text("覃新来")
    line.get_by_role("checkbox").check()
    office.page.get_by_label("原因").fill("当天他还在队里")
    office.page.get_by_role("button", name="收下", exact=True).click()
    sees(office, "没有待核的记录")
    sees(office, "admin:当天他还在队里")
    in_view(office)

    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="现在同步").click()
    sees(leader, "当天他还在队里")
    leader.sees_chip("sent")


@pytest.mark.timeout(180)
def test_a_copy_of_a_laptop_goes_on_by_one_button(pair: Pair, somebody: Open, tmp_path: Path) -> None:
    pair.field.stop()
    shutil.copytree(pair.field.home, tmp_path / "copy")
    copy = Node(tmp_path / "copy", "field", **pair.field.settings)
    pair.field.start()
    first = somebody()
    first.sign_in(pair.field)
    first.go(pair.field)
    theirs = first.open_next()
    first.sign()
    first.save()
    first.sees_chip("sent")
    copy.start()
    try:
        copied = Pair(pair.centre, copy, pair.trip)
        second = somebody()
        second.pair = copied
        second.sign_in(copy)
        second.go(copy)
        mine = second.open_next()
        assert mine == theirs, "it does not know yet what the other one did"
        second.sign()
        second.save()
        second.sees_chip("attention", "上报停了")
        second.go(copy, "/sync")
        sees(second, "和本机一模一样的笔记本")
        in_view(second)
        second.page.get_by_label("我明白").check()
        second.page.get_by_role("button", name="作为新的一台继续").click()
        sees(second, "现在是新的一台了")
        second.sees_chip("sent")
        expect(second.page.locator("main")).not_to_contain_text("我明白")
        second.go(copy)
        second.open_next()
        second.sign()
        second.save()
        second.sees_chip("sent")
        first.go(pair.field)
        first.open_next()
        first.sign()
        first.save()
        first.sees_chip("sent")
        second.leave()
    finally:
        copy.stop()
    rows = pair.centre.command("central", "device", "list")["devices"]
    assert len(rows) == 2
    assert [row["waiting"] for row in rows] == [0, 0]
    assert pair.centre.command("verify")["ok"]
