"""A place that is never online: out on a stick, into the office's page, and back with the answer."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.e2e.person import Person
from tests.support.nodes import Pair


def _download(page: Page, what: Locator, to: Path) -> Path:
    with page.expect_download() as coming:
        what.click()
    coming.value.save_as(to)
    return to


def _upload(page: Page, file: Path, button: str) -> None:
    page.set_input_files("[name=bundle]", file)
    page.get_by_role("button", name=button, exact=True).click()


def test_what_was_recorded_without_a_line_is_acknowledged_by_stick(
    pair: Pair, leader: Person, office: Person, tmp_path: Path
) -> None:
    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="拔掉网线").click()
    leader.go(pair.field)
    name = leader.open_next()
    leader.sign()
    leader.save()
    leader.sees_chip("waiting", "1 条待上报")

    leader.go(pair.field, "/sync")
    up = _download(leader.page, leader.page.get_by_role("button", name="拷到 U 盘"), tmp_path / "up.aidbundle")
    assert name.encode() not in up.read_bytes()
    leader.sees_chip("waiting")  # on a stick is not at the centre

    office.go(pair.centre, "/devices")
    office.page.get_by_role("link", name="U 盘往返").click()
    damaged = tmp_path / "damaged.aidbundle"
    damaged.write_bytes(up.read_bytes()[:-20])
    _upload(office.page, damaged, "读入")
    expect(office.page.locator("main .notice")).to_contain_text("不完整或被改动过")
    _upload(office.page, up, "读入")
    row = office.page.locator("main .lines li")
    expect(row).to_contain_text("3 号笔记本")
    expect(row).to_contain_text("照片和签名 1 张")
    back = _download(office.page, office.page.get_by_role("link", name="下载回执包"), tmp_path / "back.aidbundle")

    _upload(leader.page, back, "读入回执包")
    expect(leader.page.locator("main .notice")).to_contain_text("回执包已读入")
    leader.sees_chip("sent", "全部已上报")
    leader.go(pair.field, "/sync")
    expect(leader.page.get_by_role("button", name="插回网线")).to_be_visible()  # all that without a line

    office.go(pair.centre, f"/trips/{pair.trip}")
    shown = office.page.locator("tr", has=office.page.get_by_role("rowheader", name=name, exact=True))
    expect(shown.locator(".stamp--done")).to_be_visible()
