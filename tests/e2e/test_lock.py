"""A laptop that was enrolled before its team had people: the recovery key opens it, and the sync brings them."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.e2e.person import Person
from tests.support.centre import PASSWORD, Centre
from tests.support.nodes import LEADER, TOWN, Node, Pair
from tests.support.soon import soon


def test_the_recovery_key_opens_a_laptop_that_knows_nobody_yet(chromium: Browser, tmp_path: Path) -> None:
    centre = Centre(tmp_path / "central")
    team = centre.add_team("慰问一队", TOWN)
    with centre.running():
        field = Node(tmp_path / "field", "field")
        made = field.command(
            "field", "init", "--server", centre.url, "--code", centre.code(team), "--name", "3 号笔记本"
        )
        person = ("--login", LEADER, "--name", "罗春和", "--role", "leader", "--team", team, "--password-stdin")
        centre.command("central", "user", "add", *person, stdin=PASSWORD + "\n")
        field.start()
        office = Node(tmp_path / "central", "central")
        office.url = centre.url
        somebody = Person(chromium, Pair(office, field, ""))
        try:
            _opens(somebody, field, str(made["recovery_key"]))
        finally:
            somebody.leave()
            field.stop()
    assert somebody.complaints == []


def _opens(somebody: Person, field: Node, recovery_key: str) -> None:
    page = somebody.page
    somebody.sign_in(field)
    expect(page.locator("main .notice--stop")).to_contain_text("登录名或密码不对")

    page.get_by_text("用恢复密钥打开").click()
    page.fill("[name=recovery_key]", recovery_key.lower())
    page.get_by_role("button", name="打开并同步").click()
    expect(page.locator("main .notice")).to_contain_text("已用恢复密钥打开")
    slots = field.home / "keys.json"
    assert soon(lambda: json.loads(slots.read_text())["slots"], 60), "the sync has brought the leader"
    somebody.sign_in(field)

    page.get_by_role("button", name="锁机").click()
    expect(page.get_by_role("button", name="登录并开锁")).to_be_visible()
    somebody.sign_in(field)
    expect(page.get_by_role("button", name="锁机")).to_be_visible()
