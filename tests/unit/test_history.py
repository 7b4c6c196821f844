"""One household's history: then beside now, what edits changed, what became of each fact, in pages, with totals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection

from aidvisit.domain.history import Change
from aidvisit.store.ledger import Fact
from aidvisit.store.queries.received import received
from aidvisit.store.queries.timeline import groups, timeline
from aidvisit.store.queries.timeline_entry import TimelineEntry
from aidvisit.store.queries.visit import LastVisit, last_visits
from sync import clock
from tests.support.store import (
    LAPTOP,
    NOW,
    TOWN,
    allotted,
    arrive,
    delivered,
    op,
    registered,
    say,
    statements,
    uid,
    visited,
)
from tests.support.village import LAN, MO, QIN, quantity, village


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with village(database_url) as conn:
        yield conn


def updated(household: str, **body: Any) -> Fact:
    return Fact(TOWN, "household.updated", household, {"set": {}, **body})


def of_kind(conn: Connection, household: str, kind: str) -> list[TimelineEntry]:
    return [one for one in timeline(conn, household).entries if one.kind == kind]


# --- then and now --------------------------------------------------------------------------------------------


def test_what_was_known_then_stands_beside_what_is_known_now(conn: Connection) -> None:
    say(
        conn,
        registered(uid(8), "周婆婆", size=4, categories=[{"code": "dibao"}]),
        allotted((uid(8), "rice", 1)),
        delivered(uid(20), uid(8), {"rice": 1}),
        allotted((uid(8), "rice", 2)),
        updated(uid(8), set={"size": 3, "head.phone": "13800001111"}, remove={"categories": ["dibao"]}),
        Fact(TOWN, "household.closed", uid(8), {"reason": "moved", "date": "2020-12-30"}),
        delivered(uid(21), uid(8), {"rice": 1}, date="2020-12-31"),
    )
    after, before = of_kind(conn, uid(8), "delivery")
    assert after.since == []
    assert before.since == [
        Change("size", 4, 3),
        Change("categories", ["低保户"], []),
        Change("state", "open", "closed"),
        Change("allotted", [quantity("rice", 1)], [quantity("rice", 2)]),
    ]


def test_an_allotment_that_came_later_was_none_then(conn: Connection) -> None:
    say(conn, registered(uid(8), "周婆婆"), delivered(uid(20), uid(8), {"rice": 1}), allotted((uid(8), "rice", 2)))
    (one,) = of_kind(conn, uid(8), "delivery")
    assert one.since == [Change("allotted", [], [quantity("rice", 2)])]


def test_an_edit_shows_each_field_before_and_after(conn: Connection) -> None:
    child = {"id": uid(9), "name": "小满", "relation": "孙女"}
    say(
        conn,
        updated(QIN, set={"size": 2, "head.phone": "13900002222"}, add={"members": [child]}),
        updated(
            QIN, set={f"members.{uid(9)}.phone": "13700003333"}, add={"categories": [{"code": "dibao", "grade": "A"}]}
        ),
        updated(QIN, set={"size": 2, "group": "三组"}, remove={"members": [uid(9)]}),
    )
    last, second, first = of_kind(conn, QIN, "updated")
    named = {change.path: (change.before, change.after) for change in first.changed}
    assert named["size"] == (None, 2)
    assert named["head.phone"] == ("138****5678", "139****2222")
    assert named["members"][1]["name"] == "小满"
    (phone, category) = second.changed
    assert (phone.path, phone.before, phone.after) == (f"members.{uid(9)}.phone", None, "137****3333")
    assert category.before["name"] == category.after["name"] == "低保户"
    assert (category.before["grade"], category.after["grade"]) == (None, "A")
    assert [change.path for change in last.changed] == ["group", "members"], "what stayed the same was not changed"
    *_, clear = (one for one in timeline(conn, QIN, revealed=True).entries if one.kind == "updated")
    assert Change("head.phone", "13812345678", "13900002222", unseen=True) in clear.changed


def test_an_edit_that_did_not_know_of_another_says_so_and_one_that_settles_names_both(conn: Connection) -> None:
    for n, (device, group) in enumerate([(LAPTOP, "三组"), (uid(501), "四组")], 1001):
        arrive(conn, op(1, TOWN, "household.updated", QIN, {"set": {"group": group}}, device=device), n=n)
    heads = [f"{LAPTOP}/1", f"{uid(501)}/1"]
    body = {"set": {"group": "五组"}, "base": {"group": heads}}
    arrive(conn, op(2, TOWN, "household.updated", QIN, body, minute=5), n=1003)
    settling, second, _first = of_kind(conn, QIN, "updated")
    assert second.changed == [Change("group", "三组", "四组", ("二组",), unseen=True)]
    assert settling.changed == [Change("group", "四组", "五组", ("二组", "三组"))]


# --- what became of a fact -----------------------------------------------------------------------------------


def test_a_clock_that_was_wrong_is_told_with_what_it_said(conn: Connection) -> None:
    body = delivered(uid(20), QIN, {"rice": 1}).body
    ahead = clock.stamp(clock.to_ms(datetime(2031, 1, 1, tzinfo=UTC)), 0)
    one = op(1, TOWN, "delivery.recorded", uid(20), body)
    one = type(one)(one.device, one.seq, one.stream, ahead, one.actor, one.kind, one.v, one.subject, one.body)
    arrive(conn, one, merge_hlc=clock.stamp(clock.to_ms(NOW), 7), n=1001)
    (found,) = of_kind(conn, QIN, "delivery")
    assert (found.recorded_at, found.restamped) == (NOW, datetime(2031, 1, 1, tzinfo=UTC))


def test_who_took_it_back_and_what_it_replaces(conn: Connection) -> None:
    say(
        conn,
        delivered(uid(20), QIN, {"rice": 1}),
        delivered(uid(21), QIN, {"rice": 2}, replaces=uid(20)),
        Fact(TOWN, "delivery.voided", uid(21), {"reason": "打 13812345678 问过"}),
    )
    again, first = of_kind(conn, QIN, "delivery")
    assert (first.replaced, first.voided, again.replaces) == (True, None, uid(20))
    assert again.void_reason == "打 138****5678 问过"
    assert again.voided is not None
    assert again.voided.at == NOW


# --- pages ---------------------------------------------------------------------------------------------------


@pytest.fixture
def long(conn: Connection) -> Connection:
    """A household that another was merged into, with 40 visits and deliveries, several on one day."""
    facts = []
    for number in range(20):
        date = f"20{10 + number // 3}-06-01"
        facts.append(delivered(uid(100 + number), (QIN, LAN)[number % 2], {"rice": 1}, date=date, trip=None))
        facts.append(visited(uid(200 + number), (QIN, LAN)[number % 2], "met", date=date))
    say(conn, *facts, Fact(TOWN, "household.merged", LAN, {"into": QIN, "reason": "同一户"}))
    return conn


@pytest.mark.parametrize("chosen", ["", *groups()])
def test_pages_are_the_whole_in_pieces(long: Connection, chosen: str) -> None:
    whole = timeline(long, QIN, chosen=chosen, most=1000)
    assert whole.more == ""
    assert {one.group for one in whole.entries} == ({chosen} if chosen else set(groups()))
    found, after = list[TimelineEntry](), ""
    while True:
        page = timeline(long, QIN, chosen=chosen, after=after, most=7)
        assert len(page.entries) <= 7
        found += page.entries
        after = page.more
        if not after:
            break
    assert found == whole.entries


def test_a_page_asks_as_much_of_a_long_history_as_of_a_short_one(long: Connection) -> None:
    with statements(long) as many:
        timeline(long, QIN)
    say(long, delivered(uid(700), MO, {"rice": 1}, trip=None, date="2020-12-01"), visited(uid(701), MO, "met"))
    with statements(long) as few:
        timeline(long, MO)
    assert len(many) - len(few) <= 1, "the merge itself is looked up once"
    assert len(few) <= 16


def test_an_address_that_somebody_made_up_shows_no_more_than_there_is(long: Connection) -> None:
    everything = {one.id for one in timeline(long, QIN, most=1000).entries}
    for after in ("x", "/", "9999-99-99/~", "2012-06-01/'; --", "2012-06-01"):
        assert {one.id for one in timeline(long, QIN, after=after).entries} <= everything


# --- totals and last visits ----------------------------------------------------------------------------------


def test_totals_by_item_and_year_leave_out_what_does_not_count(conn: Connection) -> None:
    say(
        conn,
        delivered(uid(20), QIN, {"rice": 2, "oil": 1}, date="2019-01-20", trip=None),
        delivered(uid(21), QIN, {"rice": 1}, date="2020-12-30"),
        delivered(uid(22), QIN, {"rice": 3}, date="2020-12-30", replaces=uid(21)),
        delivered(uid(23), MO, {"oil": 4}, date="2020-06-01", trip=None),
        delivered(uid(24), QIN, {"rice": 50}, date="2018-01-01", trip=None),
        Fact(TOWN, "delivery.voided", uid(24), {"reason": "录错"}),
        visited(uid(40), QIN, "met"),
        visited(uid(41), QIN, "met"),
        Fact(TOWN, "visit.voided", uid(41), {"reason": "录错"}),
        Fact(TOWN, "household.merged", MO, {"into": QIN, "reason": "同一户"}),
    )
    found = received(conn, QIN)
    assert [(one.year, one.deliveries, one.items) for one in found.years] == [
        ("2020", 2, [quantity("rice", 3), quantity("oil", 4)]),
        ("2019", 1, [quantity("rice", 2), quantity("oil", 1)]),
    ]
    assert (found.items, found.deliveries, found.visits) == ([quantity("rice", 5), quantity("oil", 5)], 3, 1)
    assert received(conn, MO) == found


def test_the_last_visit_that_stands(conn: Connection) -> None:
    say(
        conn,
        visited(uid(40), QIN, "met", date="2020-12-01"),
        visited(uid(41), MO, "not-home", date="2020-12-20"),
        visited(uid(42), QIN, "moved", date="2020-12-25"),
        Fact(TOWN, "visit.voided", uid(42), {"reason": "录错"}),
    )
    assert last_visits(conn, [QIN, MO, LAN]) == {
        QIN: LastVisit("2020-12-01", "met"), MO: LastVisit("2020-12-20", "not-home"),
    }  # fmt: skip
    say(conn, Fact(TOWN, "household.merged", MO, {"into": QIN, "reason": "同一户"}))
    assert last_visits(conn, [QIN, LAN]) == {QIN: LastVisit("2020-12-20", "not-home")}
