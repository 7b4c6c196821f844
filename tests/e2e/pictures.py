"""`python -m tests.e2e.pictures`: pictures of the demo, wide and narrow in docs/pictures, and those of docs/手册."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.e2e.person import FLAGS
from tests.support import browser

PLACE = Path(__file__).resolve().parents[2] / "docs" / "pictures"
MANUAL = PLACE.parent / "手册"
MANUAL_SIZE: ViewportSize = {"width": 360, "height": 560}
WIDTHS = {1280: 800, 360: 740}
TALLEST = 1250


@contextmanager
def demo() -> Iterator[dict[str, Any]]:
    """The addresses and logins of a demo that runs as long as this."""
    command = [sys.executable, "-m", "aidvisit", "demo", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def take(page: Page, name: str) -> None:
    """A picture for each width, as tall as the page but not for ever."""
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        tall = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
        # A viewport as tall as the picture: what sticks to the window's edges is where a person sees it.
        page.set_viewport_size({"width": width, "height": max(tall, height)})
        page.screenshot(path=PLACE / f"{name}-{width}.png")


def signed_in(chromium: Browser, node: dict[str, str], name: str) -> Page:
    page = chromium.new_page(locale="zh-CN")
    page.goto(node["url"])
    take(page, f"sign-in-{name}")
    page.fill("[name=login]", node["login"])
    page.fill("[name=password]", node["password"])
    page.click("main button")
    page.wait_for_url(f"{node['url']}/")
    return page


def of_field(chromium: Browser, node: dict[str, str]) -> None:
    page, url = signed_in(chromium, node, "field"), node["url"]
    expect(page.locator(".chip--sent")).to_be_visible()
    take(page, "today")
    page.goto(f"{url}/search")
    page.fill("main [name=q]", "黄")
    page.press("main [name=q]", "Enter")
    expect(page.get_by_role("main")).to_contain_text("黄彩琼")
    take(page, "search")
    page.get_by_role("main").get_by_role("link").filter(has_text="黄彩琼").first.click()
    take(page, "household")
    page.goto(url)
    page.click(".card--next .btn--main")
    take(page, "deliver")
    page.goto(url)
    page.locator(".card--next a[href$=visit]").click()
    take(page, "visit")
    page.goto(f"{url}/sync")
    take(page, "sync")
    page.get_by_role("button", name="English").click()
    page.goto(url)
    take(page, "today-english")


def of_manual(chromium: Browser, node: dict[str, str]) -> None:
    """What the leader's printed page shows: the top of four pages, as narrow as a telephone."""
    page, url = chromium.new_page(locale="zh-CN", viewport=MANUAL_SIZE), node["url"]
    page.goto(url)
    page.fill("[name=login]", node["login"])
    page.fill("[name=password]", node["password"])
    page.click("main button")
    page.wait_for_url(f"{url}/")

    def shot(name: str, top: str) -> None:
        page.locator(top).first.evaluate("one => scrollTo(0, one.getBoundingClientRect().top + scrollY - 12)")
        page.screenshot(path=MANUAL / f"{name}.png")

    shot("today", ".card--next")
    page.click(".card--next .btn--main")
    shot("deliver", ".name")
    page.goto(url)
    page.locator(".card--next a[href$=visit]").click()
    shot("away", ".name")
    page.goto(f"{url}/ready")
    shot("ready", "h1")


def of_centre(chromium: Browser, node: dict[str, str]) -> None:
    page, url = signed_in(chromium, node, "centre"), node["url"]
    take(page, "overview")
    page.goto(f"{url}/trips")
    take(page, "trips")
    for village, name in (("民强村", "reconciliation"), ("民进村", "reconciliation-missing")):
        page.goto(f"{url}/trips")
        page.get_by_role("main").get_by_role("link").filter(has_text=re.compile(village)).first.click()
        take(page, name)
    for name in ("people", "audit"):
        page.goto(f"{url}/{name}")
        take(page, name)
    page.goto(f"{url}/devices")
    take(page, "devices")
    page.fill("[name=count]", "6")
    page.get_by_role("button", name="开登记码").click()
    take(page, "invitations")


def main() -> int:
    PLACE.mkdir(parents=True, exist_ok=True)
    program = browser.find()
    with demo() as running, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        of_manual(chromium, running["field"])
        of_field(chromium, running["field"])
        of_centre(chromium, running["central"])
        chromium.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
