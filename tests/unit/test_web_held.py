"""What the centre holds for review: told at both ends, decided by name, and by itself when the reason goes away."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import cast

import pytest
from sqlalchemy import Connection

from aidvisit import cli
from aidvisit.services import held as service
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import held as queries
from sync import log, quarantine
from sync.op import uuid7
from sync.problem import Problem
from sync.streams import Streams
from tests.support.holding import by_somebody_who_left, delivery, record, registered, sync, user
from tests.support.homes import TOWN, VILLAGE
from tests.support.pages import Pages, typed, words

ELSEWHERE = "441226101"


@pytest.fixture
def admin(office: Pages) -> Pages:
    office.sign_in("admin")
    return office


@pytest.fixture
def leader(laptop: Pages) -> Pages:
    laptop.sign_in()
    return laptop


def settle(pages: Pages, decision: str, *names: str, reason: str = "问过本人") -> int:
    form = {"held": list(names), "decision": decision, "reason": reason}
    return pages.post("/held", form).status_code


def sound(pages: Pages) -> bool:
    with pages.app.app_context(), reading() as conn:
        return ledger.verify(conn) == []


def test_a_held_record_is_told_at_both_ends_and_released_by_name(leader: Pages, admin: Pages) -> None:
    name, household = by_somebody_who_left(leader)
    sync(leader, admin)
    page = words(admin.get("/held"))
    assert "陈离队没有“发放”的权限" in page
    assert "大米 1" in page
    assert '<span class="tag">1</span>' in admin.get("/held").text
    assert "陈离队没有“发放”的权限" in words(leader.get("/sync"))
    shown = words(leader.get(f"/households/{household}"))
    assert "已收存,待核" in shown

    assert settle(admin, "release", name) == 303
    assert "没有待核的记录" in words(admin.get("/held"))
    assert "收下 发放" in words(admin.get("/held"))
    assert "莫知远:问过本人" in words(admin.get("/held"))
    assert "中心核后收下 · 莫知远:问过本人" in words(admin.get(f"/households/{household}"))
    assert "收下待核的记录" in words(admin.get("/audit"))

    sync(leader, admin)
    told = words(leader.get("/sync"))
    assert "莫知远:问过本人" in told, "also where the laptop does not hold the people of the office"
    assert "中心核后收下 · 莫知远:问过本人" in words(leader.get(f"/households/{household}"))
    assert "已收存,待核" not in words(leader.get(f"/households/{household}"))
    assert sound(admin)
    assert sound(leader)


def test_streams_are_locked_in_the_order_of_their_names(
    leader: Pages, admin: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a push that names both (one lock order), else PostgreSQL ends one of the two."""
    looked = {"what": "household.searched", "detail": "x"}
    names = [record(leader, user(leader, "chen"), "access.recorded", looked, stream="office")]
    names.append(by_somebody_who_left(leader)[0])
    sync(leader, admin)
    locked: list[str] = []

    class Watched(Streams):
        def __init__(self, conn: Connection, streams: Collection[str]) -> None:
            locked.extend(name for name in sorted(streams) if name not in locked)
            super().__init__(conn, streams)

    monkeypatch.setattr(quarantine, "Streams", Watched)
    assert settle(admin, "release", *names) == 303
    assert [name for name in locked if name in (TOWN, "office")] == [TOWN, "office"]


def test_a_dismissed_one_stays_at_the_laptop_marked(leader: Pages, admin: Pages) -> None:
    name, household = by_somebody_who_left(leader)
    sync(leader, admin)
    assert settle(admin, "dismiss", name, reason="不是我们队的人") == 303
    assert "不收 发放" in words(admin.get("/held"))
    sync(leader, admin)
    shown = words(leader.get(f"/households/{household}"))
    assert "中心未收 · 莫知远:不是我们队的人" in shown
    told = words(leader.get("/sync"))
    assert "不是我们队的人" in told
    assert "中心未收" in words(leader.get("/sync/chip"))
    assert leader.post("/sync/heard").status_code == 303
    assert "中心未收" not in words(leader.get("/sync/chip"))
    assert sound(admin)
    assert sound(leader)


def test_it_is_released_by_itself_when_the_household_arrives(leader: Pages, admin: Pages) -> None:
    household = uuid7()
    record(leader, user(leader, "luo"), "delivery.recorded", delivery(household))
    sync(leader, admin)
    assert "它所属的那一户还没有到中心" in words(admin.get("/held"))
    assert "还没有收到的一户" in words(admin.get("/held"))
    with admin.app.app_context(), transaction() as conn:
        ledger.record(conn, log.own(conn), Fact(TOWN, "household.registered", household, registered("新户", VILLAGE)))
    sync(leader, admin)
    page = words(admin.get("/held"))
    assert "没有待核的记录" in page
    assert "中心自己:缘由已消失" in page
    assert "中心核后收下 · 中心自己:缘由已消失" in words(admin.get(f"/households/{household}"))
    assert "中心自己" in words(admin.get("/audit"))


def test_what_was_released_is_not_held_again_when_it_is_sent_again(leader: Pages, admin: Pages) -> None:
    name, _ = by_somebody_who_left(leader)
    sync(leader, admin)
    assert settle(admin, "release", name) == 303
    with leader.app.app_context(), transaction() as conn:
        log.remember(conn, acked=0)
    sync(leader, admin)
    with admin.app.app_context(), reading() as conn:
        assert queries.count(conn) == 0
    with leader.app.app_context(), reading() as conn:
        assert log.state(conn).quarantined == 0


def test_several_at_once_and_each_only_once(leader: Pages, admin: Pages) -> None:
    names = [by_somebody_who_left(leader)[0] for _ in range(3)]
    sync(leader, admin)
    assert settle(admin, "release", *names[:2]) == 303
    before = admin.ops()
    assert settle(admin, "dismiss", *names[:2]) == 303, "a second click, or a colleague was quicker"
    assert admin.ops() == before
    with admin.app.app_context(), reading() as conn:
        assert [one.key for one in queries.waiting(conn)[0]] == names[2:]
        assert [one.released for one in queries.decisions(conn)] == [True, True]


def test_without_a_reason_or_a_tick_nothing_is_decided(leader: Pages, admin: Pages) -> None:
    name, _ = by_somebody_who_left(leader)
    sync(leader, admin)
    before = admin.ops()
    refused = admin.post("/held", {"held": name, "decision": "release", "reason": " "})
    assert (refused.status_code, "请写明原因" in words(refused)) == (422, True)
    assert typed(refused)["held"] == name, "what was ticked stays ticked"
    refused = admin.post("/held", {"decision": "release", "reason": "查过"})
    assert (refused.status_code, "请先勾选" in words(refused)) == (422, True)
    assert typed(refused)["reason"] == "查过"
    assert settle(admin, "perhaps", name) == 422
    assert settle(admin, "release", f"{uuid7()}/1") == 404
    assert admin.ops() == before


def test_what_cannot_be_read_cannot_be_accepted_but_dismissed(leader: Pages, admin: Pages) -> None:
    bad = delivery("nobody", deliveries=7, reason=["x"], rows="many", lines=[3, {"item": []}]) | {"household": {"a": 1}}
    names = [
        record(leader, user(leader, "luo"), "delivery.recorded", bad),
        record(leader, user(leader, "luo"), "delivery.voided", {"deliveries": 3, "reason": 4, "set": []}),
        record(leader, user(leader, "luo"), "future.recorded", {"a": 1}),
        record(leader, user(leader, "luo"), "team.updated", {"set": {"name": "我们"}}, stream="org"),
    ]
    sync(leader, admin)
    page = words(admin.get("/held"))
    assert page.count("不能由人收下,只能等或不收") == 4
    assert "程序还不认识这种记录:future.recorded" in page
    assert "“修改队伍”只有中心能做" in page
    assert admin.get("/audit").status_code == 200
    assert admin.get("/").status_code == 200
    assert leader.get("/sync").status_code == 200
    before = admin.ops()
    for name in names:
        assert settle(admin, "release", name) == 409
    assert admin.ops() == before
    assert settle(admin, "dismiss", *names) == 303
    sync(leader, admin)
    assert leader.get("/sync").status_code == 200
    assert sound(admin)


def test_a_place_that_is_somebody_elses_is_seen_and_not_decided(leader: Pages, admin: Pages) -> None:
    """The office of the laptop's team sees what its laptop recorded elsewhere; who answers for that place decides."""
    body = registered("外县户", f"{ELSEWHERE}201")
    name = record(leader, user(leader, "luo"), "household.registered", body, stream=ELSEWHERE)
    sync(leader, admin)
    assert "外县户" in words(admin.get("/held"))
    colleague = Pages(admin.app)
    colleague.sign_in("office")
    page = words(colleague.get("/held"))
    assert "这个地方不归您管" in page
    assert "外县户" not in page
    assert settle(colleague, "release", name) == 404
    assert "这台笔记本没有441226101的权限" in words(leader.get("/sync"))
    assert settle(admin, "release", name) == 303
    assert sound(admin)
    sync(leader, admin)
    assert "莫知远:问过本人" in words(leader.get("/sync")), "its team is told, for it does not read that stream"


def test_what_came_after_a_revocation_waits_for_a_person(leader: Pages, admin: Pages) -> None:
    """It came by bundle: nothing releases it by itself, and the laptop hears of it nowhere."""
    name, household = by_somebody_who_left(leader)
    sync(leader, admin)
    stated = json.dumps(Problem("device-revoked").to_dict())
    with admin.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("UPDATE op SET problem = ? WHERE problem IS NOT NULL", (stated,))
        log.remember(conn, settled=None)
    sync(leader, admin)
    page = words(admin.get("/held"))
    assert "登记它的笔记本已经停用" in page
    assert "请核对是谁、什么时候登记的" in page
    assert settle(admin, "release", name) == 303
    assert "中心核后收下" in words(admin.get(f"/households/{household}"))
    assert sound(admin)


@pytest.mark.parametrize(
    ("kind", "body"),
    [("delivery.recorded", {}), ("visit.recorded", {"outcome": "met", "purposes": ["distribution"], "by": []})],
)
def test_accepting_what_is_about_an_unknown_household_breaks_no_page(
    leader: Pages, admin: Pages, kind: str, body: dict[str, object]
) -> None:
    asked = (
        delivery(uuid7(), **body)
        if kind == "delivery.recorded"
        else body | {"household": uuid7(), "date": "2020-12-30"}
    )
    with leader.app.app_context(), reading() as conn:
        asked["trip"] = conn.exec_driver_sql("SELECT id FROM trip").scalar_one()
    name = record(leader, user(leader, "luo"), kind, asked)
    sync(leader, admin)
    assert settle(admin, "release", name) == 303
    sync(leader, admin)
    assert sound(admin)
    assert sound(leader)
    for path in ("/", "/trips", f"/trips/{asked['trip']}", "/held", "/audit"):
        assert admin.get(path).status_code == 200, path
    assert leader.get("/").status_code == 200


def test_a_second_registration_of_a_household_can_be_accepted(leader: Pages, admin: Pages) -> None:
    household = leader.households()[0].id
    record(leader, user(leader, "luo"), "household.registered", registered("另一个", VILLAGE), household)
    sync(leader, admin)
    with admin.app.app_context(), reading() as conn:
        ((one,), _) = queries.waiting(conn)
    assert one.reason == "subject-exists"
    assert settle(admin, "release", one.key) == 303
    sync(leader, admin)
    assert sound(admin)
    assert sound(leader)


def test_a_role_without_the_right_decides_nothing_by_any_way(leader: Pages, admin: Pages) -> None:
    name, _ = by_somebody_who_left(leader)
    device, _, seq = name.partition("/")
    sync(leader, admin)
    with admin.app.app_context(), pytest.raises(Problem) as caught:
        service.release(actor=user(admin, "luo"), held=[(device, int(seq))], reason="x")
    assert caught.value.name == "not-permitted"
    with leader.app.app_context(), pytest.raises(Problem) as caught:
        service.dismiss(actor=user(leader, "luo"), held=[(device, int(seq))], reason="x")
    assert caught.value.name == "not-allowed"


def test_many_are_shown_page_by_page(leader: Pages, admin: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [by_somebody_who_left(leader)[0] for _ in range(3)]
    sync(leader, admin)
    with admin.app.app_context(), reading() as conn:
        first, more = queries.waiting(conn, most=2)
        assert ([one.key for one in first], more) == (names[:2], True)
        rest, more = queries.waiting(conn, after=(first[-1].device, first[-1].seq), most=2)
        assert ([one.key for one in rest], more) == (names[2:], False)
    assert admin.get("/held?after=nonsense").status_code == 200


def test_on_the_command_line(leader: Pages, admin: Pages, capsys: pytest.CaptureFixture[str]) -> None:
    names = [by_somebody_who_left(leader)[0] for _ in range(2)]
    sync(leader, admin)
    home = str(admin.app.config["SETTINGS"].home)

    def run(*words: str) -> tuple[int, dict[str, object]]:
        code = cli.main(["--json", "--home", home, "central", "held", *words])
        said = capsys.readouterr()
        return code, json.loads(said.out or said.err)

    code, listed = run("list")
    held = cast("list[dict[str, object]]", listed["held"])
    assert (code, [one["record"] for one in held]) == (0, names)
    assert (held[0]["reason"], held[0]["person"], held[0]["acceptable"]) == ("not-allowed", "陈离队", True)
    assert run("release", names[0], "--reason", "查过") == (0, {"released": 1})
    assert run("release", names[0], "--reason", "查过") == (0, {"released": 0})
    assert run("dismiss", names[1], "--reason", "重复") == (0, {"dismissed": 1})
    assert run("list") == (0, {"held": []})
    code, refused = run("dismiss", f"{uuid7()}/1", "--reason", "重复")
    assert (code, refused["type"]) == (1, "urn:aidvisit:problem:unknown-record")
    assert run("dismiss", names[1], "--reason", " ")[1]["type"] == "urn:aidvisit:problem:invalid-body"
    assert "办公室(命令行):查过" in words(admin.get("/held"))
    with pytest.raises(SystemExit):
        run("dismiss", "nonsense", "--reason", "x")
