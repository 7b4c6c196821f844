"""What one trip's pages read: its day and its reconciliation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from aidvisit.store.ledger import HOUSE, Fact
from aidvisit.store.queries import reconcile, trip
from sync import log
from tests.support.store import (
    LAPTOP,
    NOW,
    TEAM,
    TOWN,
    TRIP,
    TRIP_STREAM,
    TRUCK,
    VILLAGE,
    allotted,
    counted,
    delivered,
    moved,
    planned,
    registered,
    say,
    statements,
    uid,
    visited,
)
from tests.support.village import DAY, LAN, MO, QIN, TAO, quantity, village


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with village(database_url) as conn:
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
    assert len(few) < 60


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
