"""The papers of a day, on the laptop, after the last household: printed to PDF, page by page."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from aidvisit.services import catalog, trip
from aidvisit.store.database import reading
from aidvisit.store.queries.trip import today
from tests.e2e.person import Person
from tests.support.nodes import Pair

ACROSS, UPRIGHT = (842, 595), (595, 842)
"""A4 in points."""
INSIDE = 700
"""Of an upright page, between its margins: CSS pixels."""


def pdf(page: Page, to: Path) -> list[tuple[int, int]]:
    """Print, and the size of each page in points."""
    page.pdf(path=to, prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", to.read_bytes())
    return [(round(float(width)), round(float(height))) for width, height in boxes]


def figures(page: Page, papers: str) -> None:
    """The day in figures: in the language with the longer words no column is beyond the edge of the paper."""
    page.goto(f"{papers}/summary")
    page.get_by_role("button", name="English").click()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": INSIDE, "height": 1000})
    edge = page.locator("[data-figure=difference]").first.bounding_box()
    assert edge is not None
    assert edge["x"] + edge["width"] <= INSIDE
    page.emulate_media(media="null")
    page.get_by_role("button", name="中文").click()


def test_a_trip_s_papers_are_printed(leader: Person, tmp_path: Path) -> None:
    page = leader.page
    page.wait_for_url(f"{leader.pair.field.url}/")
    page.get_by_role("link", name="名单", exact=True).click()
    expect(page.get_by_role("heading", name="名单和单据")).to_be_visible()
    papers = page.url
    page.get_by_role("button", name=re.compile("^打印 签领表")).click()
    expect(page.locator(".sheet")).to_have_count(2)
    assert pdf(page, tmp_path / "roll.pdf") == [ACROSS] * 2
    page.goto(papers)
    page.get_by_role("button", name=re.compile("^打印 给村干部")).click()
    expect(page.locator(".sheet__own")).to_have_count(4)
    assert pdf(page, tmp_path / "village.pdf") == [ACROSS] * 2
    page.goto(papers)
    page.get_by_label("异议电话").fill("0758-6688001")
    page.get_by_label("落款单位").fill("民强村民委员会")
    page.get_by_role("button", name="拟发放名单").click()
    expect(page.locator(".posted tbody tr")).to_have_count(34)
    assert pdf(page, tmp_path / "notice.pdf") == [UPRIGHT]
    figures(page, papers)
    page.goto(papers)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    nav = page.get_by_role("navigation", name="主导航")
    expect(nav.get_by_role("link")).to_have_text(["今日", "困难家庭", "物资账", "名单", "上报"])
    with page.expect_download() as taken:
        page.get_by_role("button", name=".xlsx 签领表(空白)").click()
    assert taken.value.suggested_filename.endswith(".xlsx")


def test_a_list_of_nine_items_still_has_a_page_for_each_sheet(leader: Person, pair: Pair, tmp_path: Path) -> None:
    """The columns give way, not the rows: who signs has the same room, and a sheet stays on its paper."""
    page, more = leader.page, ("牛奶", "洗衣液", "棉衣", "学习文具套装", "常用药品包")
    with pair.centre.inside() as device:
        for number, name in enumerate(more):
            body = {"code": f"more{number}", "name": name, "unit": "箱", "spec": "12盒装", "class": "food"}
            catalog.define("item", {**body, "value_fen": 4_990 + number}, actor=device)
        with reading() as conn:
            listed = [one.id for one in today(conn, pair.trip).households]
        codes = ["quilt", *(f"more{number}" for number in range(len(more)))]
        trip.allocate(actor=device, trip=pair.trip, lines=[(one, code, 1) for one in listed for code in codes])
    pair.field.command("sync")
    leader.go(pair.field, "/papers")
    page.get_by_role("button", name="打印 签领表(空白)").click()
    expect(page.locator(".sheet thead").first.locator("th.sheet__item")).to_have_count(9)
    assert pdf(page, tmp_path / "many.pdf") == [ACROSS] * 2
