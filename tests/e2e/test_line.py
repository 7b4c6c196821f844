"""The line goes and comes back; what was recorded meanwhile is never lost and never called sent."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.support.nodes import Pair


def _deliver(leader: Person) -> str:
    name = leader.open_next()
    leader.sign()
    leader.save()
    return name


def _office_sees(office: Person, pair: Pair, *names: str) -> None:
    office.go(pair.centre, f"/trips/{pair.trip}")
    for name in names:
        row = office.page.locator("tr", has=office.page.get_by_role("rowheader", name=name, exact=True))
        expect(row.locator(".stamp--done")).to_be_visible()


def test_a_cut_line_keeps_two_deliveries_waiting_and_a_mended_one_brings_them_to_the_office(
    pair: Pair, leader: Person, office: Person
) -> None:
    leader.sees_chip("sent")
    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="拔掉网线").click()
    leader.go(pair.field)
    names = [_deliver(leader), _deliver(leader)]
    leader.sees_chip("waiting", "2 条待上报")

    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="插回网线").click()
    leader.sees_chip("sent")
    _office_sees(office, pair, *names)


def test_a_centre_that_died_gets_everything_when_it_is_back(pair: Pair, leader: Person, office: Person) -> None:
    leader.sees_chip("sent")
    pair.centre.stop()
    leader.go(pair.field)
    name = _deliver(leader)
    leader.sees_chip("waiting", "1 条待上报")

    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="现在同步").click()
    expect(leader.page.locator("main .notice")).to_contain_text("中心")

    pair.centre.start()
    leader.page.get_by_role("button", name="现在同步").click()
    leader.sees_chip("sent")
    _office_sees(office, pair, name)
