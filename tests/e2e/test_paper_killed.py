"""A sheet is typed in and the laptop dies: what was typed comes back; going back saves nothing twice."""

from __future__ import annotations

from urllib.parse import parse_qs

from playwright.sync_api import Page, Response, expect

from aidvisit.store.database import reading
from tests.e2e.person import Person
from tests.support.nodes import Pair

LISTED, TICKED = 34, 3


def typed_and_kept(page: Page, words: str) -> None:
    """Type the last of it, and wait until that is on the disk."""

    def holds(answer: Response) -> bool:
        sent = parse_qs(answer.request.post_data or "")
        return answer.status == 204 and any(words in each for each in sent.values())

    with page.expect_response(holds):
        page.locator("[name^='note.']").first.fill(words)


def deliveries(pair: Pair) -> int:
    with pair.field.inside(), reading() as conn:
        return int(conn.exec_driver_sql("SELECT count(*) FROM delivery").scalar_one())


def test_a_sheet_outlives_its_server_and_is_saved_once(leader: Person, pair: Pair) -> None:
    page, address = leader.page, f"{pair.field.url}/trips/{pair.trip}/paper-day"
    page.wait_for_url(f"{pair.field.url}/")
    page.goto(address)
    page.fill("#witness_name", "廖满仓")
    page.check("#excused-1")
    rows = page.locator("[data-row]")
    for number in range(TICKED):
        rows.nth(number).locator("input[name^='take.']").check()
    rows.nth(1).locator("summary").click()
    rows.nth(1).locator("[name^='quantity.']").first.fill("0")
    rows.nth(0).locator("summary").click()
    typed_and_kept(page, "儿子在旁边")

    pair.field.stop()  # kill -9
    pair.field.start()
    leader.sign_in(pair.field)
    page.wait_for_url(f"{pair.field.url}/")
    page.goto(address)
    expect(page.get_by_role("main")).to_contain_text("接着上次填的")
    expect(page.locator("#witness_name")).to_have_value("廖满仓")
    expect(page.locator("#excused-1")).to_be_checked()
    expect(page.locator("input[name^='take.']:checked")).to_have_count(TICKED)
    expect(rows.nth(1).locator("[name^='quantity.']").first).to_have_value("0")
    expect(page.locator("[name^='note.']").first).to_have_value("儿子在旁边")
    assert deliveries(pair) == 0

    page.dblclick("[data-button]")
    expect(page.get_by_role("main")).to_contain_text(f"已保存 {TICKED} 户")
    assert deliveries(pair) == TICKED
    page.go_back()
    expect(rows).to_have_count(LISTED - TICKED)
    expect(page.get_by_role("main")).not_to_contain_text("接着上次填的")
    page.click("[data-button]")
    expect(page.get_by_role("alert")).to_contain_text("还没有勾选")
    assert deliveries(pair) == TICKED
