"""Reconciliation over many trips: each way to sum gives the same whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import Selection
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import over_trips
from tests.support.store import TEAM, TOWN, TRIP, TRUCK, VILLAGE, delivered, moved, planned, registered, say, uid
from tests.support.village import DAY, LAN, MO, QIN, TAO, village

SECOND, THIRD, OTHER_TEAM = uid(950), uid(951), uid(902)
LATER = "2021-02-01"


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    """Two trips of one tour and one of another team, whose goods are all back."""
    with village(database_url) as conn:
        body = {"name": "慰问二队", "type": "team", "level": 3, "divisions": [VILLAGE]}
        say(
            conn,
            Fact("org", "team.defined", OTHER_TEAM, body),
            planned(SECOND, title="第二车", tour="春节", starts="2021-01-05", ends="2021-01-05"),
            planned(THIRD, title="第三车", team=OTHER_TEAM, tour="春节", starts="2021-01-09", ends="2021-01-09"),
            moved(uid(100), "warehouse:main", TRUCK, rice=10, oil=1),
            delivered(uid(20), QIN, {"rice": 2}),
            *of_trip(SECOND, 5, MO, uid(21), uid(101)),
            *of_trip(THIRD, 2, LAN, uid(22), uid(102)),
            moved_to(THIRD, uid(103), 1),
        )
        yield conn


def of_trip(trip: str, loaded: int, household: str, delivery: str, move: str) -> list[Fact]:
    stream, lines = f"trip-{trip}", [{"household": household, "item": "rice", "quantity": 2}]
    body = {"from": "warehouse:main", "to": f"truck:{trip}", "date": DAY}
    return [
        Fact(stream, "allocation.set", trip, {"lines": lines}),
        Fact(stream, "stock.moved", move, {**body, "lines": [{"item": "rice", "quantity": loaded}]}),
        delivered(delivery, household, {"rice": 1}, trip=trip, date="2021-01-05"),
    ]


def moved_to(trip: str, move: str, quantity: int) -> Fact:
    body = {"from": f"truck:{trip}", "to": "warehouse:main", "date": DAY}
    return Fact(f"trip-{trip}", "stock.moved", move, {**body, "lines": [{"item": "rice", "quantity": quantity}]})


def rice(rows: list[over_trips.Total]) -> dict[str, int]:
    return dict(next(row.figures for row in rows if row.item == "rice"))


def test_a_tour_a_team_and_a_period_by_item(conn: Connection) -> None:
    def of(scope: Scope = EVERYTHING, **asked: str) -> dict[str, int]:
        return rice(over_trips.by_item(conn, Selection(**asked), scope, today=LATER))

    assert of() == {"allocated": 9, "loaded": 17, "handed": 4, "returned": 1, "on-truck": 12}
    assert of(tour=SECOND) == {"allocated": 4, "loaded": 7, "handed": 2, "returned": 1, "on-truck": 4}
    assert of(team=TEAM) == {"allocated": 7, "loaded": 15, "handed": 3, "on-truck": 12}
    assert of(trips_from="2021-01-01", trips_until="2021-01-06")["loaded"] == 5
    assert of(Scope((VILLAGE,), frozenset({OTHER_TEAM})))["loaded"] == 2


def test_by_team_and_by_trip_are_parts_of_the_whole(conn: Connection) -> None:
    teams = over_trips.by_team(conn, Selection(), today=LATER)
    assert [(team.name, rice(team.totals)["loaded"]) for team in teams] == [("慰问一队", 15), ("慰问二队", 2)]
    rows, more = over_trips.by_trip(conn, Selection(), today=LATER)
    assert not more
    assert [(row.trip.id, rice(row.totals)["loaded"]) for row in rows] == [(THIRD, 2), (SECOND, 5), (TRIP, 10)]
    left = {row.trip.id: [(one.item, one.still_there) for one in row.unsettled] for row in rows}
    assert left == {THIRD: [], SECOND: [("rice", 4)], TRIP: [("rice", 8), ("oil", 1)]}
    some, more = over_trips.by_trip(conn, Selection(), today=LATER, limit=2)
    assert more
    assert [row.trip.id for row in some] == [THIRD, SECOND]
    rest, more = over_trips.by_trip(conn, Selection(), today=LATER, after=SECOND, limit=2)
    assert ([row.trip.id for row in rest], more) == ([TRIP], False)


def test_trips_that_are_over_and_not_closed(conn: Connection) -> None:
    say(conn, Fact(f"trip-{THIRD}", "trip.closed", THIRD, {}))
    rows, _more = over_trips.by_trip(conn, Selection(), today="2021-01-06", still_open=True)
    assert [row.trip.id for row in rows] == [SECOND, TRIP]


def test_by_household_also_one_that_another_was_merged_into(conn: Connection) -> None:
    say(conn, Fact(TOWN, "household.merged", MO, {"into": QIN, "reason": "同一户"}), registered(uid(7), "没份的人"))
    rows, more = over_trips.by_household(conn, Selection(), today=LATER)
    assert not more
    parts = {row.id: (row.allocated, row.delivered, row.owed) for row in rows}
    found = {one: tuple(sum(each.quantity for each in part) for part in own) for one, own in parts.items()}
    assert found == {QIN: (6, 3, 3), LAN: (3, 1, 2), TAO: (1, 0, 1)}
    assert {row.id: row.signed for row in rows}[QIN] == "thumbprint"
    mine, _more = over_trips.by_household(conn, Selection(trip=SECOND), today=LATER)
    assert [(row.id, [one.quantity for one in row.owed]) for row in mine] == [(QIN, [1])]
    say(conn, delivered(uid(30), TAO, {"rice": 1}))
    owed, _more = over_trips.by_household(conn, Selection(), today=LATER, owed=True)
    assert [row.id for row in owed] == [QIN, LAN]
    first, more = over_trips.by_household(conn, Selection(), today=LATER, limit=1)
    second, last = over_trips.by_household(conn, Selection(), today=LATER, after=first[0].id, limit=2)
    assert ([row.id for row in first + second], more, last) == ([QIN, LAN, TAO], True, False)


def test_tours_are_named_by_one_of_their_trips(conn: Connection) -> None:
    assert over_trips.tours(conn) == [over_trips.Tour("春节", THIRD, 2)]
    assert over_trips.tours(conn, Scope((), frozenset({uid(3)}))) == []
