"""A trip is closed when all of it is accounted for; what comes in afterwards is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from aidvisit.domain.balance import unexplained
from aidvisit.domain.selection import SEVERAL, UNKNOWN, Selection
from aidvisit.store.ledger import Fact, record
from aidvisit.store.queries.closing import late, steps
from aidvisit.store.queries.lots import by_lot
from aidvisit.store.queries.reconcile import ItemRow, reconcile
from sync import log
from tests.support.store import NOW, TOWN, TRIP, TRIP_STREAM, TRUCK, counted, delivered, moved, say, uid
from tests.support.village import DAY, LAN, MO, QIN, TAO, village

MAIN = "warehouse:main"


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with village(database_url) as conn:
        say(conn, moved(uid(100), MAIN, TRUCK, rice=10), delivered(uid(20), QIN, {"rice": 6}))
        yield conn


def rice(conn: Connection) -> ItemRow:
    return next(row for row in reconcile(conn, TRIP).items if row.item == "rice")


def later(conn: Connection, minutes: int, *facts: Fact) -> None:
    record(conn, log.own(conn), *facts, now=NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("difference", "explained", "left"),
    [(2, 0, 2), (2, 2, 0), (2, 1, 1), (2, 3, 0), (2, -1, 2), (-2, -1, -1), (-2, 2, -2), (0, 2, 0)],
)
def test_a_reason_covers_as_much_as_it_was_given_for(difference: int, explained: int, left: int) -> None:
    assert unexplained(difference, explained) == left


def test_what_is_still_on_the_truck_has_to_come_back_first(conn: Connection) -> None:
    assert (rice(conn).still_there, rice(conn).missing, rice(conn).settled) == (4, 0, False)
    say(conn, moved(uid(101), TRUCK, MAIN, rice=4))
    assert rice(conn).settled


def test_what_a_count_misses_needs_a_reason_of_its_size(conn: Connection) -> None:
    say(conn, counted(uid(110), rice=2), moved(uid(101), TRUCK, MAIN, rice=2))
    assert (rice(conn).still_there, rice(conn).missing, rice(conn).settled) == (0, 2, False)
    why = [{"item": "rice", "difference": 1, "reason": "破了一袋"}]
    say(conn, counted(uid(111), why, rice=0))
    assert (rice(conn).missing, rice(conn).explained) == (1, "破了一袋")
    say(conn, counted(uid(112), [{**why[0], "difference": 2}], rice=0))
    assert rice(conn).settled
    say(conn, Fact(TOWN, "delivery.voided", uid(20), {"reason": "记错户"}))
    assert (rice(conn).missing, rice(conn).settled) == (6, False)


def test_a_loss_that_is_recorded_later_needs_no_reason_beside_it(conn: Connection) -> None:
    why = [{"item": "rice", "difference": 4, "reason": "路上破了"}]
    say(conn, counted(uid(110), why, rice=0))
    assert rice(conn).settled
    say(conn, moved(uid(101), TRUCK, f"loss:{TRIP}", rice=4))
    assert (rice(conn).missing, rice(conn).settled) == (0, True)


def test_too_many_have_to_be_accounted_for_as_well(conn: Connection) -> None:
    say(conn, moved(uid(101), TRUCK, MAIN, rice=5))
    assert (rice(conn).still_there, rice(conn).settled) == (-1, False)
    say(conn, moved(uid(102), f"gain:{TRIP}", TRUCK, rice=1))
    assert rice(conn).settled


def test_what_comes_in_after_the_closing_is_listed(conn: Connection) -> None:
    say(conn, delivered(uid(21), MO, {"rice": 1}))
    assert late(conn, TRIP) == []
    later(conn, 10, Fact(TRIP_STREAM, "trip.closed", TRIP, {"note": "都对"}))
    later(conn, 20, delivered(uid(22), LAN, {"rice": 1}), moved(uid(103), TRUCK, MAIN, rice=2))
    later(conn, 30, Fact(TOWN, "delivery.voided", uid(21), {"reason": "记错户"}))
    later(conn, 40, delivered(uid(23), TAO, {"rice": 1}, trip=None))
    found = late(conn, TRIP)
    assert [(one.kind, one.source, one.household_name) for one in found] == [
        ("delivery.voided", uid(21), "莫德厚"),
        ("stock.moved", uid(103), ""),
        ("delivery.recorded", uid(22), "蓝水妹"),
    ]
    assert [line.quantity for one in found for line in one.lines] == [1, 2, 1]
    view = reconcile(conn, TRIP)
    assert view.late == found
    assert [(one.closed, one.why) for one in view.steps] == [(True, "都对")]
    later(conn, 50, Fact(TRIP_STREAM, "trip.reopened", TRIP, {"reason": "漏了一户"}))
    later(conn, 60, Fact(TRIP_STREAM, "trip.closed", TRIP, {}))
    assert late(conn, TRIP) == []
    assert [(one.closed, one.why) for one in steps(conn, TRIP)] == [(True, None), (False, "漏了一户"), (True, "都对")]


def test_given_from_elsewhere_is_said_beside_what_came_from_the_truck(conn: Connection) -> None:
    say(conn, delivered(uid(21), MO, {"rice": 1}, **{"from": "held:village"}))
    assert (rice(conn).delivered, reconcile(conn, TRIP).elsewhere) == (6, {"rice": 1})


def test_lots_are_told_apart_as_far_as_they_were_written_down(conn: Connection) -> None:
    def loaded(identity: str, item: str, quantity: int, lot: str | None) -> Fact:
        line = {"item": item, "quantity": quantity} | ({"lot": lot} if lot else {})
        return Fact(TRIP_STREAM, "stock.moved", identity, {"from": MAIN, "to": TRUCK, "date": DAY, "lines": [line]})

    def rows() -> dict[tuple[str, str], tuple[int, int]]:
        found = by_lot(conn, Selection(trip=TRIP))
        return {(one.item, one.lot): (one.figures.get("loaded", 0), one.figures.get("handed", 0)) for one in found}

    assert rows() == {("rice", UNKNOWN): (10, 6)}
    say(conn, loaded(uid(120), "oil", 5, "A"), delivered(uid(21), MO, {"oil": 2}))
    assert rows() == {("rice", UNKNOWN): (10, 6), ("oil", "A"): (5, 2)}
    say(conn, loaded(uid(121), "oil", 5, "B"), loaded(uid(122), "rice", 1, "C"))
    assert rows() == {
        ("rice", UNKNOWN): (10, 0), ("rice", SEVERAL): (0, 6), ("rice", "C"): (1, 0),
        ("oil", "A"): (5, 0), ("oil", "B"): (5, 0), ("oil", SEVERAL): (0, 2),
    }  # fmt: skip
