"""The guided first trip in Chromium, as somebody does who has never seen the program: by what the page says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.counted import Counted
from tests.e2e.test_pages import AXE, CHECK, WCAG

ACTION_S = 5.0
"""Of somebody who has to read what comes next."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A practice that runs, as the command starts it."""
    command = [sys.executable, "-m", "aidvisit", "field", "run", "--practice", "--home", str(tmp_path / "village")]
    with subprocess.Popen([*command, "--port", "18402", "--json"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


class Novice(Counted):
    """Does what the page says."""

    def find(self, letters: str, name: str) -> None:
        self.click(self.page.get_by_role("link", name="困难家庭").first)
        self.fill(self.page.locator("main [name=q]"), letters)
        self.click(self.page.locator("#found a.place", has_text=name))

    def save(self) -> None:
        self.click(self.page.locator(".act .btn--main"))
        self.page.wait_for_url(re.compile(r"saved="))


def test_somebody_new_finishes_the_guided_trip(chromium: Browser, address: str) -> None:
    """To the last tick, in well under ten minutes of actions; the frame is on every page, and axe finds nothing."""
    page = chromium.new_page(locale="zh-CN", viewport={"width": 1280, "height": 900})
    page.set_default_timeout(20_000)
    page.goto(address)
    novice = Novice(page)
    step = page.locator(".practice__step")
    password = page.locator(".notice dd").nth(1).inner_text()
    novice.fill(page.locator("[name=password]"), password)
    novice.click(page.locator("main form button"))
    expect(page.locator(".steps > li")).to_have_count(8)
    looks_right(page)
    novice.click(page.get_by_role("link", name="到今日去做"))
    expect(step).to_contain_text("第 1 步")

    novice.find("hyt", "何有田")
    expect(step).to_contain_text("第 2 步")
    novice.click(page.locator("#may + *").locator("xpath=..").get_by_role("link", name="发放给这一户"))
    novice.sign()
    novice.save()
    expect(step).to_contain_text("第 5 步")
    looks_right(page)

    novice.find("fss", "冯水生")
    novice.click(page.get_by_role("link", name="不在家…"))
    novice.click(page.get_by_role("button", name="不在家", exact=True))
    expect(step).to_contain_text("第 6 步")

    novice.find("lqj", "陆秋菊")
    novice.click(page.get_by_role("link", name="更正"))
    novice.click(page.get_by_role("button", name="食用油加一"))
    novice.sign()
    novice.save()
    expect(step).to_contain_text("第 7 步")

    said = dict(re.findall(r"(大米|食用油) (\d+)", step.inner_text()))
    novice.click(page.get_by_role("link", name="物资账"))
    form = page.locator("form", has=page.locator("[name=what][value=count]"))
    opened = form.locator("xpath=ancestor::details")
    if opened.count():
        novice.click(opened.locator("summary").first)
    novice.fill(form.locator("[name='quantity.rice']"), said["大米"])
    novice.fill(form.locator("[name='quantity.oil']"), said["食用油"])
    novice.click(form.get_by_role("button").last)
    expect(step).to_contain_text("第 8 步")

    novice.click(page.get_by_role("link", name="名单", exact=True))
    novice.click(page.get_by_role("button", name="打印 发放花名册"))
    expect(page.locator(".practice__band")).to_be_visible()
    page.goto(f"{address}/practice")
    expect(page.locator(".steps .stamp--done")).to_have_count(8)
    expect(page.get_by_role("main")).to_contain_text("可以下乡了")
    seconds = novice.actions * ACTION_S
    assert seconds < 240, f"{novice.actions} actions: the rest of ten minutes is for reading"

    page.get_by_role("link", name="队长一页纸").click()
    expect(page.locator(".manual img")).to_have_count(4)
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) == 1, "one printed page"
    looks_right(page)
    page.goto(f"{address}/practice")
    page.get_by_role("button", name="重新开始").click()
    expect(page.locator(".steps .stamp--todo")).to_have_count(8, timeout=60_000)
    page.close()


def looks_right(page: Page) -> None:
    """The frame is seen, at any width, and printed; nothing scrolls sideways; axe finds nothing."""
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        expect(page.locator(".practice__band")).to_contain_text("这里的一切都是编的")
        edge = page.evaluate("getComputedStyle(document.body, '::before').borderTopWidth")
        assert edge == "10px"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(CHECK, WCAG)["violations"] == []
    page.emulate_media(media="print")
    expect(page.locator(".practice__foot")).to_be_visible()
    page.emulate_media(media="null")
    page.set_viewport_size({"width": 1280, "height": 900})
