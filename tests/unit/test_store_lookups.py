"""What lists and pages read: duplicates, warnings, a household and its history, the overview, people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from aidvisit.domain.rights import Scope
from aidvisit.domain.selection import Selection
from aidvisit.store.ledger import HOUSE, Fact
from aidvisit.store.queries import account, catalog, conflict, household, overview, report
from aidvisit.store.queries.duplicate import duplicates
from aidvisit.store.queries.household import CategoryView
from aidvisit.store.queries.report import Figure
from aidvisit.store.queries.warning import warnings
from sync import log
from tests.support.store import (
    ACTOR,
    LAPTOP,
    NOW,
    TEAM,
    TOWN,
    TRIP,
    TRUCK,
    VILLAGE,
    arrive,
    delivered,
    moved,
    op,
    planned,
    registered,
    say,
    uid,
    visited,
)
from tests.support.village import DAY, LAN, MO, QIN, TAO, quantity, village


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with village(database_url) as conn:
        yield conn


# --- duplicates and warnings ---------------------------------------------------------------------------------


def test_possible_duplicates(conn: Connection) -> None:
    say(
        conn,
        delivered(uid(20), QIN, {"rice": 1, "oil": 1}, date="2020-12-01", trip=None),
        delivered(uid(21), QIN, {"rice": 2, "oil": 1}, date="2020-12-30"),
        delivered(uid(22), QIN, {"rice": 1}, date="2020-11-01", trip=None),
        delivered(uid(23), MO, {"rice": 1}, date="2020-12-29", trip=None),
        delivered(uid(24), LAN, {"rice": 1}, date="2020-12-30"),
    )
    (found,) = duplicates(conn)
    assert (found.name, found.item_name, found.days_apart, found.repeat_days) == ("覃桂香", "大米", 29, 30)
    assert (found.first.delivery, found.second.delivery, found.second.quantity) == (uid(20), uid(21), 2)
    assert found.second.team_name == "慰问一队"
    assert duplicates(conn, TRIP) == [found]
    say(conn, Fact(TOWN, "household.merged", MO, {"into": LAN, "reason": "同一户"}))
    assert {one.name for one in duplicates(conn)} == {"蓝水妹", "覃桂香"}
    settled = {"deliveries": [uid(20), uid(21)], "verdict": "both-right", "reason": "两次都对"}
    say(conn, Fact("office", "duplicate.settled", uid(60), settled))
    say(conn, Fact(TOWN, "delivery.voided", uid(24), {"reason": "录错"}))
    assert duplicates(conn) == []


def test_what_is_odd_about_a_delivery(conn: Connection) -> None:
    def rules(lines: dict[str, int], on: str = DAY, of: str | None = TRIP) -> list[tuple[str, str | None]]:
        return [(one.rule, one.item) for one in warnings(conn, QIN, lines, on, of, "2020-12-31")]

    assert rules({"rice": 2, "oil": 1}) == []
    assert rules({"rice": 3, "nuts": 1}) == [("over-allocation", "rice"), ("outside-allocation", "nuts")]
    assert rules({"nuts": 1}, of=None) == []
    assert rules({"rice": 1}, "2020-12-31") == [("date", None)]
    assert rules({"rice": 1}, "2021-01-01") == [("date", None)]
    say(conn, moved(uid(30), "warehouse:main", TRUCK, rice=1))
    assert rules({"rice": 2}) == [("over-stock", "rice")]
    say(conn, delivered(uid(20), QIN, {"rice": 1}, date="2020-12-21", trip=None))
    (found,) = warnings(conn, QIN, {"rice": 1}, DAY, TRIP, "2020-12-31")
    assert found.words_members == {
        "item_name": "大米",
        "unit": "袋",
        "quantity": 1,
        "date": "2020-12-21",
        "days": 9,
        "repeat_days": 30,
        "until": "2021-01-20",
        "team": "",
    }
    say(conn, Fact(TOWN, "household.closed", QIN, {"reason": "moved", "date": DAY}))
    assert rules({"oil": 1}, of=None) == [("household-closed", None)]


def test_what_a_household_brought_from_another_town_counts_for_the_interval(conn: Connection) -> None:
    brought = [{"item": "rice", "date": "2020-12-10", "quantity": 1}]
    say(conn, registered(uid(8), "新来的", continues=uid(7), brought=brought))
    assert [one.rule for one in warnings(conn, uid(8), {"rice": 1}, DAY, None, DAY)] == ["repeat-interval"]


# --- household -----------------------------------------------------------------------------------------------


def test_a_household_as_it_is_now(conn: Connection) -> None:
    found = household.household(conn, QIN)
    assert found is not None
    assert (found.name, found.place, found.group) == ("覃桂香", ["封开县", "大玉口镇", "民强村"], "二组")
    assert found.categories == [CategoryView("低保户", "2018-11-01"), CategoryView("高龄老人")]
    assert found.head.phone == "138****5678"
    clear = household.household(conn, QIN, revealed=True)
    assert clear is not None
    assert clear.head.phone == "13812345678"
    assert household.household(conn, uid(99)) is None
    tao = household.household(conn, TAO)
    assert tao is not None
    assert [member.name for member in tao.members] == ["陶小雨"]


def test_two_edits_that_did_not_know_of_each_other_are_both_shown(conn: Connection) -> None:
    """Until an edit names them all; the greatest in order is the value meanwhile."""
    for n, (device, phone) in enumerate([(LAPTOP, "111"), (uid(501), "222")], 1001):
        arrive(conn, op(1, TOWN, "household.updated", QIN, {"set": {"head.phone": phone}}, device=device), n=n)
    (found,) = conflict.of_household(conn, QIN)
    assert (found.path, found.household, found.name) == ("head.phone", QIN, "覃桂香")
    assert [side.said.value for side in found.sides] == ["138****5678", "***", "***"]
    assert [side.counts for side in found.sides] == [False, False, True]
    assert found.heads[2] == f"{uid(501)}/1"
    assert found.sides[2].said.at == datetime(2020, 12, 30, 4, 1, tzinfo=UTC)
    (clear,) = conflict.of_household(conn, QIN, revealed=True)
    assert [side.said.value for side in clear.sides] == ["13812345678", "111", "222"]
    assert conflict.listed(conn) == ([found], None)
    assert conflict.count(conn) == 1
    elsewhere = Scope(("110000000",))
    assert (conflict.of_household(conn, QIN, elsewhere), conflict.count(conn, elsewhere)) == ([], 0)
    settled = {"set": {"head.phone": "111"}, "base": {"head.phone": found.heads}, "reason": "打电话问过"}
    say(conn, Fact(TOWN, "household.updated", QIN, settled))
    view = household.household(conn, QIN, revealed=True)
    assert view is not None
    assert (conflict.of_household(conn, QIN), view.head.phone) == ([], "111")


def test_what_each_side_had_in_view_stands_beside_it(conn: Connection) -> None:
    first = op(1, TOWN, "household.updated", QIN, {"set": {"group": "三组"}})
    base = {"group": [f"{LAPTOP}/1"]}
    arrive(conn, first, n=1001)
    for n, (device, group) in enumerate([(uid(501), "四组"), (uid(502), "五组")], 1002):
        body = {"set": {"group": group}, "base": base, "reason": f"改到{group}"}
        arrive(conn, op(1, TOWN, "household.updated", QIN, body, device=device), n=n)
    (found,) = [one for one in conflict.of_household(conn, QIN) if one.path == "group"]
    seen = {side.said.value: [one.value for one in side.saw] for side in found.sides}
    assert seen["四组"] == seen["五组"] == ["三组"]
    assert {side.said.value: side.said.reason for side in found.sides}["四组"] == "改到四组"


def test_a_timeline_has_everything_newest_first(conn: Connection) -> None:
    say(
        conn,
        Fact(TOWN, "household.updated", QIN, {"set": {"note": "听力不好"}, "remove": {"categories": ["elder"]}}),
        delivered(
            uid(20), QIN, {"rice": 1}, date="2020-01-16", trip=None, witness={"name": "廖满仓"}, handed_by=[uid(70)]
        ),
        delivered(uid(21), QIN, {"oil": 1, "rice": 2}, note="雨"),
        delivered(uid(22), QIN, {"rice": 2}, replaces=uid(21)),
        visited(uid(40), QIN, "not-home", date="2020-12-29"),
        Fact(TOWN, "delivery.voided", uid(20), {"reason": "数量录错"}),
        Fact(TOWN, "household.closed", QIN, {"reason": "died", "date": "2020-12-31"}),
    )
    found = household.timeline(conn, QIN).entries
    assert [entry.kind for entry in found] == [
        "closed",
        "delivery",
        "delivery",
        "updated",
        "registered",
        "visit",
        "delivery",
    ]
    last, first = found[1], found[-1]
    assert (last.id, last.counts, last.replaced) == (uid(22), True, False)
    assert (found[2].counts, found[2].replaced, found[2].note) == (False, True, "雨")
    assert found[2].lines == [quantity("oil", 1), quantity("rice", 2)]
    assert (last.team, last.trip_title, first.team) == ("慰问一队", "民强村", "")
    assert (first.void_reason, first.witness, first.counts) == ("数量录错", "廖满仓", False)
    assert [change.path for change in found[3].changed] == ["note", "categories"]
    assert found[0].note == "died"
    assert {entry.sent for entry in found} == {None}, "the centre has nobody to send to"


def test_a_laptops_timeline_says_what_was_sent_and_what_is_held(conn: Connection) -> None:
    say(conn, delivered(uid(20), QIN, {"rice": 1}), delivered(uid(21), QIN, {"rice": 2}, replaces=uid(20)))
    seq = log.state(conn).last_seq
    log.remember(conn, role="field", acked=seq - 1)
    conn.exec_driver_sql(f"UPDATE op SET problem = '{{}}' WHERE seq = {seq - 1}")
    found = [(entry.id, entry.sent, entry.quarantined) for entry in household.timeline(conn, QIN).entries[:2]]
    assert found == [(uid(21), False, False), (uid(20), True, True)]


def test_a_timeline_of_aliases_is_one(conn: Connection) -> None:
    say(
        conn,
        delivered(uid(20), QIN, {"rice": 1}),
        Fact(TOWN, "household.merged", QIN, {"into": MO, "reason": "同一户"}),
    )
    assert household.timeline(conn, QIN) == household.timeline(conn, MO)
    assert [entry.kind for entry in household.timeline(conn, MO).entries].count("registered") == 2


# --- the office ----------------------------------------------------------------------------------------------


def test_overview(conn: Connection) -> None:
    say(
        conn,
        delivered(uid(20), QIN, {"rice": 2, "oil": 1}),
        delivered(uid(21), MO, {"rice": 1}),
        delivered(uid(22), MO, {"rice": 1}, date="2020-12-29", trip=None),
        Fact(TOWN, "household.closed", TAO, {"reason": "moved", "date": DAY}),
    )
    found = overview.overview(conn)
    assert found.households == 3
    assert report.total(conn, Selection(), today=DAY) == Figure(2, 2, 3, {"rice": 4, "oil": 1})
    days = report.figures(conn, Selection(), today=DAY, by=["day"])
    assert {day: one.times for day, one in days.items()} == {"2020-12-29": 1, DAY: 2}
    assert [(one.trip.id, one.total, one.done) for one in found.trips] == [(TRIP, 4, 2)]
    assert (len(duplicates(conn)), found.waiting, found.quarantined) == (1, {}, 0)


def test_trips_come_a_page_at_a_time_the_latest_first(conn: Connection) -> None:
    say(conn, *(planned(uid(70 + number), starts=DAY, ends=DAY) for number in range(3)))
    pages: list[list[str]] = []
    more = True
    while more:
        found, more = overview.progress(conn, after=pages[-1][-1] if pages else "", limit=2)
        pages.append([one.trip.id for one in found])
    assert pages == [[TRIP, uid(72)], [uid(71), uid(70)]]


def test_people_teams_and_devices(conn: Connection) -> None:
    body = {
        "login": "deng",
        "name": "邓若谷",
        "role": "office",
        "password_hash": "$argon2id$",
        "key": {"public": "p", "wrapped": "w", "salt": "s", "params": {}},
        "active": True,
    }
    say(
        conn,
        Fact(f"team-{TEAM}", "user.defined", ACTOR, {**body, "active": False}),
        Fact(f"team-{uid(902)}", "user.defined", uid(71), {**body, "name": "另一个"}),
    )
    found = account.user_by_login(conn, "deng")
    assert found is not None
    assert (found.name, found.active) == ("另一个", True), "one that may sign in goes before one that may not"
    assert account.user(conn, ACTOR) == replace(found, id=ACTOR, name="邓若谷", team=TEAM, active=False)
    assert account.user_by_login(conn, "nobody") is None
    assert account.user(conn, uid(99)) is None
    assert [one.name for one in account.teams(conn)] == ["慰问一队"]
    log.author(conn, HOUSE, HOUSE.enrolled(conn, LAPTOP, "3 号", "A" * 43, TEAM), NOW)
    status = '{"version": "0.1.0", "waiting": 12, "clock": "2020-12-30T04:00:30.000Z"}'
    log.add_device(
        conn, LAPTOP, name="3 号", public_key="A" * 43, now=NOW, team=TEAM, seen_at=NOW.isoformat(), status=status
    )
    (device,) = account.device_rows(conn)
    assert (device.name, device.team_name, device.waiting, device.clock_off_s, device.version, device.revoked) == (
        "3 号",
        "慰问一队",
        12,
        30,
        "0.1.0",
        False,
    )
    say(conn, Fact("org", "device.revoked", LAPTOP, {"reason": "丢失"}))
    assert account.device_rows(conn)[0].revoked


@pytest.mark.parametrize("said", [None, 5, "yesterday", "2020-12-30T04:00:30", {}])
def test_what_a_laptop_says_of_its_clock_may_be_anything(said: object) -> None:
    assert account.clock_off_s(said, NOW.isoformat()) is None


def test_the_catalogue(conn: Connection) -> None:
    say(conn, Fact("org", "place.defined", uid(73), {"code": "main", "name": "总仓", "kind": "warehouse"}))
    assert [place.reference for place in catalog.places(conn)] == ["warehouse:main"]
    assert catalog.division_names(conn, "441225112999") == ["封开县", "大玉口镇"]
    assert catalog.division_names(conn, "99") == []
    assert [row.code for row in catalog.divisions(conn, "441225112")] == [TOWN, VILLAGE]
    assert list(catalog.items(conn)) == ["rice", "oil"]
    assert catalog.categories(conn) == {"dibao": "低保户", "elder": "高龄老人"}
    known = catalog.quantities(catalog.items(conn), {"tractor": 1, "oil": 0, "rice": 2})
    assert [(one.name, one.quantity) for one in known] == [("大米", 2), ("tractor", 1)]
