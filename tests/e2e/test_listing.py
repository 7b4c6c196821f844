"""A leader looks who is still to be visited, keeps the question, and takes the list along."""

from __future__ import annotations

import csv
import io
import re

from openpyxl import load_workbook
from playwright.sync_api import expect

from tests.e2e.person import Person


def test_a_list_is_narrowed_kept_and_taken_along(leader: Person) -> None:
    page = leader.page
    page.wait_for_url(f"{leader.pair.field.url}/")
    page.get_by_role("link", name="困难家庭").first.click()
    page.get_by_role("main").get_by_role("link", name="名单", exact=True).click()
    expect(page.get_by_role("heading", name="34 户")).to_be_visible()
    page.get_by_label("困难类型").select_option(label="低保户")
    page.get_by_label("从这天起没有领过").fill("2020-01-01")
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_role("heading", name="低保户 · 2020-01-01 起没有领过物资")).to_be_visible()
    rows = page.locator("tbody tr").count()
    assert 0 < rows < 34

    page.get_by_label(re.compile("^起个名")).fill("还没领的低保户")
    page.get_by_role("button", name="保存").click()
    page.get_by_role("link", name="看全部").click()
    page.get_by_role("link", name="还没领的低保户").click()
    expect(page.locator("tbody tr")).to_have_count(rows)

    with page.expect_download() as taken:
        page.get_by_role("button", name="导出 .xlsx").click()
    sheet = [*load_workbook(io.BytesIO(taken.value.path().read_bytes())).worksheets[0].values]
    assert (len(sheet), sheet[-1][1]) == (1 + rows + 1, rows)  # the last says how many there are
    with page.expect_download() as taken:
        page.get_by_role("button", name="导出 .csv").click()
    text = taken.value.path().read_text(encoding="utf-8-sig")
    lines = [*csv.reader(io.StringIO(text))]
    assert (len(lines), lines[-1][1]) == (1 + rows + 1, str(rows))


def test_a_printed_list_has_its_head_on_every_page(office: Person) -> None:
    page = office.page
    page.wait_for_url(f"{office.pair.centre.url}/")
    office.go(office.pair.centre, "/lists")
    page.get_by_role("button", name="打印").click()
    expect(page.locator(".roll caption")).to_contain_text("34 户")
    page.emulate_media(media="print")
    assert page.locator(".roll thead").evaluate("head => getComputedStyle(head).display") == "table-header-group"
    expect(page.locator(".top")).to_be_hidden()
    assert page.locator(".roll tbody th[scope=row]").count() == 34
    assert not re.search(r"\d{17}[\dX]", page.locator(".roll").inner_text())
