"""The office's inbox: what deliveries raise, what leaves it by itself, and what a person says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import Connection

from aidvisit.cli import main
from aidvisit.domain.inbox import Stand, at_once, too_fast
from aidvisit.errors import Problem
from aidvisit.services import inbox as service
from aidvisit.serving.watch import watching
from aidvisit.store import inbox, ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.inbox import Item
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import inbox as queries
from sync import log
from sync.op import Op
from tests.support.holding import by_somebody_who_left, delivery, record, sync, user
from tests.support.homes import VILLAGE, centre
from tests.support.pages import Pages, words
from tests.support.soon import soon
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
    told = admin.post("/inbox/many", sure)
    assert told.status_code == 409
    assert "莫知远" in words(told), "who settled one of them meanwhile"
    assert 'value="补发"' in told.text
    assert waiting(admin) == both[1:]
    assert admin.post("/inbox/many", {**sure, "item": both[1:]}).status_code == 303
    assert waiting(admin) == []
    told = words(admin.get("/inbox?settled=yes"))
    assert "作废后发的一次" in told
    assert "莫知远:补发" in told


def test_who_comes_second_is_told_what_was_settled_by_whom_and_keeps_what_was_typed(admin: Pages) -> None:
    twice(admin)
    admin.get("/inbox")
    (item, *_) = waiting(admin)
    assert admin.post("/inbox", {"item": item, "verdict": "both-right", "reason": "补发"}).status_code == 303
    ops = admin.ops()
    late = {"item": item, "verdict": "void-first", "reason": "我看是记错户"}
    for path, more in (("/inbox", {}), ("/inbox/many", {"sure": "yes"})):
        told = admin.post(path, late | more)
        assert told.status_code == 409
        assert all(one in words(told) for one in ("刚才已经结清", "莫知远", "两次都对", "补发", "作废先发的一次"))
        assert 'value="我看是记错户"' in told.text
    assert admin.ops() == ops


def test_two_at_once_settle_an_item_once(database_url: str, tmp_path: Path) -> None:
    with centre(tmp_path, database_url if database_url.startswith("postgresql") else "") as made:
        homes = [uid(601), uid(602)]
        body = {name: value for name, value in delivery(homes[0]).items() if name != "salt"}
        with transaction() as held:
            people = [registered(home, "覃婆婆", division=VILLAGE) for home in homes]
            given = [Fact(TOWN, "delivery.recorded", uid(700 + n), body) for n in range(2)]
            ledger.record(held, made.device, *people, *given)
        service.look()
        with reading() as held:
            (item,) = [one for one in inbox.listed(held)[0] if one.kind == "duplicate"]
            before = log.state(held).last_seq
        ready, said = Barrier(2), list[str]()

        def settle(verdict: str) -> None:
            with made.app.app_context():
                ready.wait()
                try:
                    said.append(
                        str(service.settle(actor=made.device, items=[item.id], verdict=verdict, reason="核对过"))
                    )
                except Problem as problem:
                    said.append(problem.name)

        both = [Thread(target=settle, args=(verdict,)) for verdict in ("both-right", "void-second")]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert sorted(said) == ["1", "settled-meanwhile"]
        with reading() as held:
            (settled,) = inbox.some(held, [item.id])
            kinds = [
                log.find(held, made.device, seq).op.kind for seq in range(before + 1, log.state(held).last_seq + 1)
            ]
        first = ["duplicate.settled"] if settled.verdict == "both-right" else ["delivery.voided", "duplicate.settled"]
        assert kinds == first, "of one of them, and nothing of the other"


def test_what_arrives_is_looked_at_though_nobody_opens_the_page(laptop: Pages, admin: Pages) -> None:
    laptop.sign_in()
    with watching(admin.app, every_s=0.02):
        by_somebody_who_left(laptop)
        sync(laptop, admin)
        assert soon(lambda: [one for one in items(admin) if one.kind == "held"])
        twice(admin)
        assert soon(lambda: len(waiting(admin)) == 2)


def test_much_is_looked_at_in_portions_and_another_who_looked_meanwhile_is_minded(
    admin: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice(admin)
    monkeypatch.setattr(queries, "AT_ONCE", 5)
    found, steps = queries.changes, list[int]()

    def changes(conn: Connection, at: datetime, today: str) -> queries.Changes:
        steps.append(1)
        one = found(conn, at, today)
        if len(steps) == 2:  # another process looks between what is found and what is written
            with admin.app.app_context(), transaction() as held:
                queries.apply(held, found(held, at, today), at)
        return one

    monkeypatch.setattr(queries, "changes", changes)
    with admin.app.app_context():
        left = service.look(patience_s=0)
        assert left > 0
        assert service.look(patience_s=60) == 0
    assert len(steps) > 4
    assert len(waiting(admin)) == 2


def test_the_command_line_looks_and_lists_what_waits(admin: Pages, capsys: pytest.CaptureFixture[str]) -> None:
    twice(admin)
    home = str(admin.app.config["SETTINGS"].home)
    assert main(["central", "inbox", "--json", "--home", home]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["duplicate"] == 2
    assert len(told["items"]) == sum(told["counts"].values())
    assert {one["item"] for one in told["items"] if one["kind"] == "duplicate"} == set(waiting(admin))
    assert main(["central", "inbox", "--home", home]) == 0
    assert capsys.readouterr().out.count("  duplicate  ") == 2


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
