"""Two laptops and one household: told before the push, paused to mend; a town that is taken away while edits wait."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from aidvisit.services.delivery import record_delivery
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries.trip import today
from sync import log
from sync.op import uuid7
from tests.e2e.person import Person
from tests.e2e.test_pages import violations
from tests.support.nodes import DAY, TOWN, Node, Pair

THEIRS, OURS = "13800000001", "13900000002"


@pytest.fixture(scope="module")
def other(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The laptop of a second team in the same town; it runs as commands alone."""
    team = pair.centre.command("central", "team", "add", "--name", "慰问二队", "--divisions", TOWN)["team"]
    code = pair.centre.command("central", "enrol-code", "--team", str(team))["code"]
    made = Node(tmp_path_factory.mktemp("other") / "field", "field", no_encryption="1")
    made.command(
        "field", "init", "--server", pair.centre.url, "--code", code, "--name", "9 号笔记本", "--no-encryption"
    )
    yield made
    made.stop()


def edit(node: Node, household: str, phone: str) -> None:
    """Whoever changed this had seen what was registered, and nothing later."""
    with node.inside() as device, transaction() as conn:
        (first, *_) = log.entries_of(conn, household)
        body = {"set": {"head.phone": phone}, "base": {"head.phone": [first.name]}}
        ledger.record(conn, device, Fact(TOWN, "household.updated", household, body))


def give(node: Node, household: str) -> None:
    with node.inside() as device:
        record_delivery(
            actor=device, delivery=uuid7(), household=household, trip=None, date=DAY, lines={"rice": 1},
            received_by={"as": "head", "name": "某某"}, proofs=[{"as": "paper"}],
            reasons={"date": "补录", "over-stock": "补录"},
        )  # fmt: skip


def households(pair: Pair) -> list[tuple[str, str]]:
    with pair.centre.inside(), reading() as conn:
        return [(one.id, one.name) for one in today(conn, pair.trip).households]


def test_a_duplicate_and_a_conflict_are_told_before_the_push_and_a_pause_holds_it(
    pair: Pair, other: Node, leader: Person, office: Person
) -> None:
    leader.sees_chip("sent")
    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="拔掉网线").click()
    leader.go(pair.field)
    name = leader.open_next()
    leader.sign()
    leader.save()
    by_name = {known: identity for identity, known in households(pair)}
    edited = next(one for one in by_name if one != name)
    edit(pair.field, by_name[edited], OURS)
    give(other, by_name[name])
    edit(other, by_name[edited], THEIRS)
    other.command("sync")

    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="先停一停").click()
    leader.page.get_by_role("button", name="插回网线").click()
    found = leader.page.locator("section", has=leader.page.locator("#look"))
    expect(leader.page.locator("#chip")).to_contain_text("先停一停,不上报 · 2 条待上报")
    leader.page.get_by_role("button", name="现在同步").click()
    expect(found).to_contain_text(f"{name}:疑似重复")
    expect(found).to_contain_text(f"{edited}:修改冲突,别处也改了 户主电话")
    assert held_of(pair) == 0, "nothing of it was pushed"
    for width in (1280, 360):
        leader.page.set_viewport_size({"width": width, "height": 800})
        assert violations(leader) == []
        assert leader.page.evaluate("document.documentElement.scrollWidth") <= width
    leader.go(pair.field)
    expect(leader.page.locator("main .notice").first).to_contain_text("请趁记得看一看(2 处)")
    leader.page.get_by_role("link", name=f"看这一户 {name}").click()
    expect(leader.page.locator("h1")).to_have_text(name)

    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="继续上报").click()
    leader.sees_chip("sent")
    assert held_of(pair) == 2
    leader.go(pair.field)
    expect(leader.page.locator("main .notice").first).to_contain_text("请趁记得看一看(2 处)")


def held_of(pair: Pair) -> int:
    """How many deliveries and edits of the leader's laptop the centre holds."""
    with pair.field.inside() as device:
        pass
    with pair.centre.inside(), reading() as conn:
        query = "SELECT count(*) FROM op WHERE device = ? AND kind IN ('delivery.recorded', 'household.updated')"
        return int(conn.exec_driver_sql(query, (device,)).scalar_one())


def test_a_town_taken_away_while_edits_wait_is_told_and_given_back(pair: Pair, leader: Person) -> None:
    leader.sees_chip("sent")
    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="先停一停").click()
    (identity, name) = households(pair)[-1]
    waits = leader.page.locator("[data-live] .who")
    expect(waits).to_contain_text("0")
    edit(pair.field, identity, OURS)
    expect(waits).to_contain_text("1")  # without a reload
    grant(pair, "441225101")
    leader.page.get_by_role("button", name="现在同步").click()
    told = leader.page.locator(".notice", has_text="大玉口镇 已不归这台笔记本")
    expect(told).to_contain_text("其中 1 条还没有上报")
    leader.go(pair.field, "/search")
    leader.page.fill("[name=q]", name)
    leader.page.get_by_role("button", name="查找").click()
    expect(leader.page.locator("#found")).to_contain_text("没有找到")

    grant(pair, TOWN)
    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="继续上报").click()
    leader.sees_chip("sent")
    leader.go(pair.field, f"/households/{identity}")
    expect(leader.page.locator("h1")).to_have_text(name)
    expect(leader.page.locator(".name")).to_contain_text("所知截至")


def grant(pair: Pair, town: str) -> None:
    """The leader's team works there alone, and its laptop carries the trip only where it goes there."""
    with pair.field.inside() as device:
        pass
    with pair.centre.inside() as centre, transaction() as conn:
        team = conn.exec_driver_sql("SELECT team FROM field_device WHERE id = ?", (device,)).scalar_one()
        base = [entry.name for entry in log.entries_of(conn, team)][-1:]
        body = {"set": {"divisions": [town]}, "base": {"divisions": base}}
        carried = {"devices": [{"device": device}] if town == TOWN else []}
        ledger.record(
            conn, centre, Fact("org", "team.updated", team, body),
            Fact(f"trip-{pair.trip}", "trip.released", pair.trip, carried),
        )  # fmt: skip
