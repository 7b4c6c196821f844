"""The office keeps the catalogue: a new item, and a county's villages from a file."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.person import Person

TOWNS = "code,name,parent\n130102001,建北街道,130102\n130102001001,棉一社区居民委员会,130102001\n"


def test_an_item_is_added_and_found(office: Person) -> None:
    page = office.page
    page.wait_for_url(f"{office.pair.centre.url}/")
    page.get_by_role("link", name="基础数据").click()
    page.get_by_role("main").get_by_role("link", name="物资", exact=True).click()
    page.get_by_role("link", name="添加物资").click()
    page.get_by_label("名称").fill("面粉")
    page.get_by_label(re.compile("^代码")).fill("flour")
    page.get_by_label(re.compile("^单价")).fill("四十五")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert")).to_contain_text("单位")
    page.get_by_label(re.compile("^单位")).fill("袋")
    page.get_by_label(re.compile("^单价")).fill("45.9")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("row", name=re.compile("面粉"))).to_contain_text("45.90")


def test_a_countys_villages_come_from_a_file(office: Person, tmp_path: Path) -> None:
    page, file = office.page, tmp_path / "towns.csv"
    file.write_bytes(TOWNS.encode("gb18030"))
    page.wait_for_url(f"{office.pair.centre.url}/")
    office.go(office.pair.centre, "/divisions?under=130102")
    expect(page.get_by_role("main")).to_contain_text("还没有读入下一级")
    page.get_by_role("link", name="读入乡镇和村").click()
    page.get_by_label(re.compile("^文件")).set_input_files(file)
    page.get_by_role("button", name="先看会怎样").click()
    expect(page.get_by_role("main")).to_contain_text("新增 2,改名 0,不变 0,不对 0")
    page.get_by_role("button", name="全部读入").click()
    page.get_by_role("link", name="建北街道").click()
    expect(page.get_by_role("main")).to_contain_text("棉一社区居民委员会")
