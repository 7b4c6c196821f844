"""What lists, pages and the office read: one trip's day, its reconciliation, a household and its history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from aidvisit.domain.facts import category_subject, division_subject
from aidvisit.store.ledger import HOUSE, Fact
from aidvisit.store.queries import account, catalog, household, overview, reconcile, trip
from aidvisit.store.queries.catalog import Quantity
from aidvisit.store.queries.duplicate import duplicates
from aidvisit.store.queries.warning import warnings
from sync import log
from tests.support.store import (
    ACTOR,
    LAPTOP,
    NOW,
    TEAM,
    TOWN,
    TRIP,
    TRIP_STREAM,
    TRUCK,
    VILLAGE,
    allotted,
    arrive,
    centre,
    counted,
    delivered,
    item,
    moved,
    op,
    planned,
    registered,
    say,
    statements,
    uid,
    visited,
)

QIN, MO, LAN, TAO = uid(1), uid(2), uid(3), uid(4)
DAY = "2020-12-30"


def quantity(code: str, number: int) -> Quantity:
    names = {"rice": ("大米", "袋", "10kg/袋"), "oil": ("食用油", "桶", None)}
    return Quantity(code, *names[code], number)


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    """Four households of two groups; the list names the second group first."""
    with centre(database_url) as conn:
        names = {"441225": "封开县", TOWN: "大玉口镇", VILLAGE: "民强村"}
        say(
            conn,
            *(
                Fact("org", "division.defined", division_subject(code), {"code": code, "name": name})
                for code, name in names.items()
            ),
            item("rice", "大米", "袋", spec="10kg/袋", repeat_days=30),
            item("oil", "食用油", "桶"),
            *(
                Fact(
                    "org",
                    "category.defined",
                    category_subject(code),
                    {"code": code, "name": name, "level": "household", "synonyms": []},
                )
                for code, name in (("dibao", "低保户"), ("elder", "高龄老人"))
            ),
            Fact(
                "org",
                "team.defined",
                TEAM,
                {"name": "慰问一队", "type": "team", "level": 3, "divisions": ["441225"]},
            ),
            registered(
                QIN,
                "覃桂香",
                "二组",
                head={"name": "覃桂香", "phone": "13812345678", "id_number": "11010519491231002X"},
                categories=[{"code": "elder"}, {"code": "dibao", "since": "2018-11-01"}],
                address="大榕树旁",
            ),
            registered(MO, "莫德厚", "一组"),
            registered(LAN, "蓝水妹", "二组"),
            registered(TAO, "陶安石", "一组", members=[{"id": uid(9), "name": "陶小雨"}]),
            planned(),
            allotted((QIN, "rice", 2), (QIN, "oil", 1), (MO, "rice", 1), (LAN, "rice", 1), (TAO, "rice", 1)),
        )
        yield conn


# --- today ---------------------------------------------------------------------------------------------------


def test_a_day_begins_with_everybody_to_visit(conn: Connection) -> None:
    found = trip.today(conn, TRIP)
    assert found.place == ["封开县", "大玉口镇", "民强村"]
    assert (found.total, found.done, found.away) == (4, 0, [])
    assert [(group.group, group.total, group.todo) for group in found.groups] == [("二组", 2, 2), ("一组", 2, 2)]
    assert [listed.name for listed in found.households] == ["覃桂香", "蓝水妹", "莫德厚", "陶安石"]
    assert [listed.position for listed in found.households] == [1, 2, 3, 4]
    following = found.next
    assert following is not None
    assert (following.name, following.position, following.of) == ("覃桂香", 1, 2)
    assert following.tags == ["低保户", "高龄老人"]
    assert following.allotted == [quantity("rice", 2), quantity("oil", 1)]


def test_next_is_who_was_not_visited_and_is_not_skipped(conn: Connection) -> None:
    say(conn, delivered(uid(20), QIN, {"rice": 2}))
    after = trip.today(conn, TRIP, frozenset({LAN})).next
    assert after is not None
    assert (after.id, after.position, after.of) == (MO, 1, 2)
    assert trip.today(conn, TRIP, frozenset({LAN, MO, TAO})).next is None


def test_the_day_goes_on(conn: Connection) -> None:
    say(
        conn,
        moved(uid(30), "warehouse:main", TRUCK, rice=6, oil=1),
        delivered(uid(20), QIN, {"rice": 1}),
        visited(uid(40), MO, "not-home", note="赶集"),
        visited(uid(41), LAN, "met"),
        visited(uid(42), TAO, "refused"),
        Fact(TOWN, "visit.voided", uid(42), {"reason": "记错户"}),
    )
    found = trip.today(conn, TRIP)
    assert {listed.name: listed.state for listed in found.households} == {
        "覃桂香": "done",
        "莫德厚": "away",
        "蓝水妹": "todo",
        "陶安石": "todo",
    }
    assert found.households[0].owed == [quantity("rice", 1), quantity("oil", 1)]
    (away,) = found.away
    assert (away.name, away.outcome, away.at, away.note) == ("莫德厚", "not-home", "12:00", "赶集")
    assert [(line.item, line.on_truck, line.needed, line.after) for line in found.truck] == [
        ("rice", 5, 4, 1),
        ("oil", 1, 1, 0),
    ]
    assert found.groups[0].owed == [quantity("rice", 2), quantity("oil", 1)]


def test_a_visit_of_another_day_is_shown_with_its_date(conn: Connection) -> None:
    say(conn, visited(uid(40), MO, "not-home", date="2020-12-29"))
    assert trip.today(conn, TRIP).away[0].at == "2020-12-29"


def test_voided_deliveries_are_still_owed(conn: Connection) -> None:
    say(conn, delivered(uid(20), QIN, {"rice": 2}), Fact(TOWN, "delivery.voided", uid(20), {"reason": "录错"}))
    assert trip.today(conn, TRIP).households[0].owed == [quantity("rice", 2), quantity("oil", 1)]


def test_what_an_alias_got_counts_for_its_household(conn: Connection) -> None:
    say(conn, Fact(TOWN, "household.merged", QIN, {"into": MO, "reason": "同一户"}))
    say(conn, delivered(uid(20), QIN, {"rice": 3}))
    found = trip.today(conn, TRIP)
    assert found.total == 3
    merged = next(listed for listed in found.households if listed.id == MO)
    assert (merged.allotted, merged.state) == ([quantity("rice", 3), quantity("oil", 1)], "done")


def test_lists_take_as_many_statements_for_many_households(conn: Connection) -> None:
    with statements(conn) as few:
        trip.today(conn, TRIP)
        reconcile.reconcile(conn, TRIP)
    many = [uid(1000 + number) for number in range(34)]
    say(conn, *(registered(one, f"户{one[-2:]}", f"{one[-1]}组") for one in many))
    say(
        conn,
        allotted(*((one, "rice", 1) for one in many)),
        *(delivered(one[:-4] + "9" + one[-3:], one, {"rice": 1}) for one in many),
    )
    with statements(conn) as seen:
        trip.today(conn, TRIP)
        reconcile.reconcile(conn, TRIP)
    assert len(seen) <= len(few) + 3
    assert len(few) < 40


def test_the_current_trip_is_the_days_else_the_latest(conn: Connection) -> None:
    spring, autumn = uid(910), uid(911)
    say(conn, planned(spring, title="春", starts="2020-04-01", ends="2020-04-03"))
    say(conn, planned(autumn, title="秋", starts="2020-12-30", ends="2020-12-31"))
    say(conn, Fact(f"trip-{autumn}", "trip.closed", autumn, {}))
    found = {day: trip.current(conn, day) for day in (DAY, "2020-04-02", "2021-01-01")}
    assert {day: head.id for day, head in found.items() if head} == {
        DAY: TRIP,
        "2020-04-02": spring,
        "2021-01-01": TRIP,
    }
    assert {head.id: head.status for head in trip.trips(conn)} == {spring: "planned", autumn: "closed", TRIP: "planned"}
    head = trip.trip(conn, TRIP)
    assert head is not None
    assert (head.team_name, head.divisions) == ("慰问一队", [VILLAGE])
    assert trip.trip(conn, QIN) is None
    with pytest.raises(LookupError):
        trip.today(conn, QIN)


# --- reconciliation ------------------------------------------------------------------------------------------


def rice(conn: Connection) -> reconcile.ItemRow:
    return next(row for row in reconcile.reconcile(conn, TRIP).items if row.item == "rice")


@pytest.fixture
def short(conn: Connection) -> Connection:
    """The day that ends with one bag missing: 43 loaded, 39 delivered, 1 left in custody, 2 returned."""
    say(
        conn,
        moved(uid(30), "warehouse:main", TRUCK, rice=43),
        delivered(uid(20), QIN, {"rice": 39}),
        moved(uid(31), TRUCK, "held:minqiang", rice=1),
    )
    return conn


def balanced(row: reconcile.ItemRow) -> bool:
    return row.loaded + row.gained == row.delivered + row.returned + row.lost + row.held + row.on_truck


def test_while_nobody_counted_what_is_left_is_on_the_truck(short: Connection) -> None:
    row = rice(short)
    assert (row.loaded, row.delivered, row.held, row.on_truck) == (43, 39, 1, 3)
    assert (row.counted, row.difference) == (None, 0)
    assert balanced(row)


@pytest.mark.parametrize("returned_first", [True, False])
def test_a_count_shows_the_missing_bag_before_or_after_the_return(short: Connection, returned_first: bool) -> None:
    back = moved(uid(32), TRUCK, "warehouse:main", rice=2)
    if returned_first:
        say(short, back, counted(uid(50), rice=0))
    else:
        say(short, counted(uid(50), rice=2), back)
    row = rice(short)
    assert (row.returned, row.on_truck, row.counted) == (2, 1, 0 if returned_first else 2)
    assert row.difference == 1
    assert balanced(row)


@pytest.mark.parametrize(
    "mending",
    [
        moved(uid(33), TRUCK, f"loss:{TRIP}", rice=1),
        moved(uid(33), TRUCK, "warehouse:main", rice=1),
        delivered(uid(21), MO, {"rice": 1}),
        counted(uid(51), rice=1),
    ],
    ids=["a loss", "a corrected slip", "a delivery typed in from paper", "found again"],
)
def test_what_accounts_for_the_bag_settles_the_difference(short: Connection, mending: Fact) -> None:
    say(short, moved(uid(32), TRUCK, "warehouse:main", rice=2), counted(uid(50), rice=0))
    assert rice(short).difference == 1
    say(short, mending)
    assert rice(short).difference == 0


def test_too_much_is_a_difference_the_other_way(short: Connection) -> None:
    say(short, counted(uid(50), [{"item": "rice", "difference": 1, "reason": "仓库多装"}], rice=4))
    row = rice(short)
    assert (row.difference, row.explained) == (-1, "仓库多装")
    say(short, moved(uid(33), f"gain:{TRIP}", TRUCK, rice=1))
    assert (rice(short).difference, rice(short).gained) == (0, 1)


def test_a_delivery_of_the_next_day_comes_after_the_count(short: Connection) -> None:
    say(short, counted(uid(50), rice=3), delivered(uid(21), MO, {"rice": 1}, date="2020-12-31"))
    assert (rice(short).on_truck, rice(short).difference) == (2, 0)


def test_households_of_a_reconciliation(conn: Connection) -> None:
    say(
        conn,
        delivered(uid(20), QIN, {"rice": 2, "oil": 1}),
        delivered(
            uid(21),
            MO,
            {"rice": 1},
            received_by={"as": "proxy", "name": "莫小妹", "relation": "女儿"},
            proofs=[{"as": "signature"}, {"as": "photo"}],
        ),
        visited(uid(40), LAN, "in-hospital"),
        Fact(TRIP_STREAM, "trip.released", TRIP, {"devices": [{"device": LAPTOP}]}),
    )
    log.author(conn, HOUSE, HOUSE.enrolled(conn, LAPTOP, "3 号", "A" * 43, TEAM), NOW)
    found = reconcile.reconcile(conn, TRIP)
    rows = {row.name: row for row in found.households}
    assert [(row.signed, row.received_as, row.relation, row.outcome, row.state) for row in rows.values()] == [
        ("thumbprint", "head", None, None, "done"),
        (None, None, None, "in-hospital", "away"),
        ("signature", "proxy", "女儿", None, "done"),
        (None, None, None, None, "todo"),
    ]
    assert rows["覃桂香"].owed == []
    assert rows["蓝水妹"].owed == [quantity("rice", 1)]
    assert [(device.name, device.through) for device in found.devices] == [("3 号", 0)]


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
    assert found.categories == [("低保户", "2018-11-01"), ("高龄老人", None)]
    assert found.head.phone == "13812345678"
    assert household.household(conn, uid(99)) is None
    tao = household.household(conn, TAO)
    assert tao is not None
    assert [member.name for member in tao.members] == ["陶小雨"]


def test_two_edits_that_did_not_know_of_each_other_are_both_shown(conn: Connection) -> None:
    """Until an edit names them all; the greatest in order is the value meanwhile."""
    for n, (device, phone) in enumerate([(LAPTOP, "111"), (uid(501), "222")], 1001):
        arrive(conn, op(1, TOWN, "household.updated", QIN, {"set": {"head.phone": phone}}, device=device), n=n)
    found = household.household(conn, QIN)
    assert found is not None
    (conflict,) = found.conflicts
    assert conflict.path == "head.phone"
    assert [one.value for one in conflict.values] == ["13812345678", "111", "222"]
    assert conflict.values[2].name == f"{uid(501)}/1"
    assert conflict.values[2].at == datetime(2020, 12, 30, 4, 1, tzinfo=UTC)
    assert found.head.phone == "222"
    base = {"head.phone": [one.name for one in conflict.values]}
    settled = {"set": {"head.phone": "111"}, "base": base, "reason": "打电话问过"}
    say(conn, Fact(TOWN, "household.updated", QIN, settled))
    found = household.household(conn, QIN)
    assert found is not None
    assert (found.conflicts, found.head.phone) == ([], "111")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("覃", ["覃桂香"]),
        ("桂香", ["覃桂香"]),
        ("1381234", ["覃桂香"]),
        ("002x", ["覃桂香"]),
        ("一组", ["莫德厚", "陶安石"]),
        ("陶小雨", ["陶安石"]),
        ("民强", ["莫德厚", "蓝水妹", "覃桂香", "陶安石"]),
        ("封开 二组 蓝", ["蓝水妹"]),
        ("%", []),
        ("_", []),
        ("覃桂香 一组", []),
        ("", []),
    ],
)
def test_search(conn: Connection, text: str, names: list[str]) -> None:
    found = household.search(conn, text)
    assert sorted(one.name for one in found.found) == sorted(names)
    assert (found.searched, found.more) == (4, False)


def test_search_masks_and_says_when_there_are_more(conn: Connection) -> None:
    (found,) = household.search(conn, "覃").found
    assert (found.phone_masked, found.id_last4, found.tags) == ("138****5678", "002X", ["低保户", "高龄老人"])
    few = household.search(conn, "民强", limit=3)
    assert (len(few.found), few.more) == (3, True)
    say(conn, Fact(TOWN, "household.merged", QIN, {"into": MO, "reason": "同一户"}))
    assert household.search(conn, "覃").found == []


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
    found = household.timeline(conn, QIN)
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
    assert found[3].changes == ["note", "categories"]
    assert found[0].note == "died"
    assert {entry.sent for entry in found} == {None}, "the centre has nobody to send to"


def test_a_laptops_timeline_says_what_was_sent_and_what_is_held(conn: Connection) -> None:
    say(conn, delivered(uid(20), QIN, {"rice": 1}), delivered(uid(21), QIN, {"rice": 2}, replaces=uid(20)))
    seq = log.state(conn).last_seq
    log.remember(conn, role="field", acked=seq - 1)
    conn.exec_driver_sql(f"UPDATE op SET problem = '{{}}' WHERE seq = {seq - 1}")
    found = [(entry.id, entry.sent, entry.quarantined) for entry in household.timeline(conn, QIN)[:2]]
    assert found == [(uid(21), False, False), (uid(20), True, True)]


def test_a_timeline_of_aliases_is_one(conn: Connection) -> None:
    say(
        conn,
        delivered(uid(20), QIN, {"rice": 1}),
        Fact(TOWN, "household.merged", QIN, {"into": MO, "reason": "同一户"}),
    )
    assert household.timeline(conn, QIN) == household.timeline(conn, MO)
    assert [entry.kind for entry in household.timeline(conn, MO)].count("registered") == 2


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
    assert (found.households, found.served_households, found.deliveries) == (3, 2, 3)
    assert found.by_day == [("2020-12-29", 1), (DAY, 2)]
    assert found.items == [quantity("rice", 4), quantity("oil", 1)]
    assert [(one.trip.id, one.total, one.done) for one in found.trips] == [(TRIP, 4, 2)]
    assert (len(found.duplicates), found.quarantined) == (1, 0)


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
