"""The slip that a team carries home says what the office's page says."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.support.nodes import Pair


def test_the_code_on_the_slip_is_the_centres(pair: Pair, leader: Person, office: Person) -> None:
    """Printed on one page of A4 and of A5; the office types it and reads the same sums."""
    leader.go(pair.field)
    leader.open_next()
    leader.sign()
    leader.save()
    leader.sees_chip("sent")
    leader.go(pair.field, "/sync")
    leader.page.get_by_role("link", name="打印回执单").click()
    slip = leader.page.locator(".slip")
    code = slip.locator(".slip__code b").inner_text()
    rows = [row.split() for row in slip.locator("tbody tr").all_inner_texts()]
    for paper in ("A4", "A5"):
        assert leader.page.pdf(format=paper).count(b"/Type /Page\n") == 1

    office.go(pair.centre, "/devices")
    office.page.get_by_role("link", name="3 号笔记本").click()
    office.page.get_by_label("核对码").fill(code.lower())
    office.page.get_by_role("button", name="核对", exact=True).click()
    answer = office.page.locator(".notice")
    expect(answer).to_contain_text("对上了")
    expect(answer).to_contain_text(code)
    for name, *_ in rows:
        expect(answer).to_contain_text(name)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", code)

    office.page.get_by_label("核对码").fill("0000-0000")
    office.page.get_by_role("button", name="核对", exact=True).click()
    expect(answer).to_contain_text("没有这台笔记本的这样一张回执单")
