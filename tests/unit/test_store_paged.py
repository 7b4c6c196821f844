"""Lists for programs on both databases: pages of any size are the whole list once; a key is of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store import tokens
from aidvisit.store.database import writing
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import paged
from tests.support.store import (
    NOW,
    TRIP,
    VILLAGE,
    allotted,
    centre,
    delivered,
    item,
    moved,
    opened,
    planned,
    registered,
    say,
    uid,
    visited,
)

HOMES = [uid(number) for number in range(1, 8)]
FAR_TOWN, FAR_VILLAGE, FAR = "441226101", "441226101201", uid(99)
NEAR = Scope((VILLAGE,))

By = Callable[..., Sequence[Any]]
LISTS: dict[str, tuple[By, Callable[[Any], Sequence[str]], int, int]] = {
    "households": (paged.households, lambda row: (row.division, row.id), 8, 7),
    "trips": (paged.trips, lambda row: (row.starts, row.id), 2, 0),
    "deliveries": (paged.deliveries, lambda row: (row.date, row.id), 7, 7),
    "visits": (paged.visits, lambda row: (row.date, row.id), 8, 7),
    "moves": (paged.moves, lambda row: (row.id,), 3, 0),
    "allotments": (
        lambda conn, scope, **more: paged.allotments(conn, TRIP, scope, **more),
        lambda row: (row.household, row.item), 7, 7,
    ),
}  # fmt: skip
"""By list: how it is read, the key of a row, how many there are, and how many in one village."""


@pytest.fixture
def town(database_url: str) -> Iterator[Connection]:
    """Seven households of a trip, each delivered to and visited on one of three days; and one far away."""
    with centre(database_url) as conn:
        say(conn, item("rice", "大米", "袋"), planned(), planned(uid(950)), *(registered(home, "户") for home in HOMES))
        say(conn, allotted(*((home, "rice", 1) for home in HOMES)))
        for number, home in enumerate(HOMES):
            day = f"2020-12-{28 + number % 3}"
            say(conn, delivered(uid(100 + number), home, {"rice": 1}, date=day))
            say(conn, visited(uid(200 + number), home, "met", date=day))
        for fact in (registered(FAR, "远", division=FAR_VILLAGE), visited(uid(299), FAR, "met")):
            say(conn, Fact(FAR_TOWN, fact.kind, fact.subject, fact.body))
        say(conn, *(moved(uid(300 + one), "warehouse:main", f"truck:{TRIP}", rice=one) for one in (1, 2, 3)))
        yield conn


@pytest.mark.parametrize("name", LISTS)
def test_pages_of_any_size_are_the_whole_list_once_and_keep_to_the_scope(town: Connection, name: str) -> None:
    read, key, every, near = LISTS[name]
    whole = [tuple(row) for row in read(town, EVERYTHING, limit=100)]
    assert len(whole) == every
    assert len(read(town, NEAR, limit=100)) == near
    for limit in (1, 3):
        found: list[Any] = []
        while rows := read(town, EVERYTHING, limit=limit, after=key(found[-1]) if found else None):
            found += rows
        assert [tuple(row) for row in found] == whole


def test_what_happened_is_narrowed_by_day_trip_household_and_place(town: Connection) -> None:
    def ids(**wanted: str) -> set[str]:
        return {row.id for row in paged.deliveries(town, EVERYTHING, limit=100, **wanted)}

    assert ids(from_="2020-12-29", until="2020-12-29") == {uid(101), uid(104)}
    assert ids(household=HOMES[0]) == {uid(100)}
    assert ids(trip=uid(950)) == set()
    assert ids(division=FAR_VILLAGE) == set()
    assert ids(division="4412", trip=TRIP) == {uid(100 + number) for number in range(7)}
    assert {line.quantity for lines in paged.delivery_lines(town, [uid(100), uid(101)]).values() for line in lines} == {
        1
    }


def test_a_key_that_is_asked_twice_at_once_is_answered_once(database_url: str) -> None:
    """The second waits for the first, and is told what that one said."""
    told: list[Any] = []
    with opened(database_url) as engine:
        ready = Barrier(3)

        def ask(number: int) -> None:
            ready.wait()
            with writing(engine) as conn:
                before = tokens.answered(conn, uid(1), "key", "asked", NOW)
                if before is None:
                    tokens.say(conn, uid(1), "key", {"id": number})
                told.append(before.said if before else None)

        asking = [Thread(target=ask, args=(number,)) for number in range(3)]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
    assert told.count(None) == 1
    (said,) = {str(one) for one in told if one is not None}
    assert said in {str({"id": number}) for number in range(3)}


def test_an_answer_is_told_for_ninety_days(database_url: str) -> None:
    with opened(database_url) as engine, writing(engine) as conn:
        assert tokens.answered(conn, uid(1), "key", "asked", NOW) is None
        tokens.say(conn, uid(1), "key", {"id": 1})
        later = NOW + tokens.KEPT
        assert tokens.answered(conn, uid(1), "key", "asked", later) is not None
        assert tokens.answered(conn, uid(2), "key", "asked", later) is None
        assert tokens.answered(conn, uid(1), "key", "asked", later + tokens.KEPT) is None
