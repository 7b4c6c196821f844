"""The office's inbox: what deliveries raise, what leaves it by itself, and what a person says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import Connection

from aidvisit.domain.inbox import Stand, at_once, too_fast
from aidvisit.store import inbox, ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.inbox import Item
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import inbox as queries
from sync import log
from sync.op import Op
from tests.support.holding import by_somebody_who_left, delivery, record, sync, user
from tests.support.pages import Pages, words
from tests.support.store import NOW, TOWN, TRIP, TRUCK, allotted, arrive, delivered, op, registered, say, uid
from tests.support.village import LAN, MO, QIN, TAO, village
from tests.unit.test_conflicts import disagreeing

SHA = "ab" * 32
SIGNED = {"as": "signature", "sha256": SHA, "bytes": 90, "media_type": "image/svg+xml"}
LATER = NOW + timedelta(days=1)


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with village(database_url) as held:
        inbox.metadata.create_all(held)
        yield held


def look(conn: Connection, day: str = "2020-12-30") -> list[Item]:
    """What waits once all that arrived was looked at."""
    queries.apply(conn, queries.changes(conn, LATER, day), LATER)
    return inbox.listed(conn)[0]


def kinds(conn: Connection, day: str = "2020-12-30") -> list[str]:
    return sorted(one.kind for one in look(conn, day))


def void(conn: Connection, delivery: str) -> None:
    say(conn, Fact(TOWN, "delivery.voided", delivery, {"reason": "记错户"}))


def test_a_duplicate_waits_until_one_of_the_two_is_void(conn: Connection) -> None:
    say(conn, delivered(uid(101), QIN, {"rice": 1}), delivered(uid(102), QIN, {"rice": 1}, date="2020-12-31"))
    (item,) = look(conn)
    assert (item.kind, item.deliveries, item.about["days"]) == ("duplicate", [uid(101), uid(102)], 1)
    assert kinds(conn) == ["duplicate"], "once more changes nothing"
    void(conn, uid(102))
    assert look(conn) == []
    (gone,), _more = inbox.listed(conn, settled=True)
    assert (gone.verdict, gone.settled_by) == ("gone", None)


def test_a_merge_shows_a_duplicate_that_nobody_saw_before(conn: Connection) -> None:
    say(conn, delivered(uid(101), QIN, {"rice": 1}), delivered(uid(102), LAN, {"rice": 1}))
    assert look(conn) == []
    say(conn, Fact(TOWN, "household.merged", LAN, {"into": QIN, "reason": "同一户"}))
    assert kinds(conn) == ["duplicate"]
    say(conn, Fact(TOWN, "household.unmerged", LAN, {"reason": "并错了"}))
    assert look(conn) == []


def test_what_no_list_names_is_asked_about_until_the_list_does(conn: Connection) -> None:
    say(conn, delivered(uid(101), MO, {"oil": 1}), delivered(uid(102), TAO, {"rice": 1}))
    (item,) = look(conn)
    assert (item.kind, item.deliveries, item.about["items"]) == ("outside", [uid(101)], ["oil"])
    say(conn, allotted((MO, "oil", 1)))
    assert look(conn) == []


def test_one_signature_under_two_names_is_asked_about_and_a_sheet_is_not(conn: Connection) -> None:
    sheet = {**SIGNED, "as": "paper", "sha256": "cd" * 32, "media_type": "image/jpeg", "page": 1}
    say(conn, *(delivered(uid(101 + n), home, {"rice": 1}, proofs=[sheet]) for n, home in enumerate((QIN, MO))))
    assert look(conn) == []
    say(conn, delivered(uid(103), LAN, {"rice": 1}, proofs=[SIGNED]))
    assert look(conn) == []
    say(conn, delivered(uid(104), TAO, {"rice": 1}, proofs=[SIGNED]))
    (item,) = look(conn)
    assert (item.kind, item.deliveries) == ("signature", [uid(103), uid(104)])


def test_a_photo_used_twice_is_asked_about_also_of_one_household(conn: Connection) -> None:
    photo = {**SIGNED, "as": "photo", "media_type": "image/jpeg"}
    say(conn, *(delivered(uid(101 + n), QIN, {code: 1}, proofs=[photo]) for n, code in enumerate(("rice", "oil"))))
    assert kinds(conn) == ["photo"]


def test_one_proxy_for_three_households_is_asked_about_and_again_when_there_are_more(conn: Connection) -> None:
    by = {"as": "proxy", "name": "廖满仓", "relation": "邻居", "id_last4": "1234"}
    homes = (QIN, MO, LAN, TAO)
    given = [delivered(uid(101 + n), home, {"rice": 1}, received_by=by) for n, home in enumerate(homes)]
    say(conn, *given[:2])
    assert look(conn) == []
    say(conn, given[2])
    (item,) = look(conn)
    assert (item.kind, len(item.deliveries)) == ("proxy", 3)
    inbox.settle(conn, [item.id], now=LATER.isoformat(), verdict="answered", by=uid(1), reason="他是组长")
    assert look(conn) == []
    say(conn, given[3])
    (again,) = look(conn)
    assert (again.id, len(again.deliveries), again.reason) == (item.id, 4, None)


def from_laptop(seq: int, household: str, second: int, **more: object) -> Op:
    body = delivered(uid(100 + seq), household, {"rice": 1}, **more).body | {"salt": "AAECAwQFBgc"}
    return op(seq, TOWN, "delivery.recorded", uid(100 + seq), body, minute=second / 60)


def test_faster_than_a_car_and_a_village_in_four_minutes_are_asked_about(conn: Connection) -> None:
    here = {"lat": 235432100, "lon": 1117765400, "accuracy_m": 20}
    there = {**here, "lat": 236432100}
    for seq, (home, at) in enumerate(((QIN, here), (MO, here), (LAN, there)), 1):
        arrive(conn, from_laptop(seq, home, seq * 60, at=at))
    conn.exec_driver_sql("UPDATE stream SET head = (SELECT max(n) FROM op WHERE op.stream = stream.name)")
    (item,) = look(conn)
    assert (item.kind, item.deliveries) == ("speed", [uid(102), uid(103)])

    homes = [uid(500 + n) for n in range(10)]
    say(conn, *(registered(home, f"户{n}") for n, home in enumerate(homes)))
    say(conn, allotted(*((home, "rice", 1) for home in homes)))
    for n, home in enumerate(homes):
        arrive(conn, from_laptop(10 + n, home, 3600 + n * 20))
    conn.exec_driver_sql("UPDATE stream SET head = (SELECT max(n) FROM op WHERE op.stream = stream.name)")
    assert kinds(conn) == ["speed", "village"]


def test_a_trip_that_is_over_waits_while_its_truck_is_not_accounted_for(conn: Connection) -> None:
    goods = {"date": "2020-12-30", "lines": [{"item": "rice", "quantity": 2}]}
    say(conn, Fact(f"trip-{TRIP}", "stock.moved", uid(301), {"from": "warehouse:main", "to": TRUCK, **goods}))
    assert look(conn, "2020-12-30") == [], "it is still under way"
    (item,) = look(conn, "2020-12-31")
    assert (item.kind, item.trip, item.since) == ("stock", TRIP, "2020-12-30T16:00:00+00:00")
    say(conn, Fact(f"trip-{TRIP}", "stock.moved", uid(302), {"from": TRUCK, "to": "warehouse:main", **goods}))
    assert look(conn, "2020-12-31") == []


def test_positions_and_times_speak_only_where_they_are_clear() -> None:
    start = datetime(2020, 12, 30, tzinfo=UTC)
    here = Stand(start, 235432100, 1117765400, 20)
    far = Stand(start + timedelta(minutes=1), 236432100, 1117765400, 20)
    assert too_fast(here, far)
    assert not too_fast(here, Stand(start + timedelta(minutes=10), 236432100, 1117765400, 20))
    assert not too_fast(here, Stand(far.at, far.lat, far.lon, 12_000)), "nobody knows where that was"
    assert not too_fast(here, Stand(start, 235440000, 1117765400)), "next door at the same moment"
    every = [start + timedelta(seconds=30 * n) for n in range(12)]
    assert at_once(every) is None, "nine in four minutes are a quick team"
    assert at_once([start + timedelta(seconds=20 * n) for n in range(12)]) == (0, 12)


@pytest.fixture
def admin(office: Pages) -> Pages:
    office.sign_in("admin")
    return office


def items(pages: Pages) -> list[Item]:
    with pages.app.app_context(), reading() as held:
        return inbox.listed(held)[0]


def waiting(pages: Pages) -> list[str]:
    """Ids of the duplicates that wait."""
    return [one.id for one in items(pages) if one.kind == "duplicate"]


def twice(admin: Pages) -> None:
    """Each of two households gets rice twice within a day, outside any list."""
    homes = [home.id for home in admin.households()[:2]]
    with admin.app.app_context(), transaction() as held:
        for number, home in enumerate([*homes, *homes]):
            body = {name: value for name, value in delivery(home).items() if name != "salt"}
            ledger.record(held, log.own(held), Fact(TOWN, "delivery.recorded", uid(700 + number), body))


def test_a_held_record_is_settled_from_the_inbox_with_a_reason_and_a_name(laptop: Pages, admin: Pages) -> None:
    laptop.sign_in()
    by_somebody_who_left(laptop)
    sync(laptop, admin)
    page = admin.get("/inbox")
    assert "陈离队没有“发放”的权限" in words(page)
    (item,) = [one for one in items(admin) if one.kind == "held"]
    assert admin.post("/inbox", {"item": item.id, "verdict": "release"}).status_code == 422
    assert admin.post("/inbox", {"item": item.id, "verdict": "release", "reason": "问过本人"}).status_code == 303
    assert [one for one in items(admin) if one.kind == "held"] == []
    assert "收下" in words(admin.get("/inbox?settled=yes"))
    assert "莫知远:问过本人" in words(admin.get("/inbox?settled=yes"))


def test_duplicates_are_settled_one_by_one_or_many_with_a_count(admin: Pages) -> None:
    twice(admin)
    page = words(admin.get("/inbox?kind=duplicate"))
    assert "疑似重复发放 2" in page
    both = waiting(admin)
    shown = words(admin.post("/inbox/many", {"item": both, "kind": "duplicate"}))
    assert "记 2 条" in shown
    assert waiting(admin) == both, "nothing is recorded before somebody is sure"
    form = {"item": both[:1], "verdict": "void-second", "reason": "记错户", "kind": "duplicate"}
    assert admin.post("/inbox/many", {**form, "item": both, "sure": "yes"}).status_code == 422
    assert admin.post("/inbox", form).status_code == 303
    sure = {"item": both, "verdict": "both-right", "reason": "补发", "sure": "yes"}
    assert admin.post("/inbox/many", sure).status_code == 303
    assert waiting(admin) == []
    told = words(admin.get("/inbox?settled=yes"))
    assert "作废后发的一次" in told
    assert "莫知远:补发" in told


def test_an_item_is_handed_to_a_person_and_found_as_theirs(admin: Pages) -> None:
    twice(admin)
    admin.get("/inbox")
    item = items(admin)[0]
    assert admin.post("/inbox/assign", {"item": item.id, "user": user(admin, "admin")}).status_code == 303
    assert "莫知远 在办" in words(admin.get("/inbox?whose=mine"))
    assert "莫知远 在办" not in words(admin.get("/inbox?whose=nobody"))


def test_a_trip_that_is_to_be_closed_leads_to_what_waits_about_it(laptop: Pages, admin: Pages) -> None:
    laptop.sign_in()
    (trip,) = re.findall(r'href="/trips/([0-9a-f-]{36})"', admin.get("/trips").text)
    home = disagreeing(admin, address=("新屋", "镇上"))
    record(laptop, user(laptop, "chen"), "delivery.recorded", delivery(laptop.households()[0].id, trip=trip))
    by_somebody_who_left(laptop)
    sync(laptop, admin)
    assert "没有待办" in words(admin.get(f"/inbox?trip={trip}&kind=conflict")), "not of this trip yet"
    with admin.app.app_context(), transaction() as held:
        lines = [{"household": home, "item": "rice", "quantity": 1}]
        ledger.record(held, log.own(held), Fact(f"trip-{trip}", "allocation.set", trip, {"lines": lines}))
    card = admin.get(f"/trips/{trip}").text
    for kind in ("conflict", "held"):
        path = f"/inbox?trip={trip}&amp;kind={kind}"
        assert path in card
        assert admin.get(unescape(path)).text.count("<article") == 1
    assert admin.get("/inbox?kind=held").text.count("<article") == 2
    assert "全部 3" in words(admin.get(f"/inbox?trip={trip}")), "its truck is the third"
    assert admin.get(f"/inbox?trip={uid(9)}").status_code == 404
    assert "/inbox?kind=held" in admin.get("/").text
