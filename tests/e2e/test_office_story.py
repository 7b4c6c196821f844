"""The office after a trip: three laptops, two teams, and everything odd is settled before the trip is closed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import text

from aidvisit.services import delivery, stock
from aidvisit.services.trip import released_fact
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import HOUSE, Fact
from aidvisit.store.queries.account import device_rows, user_by_login
from aidvisit.store.queries.progress import stops
from sync import clock, log
from sync.log import Draft
from sync.op import uuid7
from tests.e2e.person import Person
from tests.support.centre import PASSWORD
from tests.support.nodes import DAY, LEADER, LOADED, TOWN, Node, Pair
from tests.support.pages import change_user

SECOND = "li"
PHONES = ("13900001111", "13900002222")


def join(pair: Pair, home: Path, team: str, name: str) -> Node:
    """A laptop more, enrolled and with all that it may have."""
    code = pair.centre.command("central", "enrol-code", "--team", team)["code"]
    node = Node(home, "field")
    node.command("field", "init", "--server", pair.centre.url, "--code", code, "--name", name)
    node.command("sync")
    return node


def second_team(pair: Pair) -> str:
    team = str(pair.centre.command("central", "team", "add", "--name", "慰问二队", "--divisions", TOWN)["team"])
    person = ("--login", SECOND, "--name", "黎安和", "--role", "leader", "--team", team, "--password-stdin")
    pair.centre.command("central", "user", "add", *person, stdin=PASSWORD + "\n")
    return team


def user(login: str) -> str:
    with reading() as conn:
        found = user_by_login(conn, login)
    assert found is not None
    return found.id


def gives(node: Node, login: str, trip: str | None, *households: str) -> None:
    """A bag of rice to each, as the form would record it."""
    with node.inside():
        for household in households:
            delivery.record_delivery(
                actor=user(login), delivery=uuid7(), household=household, trip=trip, date=DAY, lines={"rice": 1},
                received_by={"as": "head", "name": "本人"}, proofs=[{"as": "paper", "page": 1}],
                reasons=dict.fromkeys(("repeat-interval", "over-stock"), "当时不知道"),
            )  # fmt: skip


def says_phone(node: Node, login: str, household: str, phone: str) -> None:
    with node.inside(), transaction() as conn:
        fact = Fact(TOWN, "household.updated", household, {"set": {"head.phone": phone}, "base": {"head.phone": []}})
        ledger.record(conn, user(login), fact)


def for_nobody_known(node: Node, login: str) -> None:
    """A delivery to a household that only the laptop which does not report has."""
    body = {
        "household": uuid7(), "date": DAY, "lines": [{"item": "oil", "quantity": 1}], "proofs": [{"as": "paper"}],
        "received_by": {"as": "head", "name": "本人"}, "salt": ledger.new_salt(),
    }  # fmt: skip
    with node.inside(), transaction() as conn:
        log.author(conn, HOUSE, [Draft(TOWN, user(login), "delivery.recorded", 1, uuid7(), body)], clock.wall())


def released(pair: Pair) -> list[str]:
    """The trip goes to the first team's two laptops, whose leader has a telephone; ids of its first households."""
    with pair.centre.inside() as own:
        with transaction() as conn:
            team = user_by_login(conn, LEADER)
            assert team is not None
            carriers = {one.id: [] for one in device_rows(conn) if one.team == team.team}
            ledger.record(conn, own, released_fact(pair.trip, carriers))
            listed = [stop.household for stop in stops(conn, pair.trip) if stop.allotted.get("rice")]
        change_user(own, team.team, team.id, phone=PHONES[0])
    return listed


def after_the_trip(pair: Pair, silent: str) -> None:
    """The truck came back a bag short, it was counted, and one laptop was last heard of the day before."""
    with pair.centre.inside() as own:
        back = {**LOADED, "rice": LOADED["rice"] - 3}
        stock.return_(actor=own, trip=pair.trip, date=DAY, lines=back, slip="TK-1")
        stock.count(actor=own, trip=pair.trip, date=DAY, counted=dict.fromkeys(LOADED, 0))
        with transaction() as conn:
            conn.execute(text("UPDATE sync_device SET seen_at = '2020-12-29T01:00:00+00:00' WHERE name = :name"),
                         {"name": silent})  # fmt: skip


def item(office: Person, words: str) -> Locator:
    return office.page.get_by_role("article").filter(has=office.page.get_by_role("heading", name=words))


def settle(office: Person, words: str, verdict: str, reason: str) -> None:
    one = item(office, words)
    if verdict:
        one.get_by_role("radio", name=verdict).check()
    one.get_by_label("理由").fill(reason)
    one.get_by_role("button", name="结清此件").click()
    expect(office.page.get_by_role("main")).to_contain_text("结清了 1 件")
    expect(item(office, words)).to_have_count(0)


@pytest.mark.timeout(300)
def test_the_office_settles_everything_and_closes_the_trip(pair: Pair, office: Person, tmp_path: Path) -> None:
    first = pair.field
    team = second_team(pair)
    with first.inside(), reading() as conn:
        leader = user_by_login(conn, LEADER)
    assert leader is not None
    fifth, seventh = (
        join(pair, tmp_path / "five", team, "5 号笔记本"),
        join(pair, tmp_path / "7", leader.team, "7 号笔记本"),
    )
    homes = released(pair)
    for node in (first, fifth, seventh):
        node.command("sync")

    gives(first, LEADER, pair.trip, *homes[:2])
    says_phone(first, LEADER, homes[1], "13812345678")
    gives(fifth, SECOND, None, homes[0])
    says_phone(fifth, SECOND, homes[1], "13812345687")
    for_nobody_known(fifth, SECOND)
    gives(seventh, LEADER, pair.trip, homes[2])
    for node in (first, fifth):
        node.command("sync")
    after_the_trip(pair, "7 号笔记本")

    office.go(pair.centre, "/devices")
    waited = office.page.locator("section", has=office.page.get_by_role("heading", name="任务结束后还没上报的"))
    expect(waited).to_contain_text("7 号笔记本")
    expect(waited).to_contain_text("结束后没有联系过")
    expect(waited.get_by_role("link", name=PHONES[0])).to_be_visible()
    expect(waited).not_to_contain_text("5 号笔记本")

    office.go(pair.centre, "/inbox")
    expect(office.page.get_by_role("article")).to_have_count(4)
    settle(office, "疑似重复发放", "两次都对", "二队补发上次受潮的米,村委证实")
    settle(office, "修改冲突", "第 1 个对", "电话问过本人")
    settle(office, "待核记录", "不收", "二队说是点错了户,会重新登记")
    stuck = item(office, "物资对不上")
    expect(stuck).to_contain_text("装车的大米有 1 袋既没有发出也没有退回")
    stuck.get_by_role("link", name="去对账").click()
    expect(office.page.get_by_role("button", name="关闭任务")).to_have_count(0)
    office.page.get_by_label("大米为什么差 1").fill("7 号笔记本那一户领了,还没有上报")
    office.page.get_by_role("button", name="保存原因").click()
    office.page.get_by_role("button", name="关闭任务").click()
    expect(office.page.get_by_role("button", name="重新打开")).to_be_visible()

    office.go(pair.centre, "/inbox")
    expect(office.page.get_by_role("main")).to_contain_text("没有待办")
    office.go(pair.centre, "/inbox?settled=yes")
    expect(office.page.get_by_role("article")).to_have_count(4)
    expect(item(office, "疑似重复发放")).to_contain_text("admin:二队补发上次受潮的米,村委证实")

    seventh.command("sync")
    office.go(pair.centre, f"/trips/{pair.trip}")
    late = office.page.locator("section", has=office.page.get_by_role("heading", name="关闭之后才到的记录"))
    expect(late).to_contain_text("7 号笔记本")
    for node in (pair.centre, first, fifth, seventh):
        node.command("verify")
