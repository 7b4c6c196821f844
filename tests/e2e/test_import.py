"""A list is imported by page: from the file to the last answer, at either end, and read by everybody."""

from __future__ import annotations

import re
from pathlib import Path

from openpyxl import load_workbook
from playwright.sync_api import Locator, expect

from aidvisit.services.sheet.write import workbook
from tests.e2e.person import Person
from tests.e2e.test_pages import violations

MESSY = Path(__file__).parents[1] / "data" / "messy.xlsx"
SOON_MS = 60_000


def bring(person: Person, path: Path) -> None:
    """The file, then wait for its columns."""
    person.page.set_input_files("#file", path)
    person.page.get_by_role("button", name="下一步").click()
    expect(person.page.get_by_role("button", name="逐行核对")).to_be_visible(timeout=SOON_MS)


def look_at_rows(person: Person) -> Locator:
    person.page.get_by_role("button", name="逐行核对").click()
    expect(person.page.get_by_role("heading", name="会怎样")).to_be_visible(timeout=SOON_MS)
    return person.page.locator("main")


def everybody_can_read_it(person: Person) -> None:
    """axe finds nothing, and the page does not scroll sideways, wide or narrow."""
    for width in (360, 1280):
        person.page.set_viewport_size({"width": width, "height": 800})
        sideways = person.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 0, f"{sideways} px to the side at {width}"
        assert violations(person) == [], width


def test_a_messy_list_on_a_laptop(leader: Person, tmp_path: Path) -> None:
    """All but the faulty rows; those come back as a spreadsheet, are mended, and are imported too."""
    person = leader
    person.page.wait_for_url(f"{person.pair.field.url}/")
    person.go(person.pair.field, "/search")
    person.page.get_by_role("link", name="导入名单").click()
    bring(person, MESSY)
    expect(person.page.get_by_label("困难原因")).to_have_value("categories")
    everybody_can_read_it(person)
    main = look_at_rows(person)
    expect(main).to_contain_text("新 51 ·")
    expect(main.get_by_role("row", name=re.compile("冯建林"))).to_contain_text("不能小于 0")
    everybody_can_read_it(person)
    with person.page.expect_download() as download:
        person.page.get_by_role("button", name="不导入的行,下载成表格").click()
    mended = tmp_path / "mended.xlsx"
    download.value.save_as(mended)
    person.page.get_by_role("button", name="导入,9 行不导入").click()
    expect(person.page.get_by_role("heading", name="已经导入")).to_be_visible(timeout=SOON_MS)
    everybody_can_read_it(person)

    book = load_workbook(mended)
    book.worksheets[0]["H5"] = 1
    book.save(mended)
    person.page.get_by_role("link", name="再导入一份").click()
    bring(person, mended)
    expect(look_at_rows(person)).to_contain_text("新 1 ·")
    person.page.get_by_role("button", name="放弃").click()
    expect(person.page.locator("#file")).to_be_visible()


def test_a_ledger_of_families_and_children_at_the_centre(office: Person, tmp_path: Path) -> None:
    """A natural village is asked about; a guardian with the same telephone is offered, and somebody takes it."""
    path = tmp_path / "ledger.xlsx"
    day = ("日期:2024年2月28日",)
    families = [
        day,
        ("户主", "村(居)", "人口", "电话"),
        ("莫永有", "上坪", 4, "18685964709"),
        ("苏秀好", "民强村", 2, ""),
    ]
    children = [day, ("姓名", "村(居)", "类别", "监护人", "监护人电话"),
                ("聂木财", "民强村", "留守儿童", "莫永有", "18685964709")]  # fmt: skip
    workbook(
        path, [("重点家庭", ("大玉口镇重点家庭台账",), families), ("重点儿童", ("大玉口镇重点儿童台账",), children)]
    )
    office.page.get_by_role("link", name="导入", exact=True).click()
    bring(office, path)
    main = look_at_rows(office)
    expect(main).to_contain_text("“上坪”不是行政村")
    office.page.get_by_role("link", name="回去改各列").click()
    office.page.get_by_label(re.compile("“上坪”属于哪个村")).select_option(label="民强村")
    everybody_can_read_it(office)
    main = look_at_rows(office)
    expect(main).to_contain_text("新 3")
    everybody_can_read_it(office)
    office.page.get_by_label("第 4 行归哪一户").select_option(index=1)
    office.page.get_by_role("button", name="按选的再核对一遍").click()
    expect(main).to_contain_text("新 2", timeout=SOON_MS)
    office.page.get_by_role("button", name="全部导入").click()
    expect(office.page.get_by_role("heading", name="已经导入")).to_be_visible(timeout=SOON_MS)
    expect(main).to_contain_text("1 人")
    everybody_can_read_it(office)
