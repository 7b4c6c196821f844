"""A village that was served on paper is typed in: 34 rows, three exceptions, two sheets, by keyboard and by mouse."""

from __future__ import annotations

import logging
import struct
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.counted import Counted
from tests.e2e.person import Person
from tests.support.nodes import Pair

logger = logging.getLogger(__name__)

SECONDS = 1.5
"""An action of somebody who has the paper beside the laptop."""
BUDGET = 180 / SECONDS


def png(path: Path, shade: int) -> Path:
    """A picture of one shade."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + bytes([shade]) * 64) * 64)
    head = struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b""))
    return path


@pytest.fixture
def sheets(tmp_path: Path) -> list[Path]:
    return [png(tmp_path / f"{shade}.png", shade) for shade in (120, 200)]


def to(page: Page, selector: str) -> None:
    """Press Tab until it has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never came to {selector}")


def row(page: Page, number: int) -> Locator:
    return page.locator("[data-row]").nth(number - 1)


def test_a_village_on_paper_in_under_three_minutes(leader: Person, pair: Pair, sheets: list[Path]) -> None:
    page, who = leader.page, Counted(leader.page)
    leader.go(pair.field)
    who.click(page.get_by_role("link", name="纸质补录"))
    expect(page.locator("[data-row]")).to_have_count(34)
    expect(page.get_by_label("哪一天发的")).to_have_value("2020-12-30")
    who.fill(page.locator("#witness_name"), "廖满仓")
    for number, file in enumerate(sheets, 1):
        who.photo(page.locator(f"#photo-{number}"), file)
    who.click(page.get_by_role("button", name="全部照方案发了"))
    expect(page.locator("[data-button]")).to_have_text("保存 34 户")

    fewer, proxy, away = row(page, 5), row(page, 18), row(page, 30)
    who.click(fewer.locator("summary"))
    who.fill(fewer.locator("[name^='quantity.']").first, "0")
    who.click(proxy.locator("summary"))
    who.choose(proxy.locator("[name^='as.']"), "代领人")
    who.fill(proxy.get_by_label("签收人姓名"), "苏晓禾")
    who.fill(proxy.get_by_label("与户主的关系"), "邻居")
    who.fill(proxy.get_by_label("证件后四位"), "123X")
    who.click(away.locator("summary"))
    who.choose(away.get_by_label("没有发的原因"), "住院")
    who.fill(away.get_by_label("备注"), "住县医院")
    expect(page.locator("[data-said]").nth(1)).to_contain_text("KB")
    who.click(page.locator("[data-button]"))
    expect(page.get_by_role("main")).to_contain_text("已保存 34 户")
    logger.info("%d actions, %.0f s", who.actions, who.actions * SECONDS)
    assert who.actions < BUDGET
    expect(page.locator("[data-row]")).to_have_count(1)  # who was in hospital is still owed
    to(page, "#excused-2")
    page.keyboard.press("Space")
    to(page, "[data-row] input[name^='take.']")
    page.keyboard.press("Space")
    to(page, "[data-row] summary")
    page.keyboard.press("Enter")
    to(page, "[name^='note.']")
    page.keyboard.type("出院后补签")
    to(page, "[data-button]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("已保存 1 户")
    expect(page.locator("[data-row]")).to_have_count(0)

    leader.go(pair.field)
    expect(page.locator("#groups small")).to_have_text("34 户,已发 34 户")
    page.get_by_role("link", name="纸质补录").click()
    page.locator("main .lines a").nth(17).click()
    history = page.locator(".time .is-given").first
    expect(history).to_contain_text("邻居代领")
    expect(history.locator("img.photo--small")).to_be_visible()
