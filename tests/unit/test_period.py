"""A closed month keeps its figures; what differs now is accounted for fact by fact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.ledger import Fact, record
from aidvisit.store.queries import period
from aidvisit.store.queries.period import Closed
from sync import log
from tests.support.store import NOW, TOWN, TRUCK, delivered, moved, say, uid
from tests.support.village import LAN, MO, QIN, TAO, village

FIRST, LAST = "2020-12-01", "2020-12-31"
MAIN = "warehouse:main"


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with village(database_url) as conn:
        say(
            conn,
            moved(uid(100), MAIN, TRUCK, rice=10),
            delivered(uid(20), QIN, {"rice": 2}),
            delivered(uid(21), MO, {"rice": 1, "oil": 1}),
            delivered(uid(22), LAN, {"rice": 1}, date="2021-01-02"),
        )
        yield conn


def close(conn: Connection, scope: Scope = EVERYTHING) -> Closed:
    figures = period.figures(conn, FIRST, LAST, scope)
    return Closed("x", FIRST, LAST, NOW.isoformat(), uid(1), uid(2), scope, figures, {"rice": 5000})


def later(conn: Connection, minutes: int, *facts: Fact) -> None:
    record(conn, log.own(conn), *facts, now=NOW + timedelta(minutes=minutes))


def void(delivery: str) -> Fact:
    return Fact(TOWN, "delivery.voided", delivery, {"reason": "记错户"})


def told(view: period.Period) -> list[tuple[str, str, dict[str, dict[str, int]]]]:
    return [(one.kind, one.source, {of: dict(sums) for of, sums in one.figures.items()}) for one in view.changes]


def test_a_month_in_which_nothing_came_in_later_is_as_it_was(conn: Connection) -> None:
    view = period.period(conn, close(conn))
    assert (view.changes, view.unknown) == ([], {})
    rice = next(row for row in view.rows if row.item == "rice")
    assert (rice.closed, rice.value_fen) == (rice.now, 15000)
    assert (rice.closed["loaded"], rice.closed["delivered"]) == (10, 3)


def test_each_later_fact_says_what_it_changed(conn: Connection) -> None:
    closed = close(conn)
    later(conn, 10, delivered(uid(30), TAO, {"rice": 1}))
    later(conn, 20, void(uid(20)))
    later(conn, 30, delivered(uid(31), MO, {"rice": 3}, replaces=uid(21), date="2021-01-05"))
    later(conn, 40, moved(uid(101), TRUCK, MAIN, rice=2), delivered(uid(32), TAO, {"oil": 1}, date="2021-02-01"))
    later(conn, 50, void(uid(22)))
    view = period.period(conn, closed)
    assert told(view) == [
        ("stock.moved", uid(101), {"returned": {"rice": 2}}),
        ("delivery.replaced", uid(31), {"delivered": {"rice": -1, "oil": -1}}),
        ("delivery.voided", uid(20), {"delivered": {"rice": -2}}),
        ("delivery.recorded", uid(30), {"delivered": {"rice": 1}}),
    ]
    assert view.unknown == {}
    assert [one.household_name for one in view.changes] == ["", "莫德厚", "覃桂香", "陶安石"]
    assert next(one.reason for one in view.changes if one.kind == "delivery.voided") == "记错户"


def test_what_was_recorded_and_voided_since_has_changed_nothing(conn: Connection) -> None:
    closed = close(conn)
    later(conn, 10, delivered(uid(30), TAO, {"rice": 1}))
    later(conn, 20, void(uid(30)))
    assert told(period.period(conn, closed)) == []


def test_only_what_lies_within_its_scope_is_told(conn: Connection) -> None:
    closed = close(conn, Scope(("440785",), frozenset({uid(3)})))
    later(conn, 10, void(uid(20)), moved(uid(101), TRUCK, MAIN, rice=2))
    view = period.period(conn, closed)
    assert (view.rows, view.changes, view.unknown) == ([], [], {})


@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_in_later_the_changes_add_up(conn: Connection, seed: int) -> None:
    chance = Random(seed)
    homes, known = [QIN, MO, LAN, TAO], {QIN: [uid(20)], MO: [uid(21)], LAN: [uid(22)], TAO: []}

    def some(number: int) -> Fact:
        home = chance.choice(homes)
        held = known[home]
        what = chance.random()
        if what < 0.3 and held:
            return void(chance.choice(held))
        if what < 0.45:
            return moved(uid(500 + number), *chance.choice([(MAIN, TRUCK), (TRUCK, MAIN)]), rice=chance.randint(1, 3))
        more = {"replaces": chance.choice(held)} if held and chance.random() < 0.6 else {}
        day = chance.choice(["2020-12-05", "2020-12-30", "2021-01-03"])
        fact = delivered(uid(600 + number), home, {"rice": chance.randint(1, 4)}, date=day, **more)
        held.append(fact.subject)
        return fact

    say(conn, *(some(number) for number in range(8)))
    closed = close(conn)
    for number in range(8, 24):
        later(conn, number, some(number))
    view = period.period(conn, closed)
    assert view.unknown == {}
    for row in view.rows:
        for of in period.COLUMNS:
            changed = sum(one.figures.get(of, {}).get(row.item, 0) for one in view.changes)
            assert row.closed[of] + changed == row.now[of]
