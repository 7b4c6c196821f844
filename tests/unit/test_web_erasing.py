"""The pages by which an administrator erases somebody's data, and every other page afterwards."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from aidvisit.domain.facts.erased import BLANK
from aidvisit.services import erasing
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import erasure
from sync import clock, log
from tests.support.holding import sync
from tests.support.pages import Pages, words
from tests.support.store import TOWN, delivered, uid, visited

WHOLE = {"who": "household", "reason": "本人要求"}


@pytest.fixture
def mo(office: Pages) -> Pages:
    assert office.sign_in("admin").status_code == 303
    return office


@pytest.fixture
def luo(laptop: Pages) -> Pages:
    assert laptop.sign_in("luo").status_code == 303
    return laptop


def a_year(pages: Pages, home: str) -> None:
    """A household with all that pages may show: edits, a conflict, deliveries, a void, a visit."""
    with pages.app.app_context(), transaction() as conn:
        trip = conn.exec_driver_sql("SELECT id FROM trip").scalar_one()
        child = {"id": uid(800), "name": "小石头", "born": "2015-01-01", "guardian": {"name": "外婆"}}
        ledger.record(
            conn, log.own(conn),
            Fact(TOWN, "household.updated", home, {"set": {"head.phone": "13800000001"}, "base": {}}),
            Fact(TOWN, "household.updated", home, {"set": {"head.phone": "13800000002"}, "base": {},
                                                   "add": {"members": [child]}, "reason": "电话换了"}),
            delivered(uid(801), home, {"rice": 1}, trip=trip, **{"for": uid(800)}, witness={"name": "村支书"}),
            delivered(uid(802), home, {"oil": 1}, trip=trip, overrides=[{"rule": "date", "reason": "补录"}]),
            Fact(TOWN, "delivery.voided", uid(802), {"reason": "记错"}),
            visited(uid(803), home, "met", trip=trip, **{"with": {"name": "外婆"}, "needs": ["轮椅"]}),
        )  # fmt: skip


def every_page(pages: Pages, home: str) -> dict[str, str]:
    """What each page says that an address alone opens, of this household and the trip."""
    with pages.app.app_context(), reading() as conn:
        trip = str(conn.exec_driver_sql("SELECT id FROM trip").scalar_one())
    parts = {"household": home, "trip": trip, "page": "roll"}
    found = {}
    for rule in pages.app.url_map.iter_rules():
        known = rule.arguments <= parts.keys() and "GET" in (rule.methods or ())
        if known and not rule.rule.startswith(("/api", "/sync", "/static")):
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: parts[part[1]], rule.rule)
            answer = pages.get(path)
            assert answer.status_code < 500, path
            found[rule.endpoint] = words(answer) if answer.status_code == 200 else ""
    return found


def test_every_page_goes_on_without_the_name(mo: Pages) -> None:
    home = mo.households()[0]
    a_year(mo, home.id)
    before = every_page(mo, home.id)
    assert sum(home.name in said for said in before.values()) > 5
    assert mo.post(f"/households/{home.id}/erase", WHOLE | {"confirm": home.name}).status_code == 303
    after = every_page(mo, home.id)
    assert [name for name in before if before[name] and not after[name]] == ["erasing.one"], "there is nothing to do"
    assert [name for name, said in after.items() if home.name in said or "小石头" in said or "轮椅" in said] == []
    assert sum(BLANK in said for said in after.values()) > 5
    assert "个人信息已清除" in after["household.page"]
    page = mo.get(f"/households/{home.id}").text
    assert [
        action for action in ("edit", "reveal", "close", "erase", "visits") if f'/{home.id}/{action}"' in page
    ] == []
    assert "/void" not in page
    assert "replaces=" not in page
    found = mo.post("/search", {"q": home.name})
    assert f"/households/{home.id}" not in found.text
    statement = words(mo.post(f"/households/{home.id}/statement"))
    assert BLANK in statement
    with mo.app.app_context(), reading() as conn:
        assert ledger.verify(conn) == []


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"reason": "本人要求", "confirm": "@"}, "请选一项"),
        (WHOLE | {"reason": " ", "confirm": "@"}, "请写明原因"),
        (WHOLE | {"confirm": "别人"}, "请照样输入"),
        ({"who": "members", "reason": "本人要求", "confirm": "@"}, "请勾选哪位成员"),
    ],
)
def test_it_is_asked_twice(mo: Pages, form: dict[str, str], said: str) -> None:
    home = mo.households()[0]
    count = mo.ops()
    answer = mo.post(f"/households/{home.id}/erase", form | {"confirm": form["confirm"].replace("@", home.name)})
    assert answer.status_code == 422
    assert said in words(answer)
    assert mo.ops() == count


def test_one_member_alone(mo: Pages) -> None:
    home = mo.households()[0]
    a_year(mo, home.id)
    form = {"who": "members", "member": uid(800), "reason": "监护人要求", "confirm": home.name}
    assert mo.post(f"/households/{home.id}/erase", form).status_code == 303
    page = words(mo.get(f"/households/{home.id}"))
    assert home.name in page
    assert "小石头" not in page
    assert "1 位成员的个人信息已清除" in page
    assert mo.get(f"/households/{home.id}/erase").status_code == 200


def test_settings_propose_and_people_decide(mo: Pages) -> None:
    homes, lately = mo.households()[:3], (clock.wall() - timedelta(days=300)).date().isoformat()
    days = ["2015-06-30", "2015-07-01", lately]
    with mo.app.app_context(), transaction() as conn:
        ledger.record(
            conn, log.own(conn), delivered(uid(810), homes[1].id, {"rice": 1}, date=lately),
            *(Fact(TOWN, "household.closed", one.id, {"reason": "died", "date": day})
              for one, day in zip(homes, days, strict=True)),
        )  # fmt: skip
    assert "到期的户" not in words(mo.get("/erasing"))
    assert mo.post("/erasing/kept", {"years": "51"}).status_code == 422
    assert mo.post("/erasing/kept", {"years": "3"}).status_code == 303
    page = mo.get("/erasing")
    due = page.text.partition('id="due"')[2].partition("</section>")[0]
    assert [one.id in due for one in homes] == [True, False, False], "closed for long, and quiet since"
    assert "请先勾选" in words(mo.post("/erasing", {"reason": "到期"}))
    answer = mo.post("/erasing", {"household": homes[0].id, "reason": "到期"})
    assert answer.status_code == 303
    assert "已清除 1 户" in words(mo.get(answer.location))
    assert "没有到期的户" in words(mo.get("/erasing"))
    with mo.app.app_context(), reading() as conn:
        said = [entry.op.body["what"] for entry in log.iterate(conn, "office") if entry.op.kind == "access.recorded"]
        assert said[-1] == "retention"
        assert [one.reason for one in erasure.erasures(conn, [homes[0].id])] == ["到期"]


def test_the_statement_says_who_looked(mo: Pages) -> None:
    home = mo.households()[0]
    mo.post(f"/households/{home.id}/reveal")
    said = words(mo.post(f"/households/{home.id}/statement")).partition("谁看过")[2]
    assert "莫知远" in said
    assert "查看完整号码" in said
    assert "一户的清单" in said


def test_an_encrypted_laptop_follows_at_its_next_sync(mo: Pages, luo: Pages) -> None:
    home = mo.households()[0]
    before = luo.get(f"/households/{home.id}")
    assert home.name in words(before)
    assert mo.post(f"/households/{home.id}/erase", WHOLE | {"confirm": home.name}).status_code == 303
    sync(luo, mo)
    page = words(luo.get(f"/households/{home.id}"))
    assert BLANK in page
    assert home.name not in page
    for path in ("/", "/search", f"/households/{home.id}"):
        assert luo.get(path).status_code == 200
    with luo.app.app_context():
        with reading() as conn:
            assert not erasing.files_are_anew(conn)
            assert ledger.verify(conn) == []
        assert erasing.write_anew()
        with reading() as conn:
            assert erasing.files_are_anew(conn)
            assert ledger.verify(conn) == []


def test_nobody_else(office: Pages) -> None:
    assert office.sign_in("office").status_code == 303
    home = office.households()[0].id
    assert office.get(f"/households/{home}/erase").status_code == 403
    assert "/erase" not in office.get(f"/households/{home}").text
