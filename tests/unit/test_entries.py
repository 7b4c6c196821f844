"""A figure and the entries that it opens are the same lines, whatever is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import COLUMNS, SEVERAL, UNKNOWN, Of, Selection, of_arguments
from aidvisit.store.database import open_engine, viewing
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import entries, figures
from aidvisit.store.queries.names import names
from aidvisit.store.queries.truck import balances
from tests.support.store import (
    TEAM,
    TOWN,
    TRIP,
    TRIP_STREAM,
    TRUCK,
    delivered,
    moved,
    planned,
    registered,
    say,
    statements,
    uid,
)
from tests.support.village import DAY, LAN, MO, QIN, TAO, village

OTHER, AWAY = uid(950), uid(5)
MAIN, THERE = "warehouse:main", "441226101"


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    """A trip with every movement there is, a second one of the same tour, and a household in another county."""
    with village(database_url) as conn:
        say(
            conn,
            stock(uid(100), "donor:ai", MAIN, ("rice", 50, "A")),
            stock(uid(101), "donor:bo", MAIN, ("rice", 50, "B"), ("oil", 20, None)),
            stock(uid(102), MAIN, TRUCK, ("rice", 10, "A"), ("oil", 5, None), stream=TRIP_STREAM),
            moved(uid(103), f"gain:{TRIP}", TRUCK, rice=2),
            moved(uid(104), TRUCK, f"gain:{TRIP}", rice=1),
            delivered(uid(20), QIN, {"rice": 2, "oil": 1}),
            delivered(uid(21), MO, {"rice": 1}),
            delivered(uid(22), LAN, {"oil": 1}, trip=None, date="2020-12-29"),
            delivered(uid(23), TAO, {"rice": 1}, **{"from": "held:village"}),
            moved(uid(105), TRUCK, MAIN, rice=3),
            moved(uid(106), TRUCK, f"loss:{TRIP}", oil=1),
            moved(uid(107), f"loss:{TRIP}", TRUCK, oil=1),
            moved(uid(108), TRUCK, "held:village", rice=1),
            moved(uid(109), f"household:{MO}", TRUCK, rice=1),
            planned(OTHER, title="第二车", tour="四月", starts="2021-01-02", ends="2021-01-02"),
            Fact(TRIP_STREAM, "trip.updated", TRIP, {"set": {"tour": "四月"}, "base": {"tour": []}}),
            stock(uid(110), MAIN, f"truck:{OTHER}", ("rice", 4, "A"), ("rice", 4, "B"), stream=f"trip-{OTHER}"),
            replace(registered(AWAY, "远处人", division="441226101201"), stream=THERE),
            replace(delivered(uid(24), AWAY, {"rice": 3}, trip=OTHER, date="2021-01-02"), stream=THERE),
        )  # fmt: skip
        yield conn


def stock(identity: str, source: str, target: str, *lines: tuple[str, int, str | None], stream: str = "org") -> Fact:
    named = [{"item": item, "quantity": quantity} | ({"lot": lot} if lot else {}) for item, quantity, lot in lines]
    body = {"from": source, "to": target, "date": DAY, "lines": named}
    return Fact(stream, "stock.moved", identity, body)


def total(conn: Connection, of: Of, scope: Scope = EVERYTHING, **asked: str) -> dict[str, int]:
    """The figure, which its entries add up to."""
    selection = Selection(**asked)
    found = entries.totals(conn, of, selection, scope, today=DAY)
    rows, more = entries.page(conn, of, selection, scope, today=DAY)
    assert not more
    assert len(rows) == entries.count(conn, of, selection, scope, today=DAY)
    summed: dict[str, int] = {}
    for row in rows:
        summed[row.item] = summed.get(row.item, 0) + row.quantity
    assert summed == found
    return found


def test_the_columns_of_a_trip_are_its_balance(conn: Connection) -> None:
    columns = [name for name in COLUMNS if name not in ("allocated", "delivered", "received")]
    for trip in (TRIP, OTHER):
        figures = {of: total(conn, of, trip=trip) for of in columns}
        for item, line in balances(conn, trip).items():
            one = {of: figures[of].get(item, 0) for of in columns}
            assert one == {
                "loaded": line.loaded, "gained": line.gained, "handed": line.delivered, "returned": line.returned,
                "lost": line.lost, "held": line.held, "on-truck": line.on_truck,
            }  # fmt: skip


def test_all_columns_of_the_trucks_at_once_are_what_each_is(conn: Connection) -> None:
    columns = [name for name in COLUMNS if name not in ("allocated", "delivered", "received")]
    for asked in (Selection(), Selection(tour=TRIP, item="rice"), Selection(donor="ai"), Selection(household=MO)):
        for by in (("item",), ("trip", "item"), ("team", "item")):
            whole = figures.balances(conn, asked, by=by)
            for of in columns:
                own = {key: line[of] for key, line in whole.items() if of in line}
                assert own == entries.totals(conn, of, asked, today=DAY, by=by)
    one = figures.balances(conn, Selection(), by=("trip", "item"), only=[OTHER])
    assert one == {(OTHER, "rice"): {"loaded": 8, "handed": 3, "on-truck": 5}}
    assert figures.balances(conn, Selection(category="dibao")) == {}
    assert entries.totals(conn, "delivered", Selection(), today=DAY, by=("team",)) == {TEAM: 8, None: 1}


def test_over_many_trips_the_columns_are_the_sum_of_theirs(conn: Connection) -> None:
    assert total(conn, "loaded", tour=OTHER) == {"rice": 18, "oil": 5} == total(conn, "loaded")
    assert total(conn, "loaded", tour=TRIP, trips_until=DAY) == {"rice": 10, "oil": 5}
    assert total(conn, "loaded", trips_from="2021-01-01") == {"rice": 8}
    assert total(conn, "loaded", team=TEAM) == {"rice": 18, "oil": 5}
    assert total(conn, "loaded", team=uid(3)) == {}


def test_what_households_received_counts_also_without_a_trip(conn: Connection) -> None:
    assert total(conn, "delivered") == {"rice": 7, "oil": 2}
    assert total(conn, "delivered", trip=TRIP) == {"rice": 4, "oil": 1}
    assert total(conn, "delivered", trip=TRIP, place="truck") == {"rice": 3, "oil": 1}
    assert total(conn, "delivered", place="held:village") == {"rice": 1}
    assert total(conn, "delivered", until="2020-12-29") == {"oil": 1}
    assert total(conn, "delivered", item="rice", from_="2021-01-01") == {"rice": 3}
    assert total(conn, "delivered", category="dibao") == {"rice": 2, "oil": 1}
    assert total(conn, "delivered", division="441226") == {"rice": 3}
    assert total(conn, "delivered", class_="food", household=MO) == {"rice": 1}
    assert total(conn, "delivered", class_="cash") == {}
    assert total(conn, "allocated") == {"rice": 5, "oil": 1}
    assert total(conn, "allocated", household=QIN, team=TEAM) == {"rice": 2, "oil": 1}


def test_a_voided_delivery_is_no_entry(conn: Connection) -> None:
    say(conn, Fact(TOWN, "delivery.voided", uid(20), {"reason": "记错户"}))
    assert total(conn, "delivered", trip=TRIP) == {"rice": 2}
    assert total(conn, "handed", trip=TRIP) == {"rice": 0}


def test_a_merged_household_counts_for_the_one_that_it_was_merged_into(conn: Connection) -> None:
    say(conn, Fact(TOWN, "household.merged", MO, {"into": QIN, "reason": "同一户"}))
    assert total(conn, "delivered", household=QIN) == {"rice": 3, "oil": 1} == total(conn, "delivered", household=MO)
    assert total(conn, "delivered", category="dibao") == {"rice": 3, "oil": 1}
    row = entries.page(conn, "delivered", Selection(household=MO, item="rice"), today=DAY)[0][0]
    assert (row.household, row.household_name) == (QIN, "覃桂香")


def test_a_lot_is_the_lines_own_else_the_only_one_of_its_truck_and_never_guessed(conn: Connection) -> None:
    assert total(conn, "delivered", lot="A") == {"rice": 3}
    assert total(conn, "delivered", donor="ai") == {"rice": 3}
    assert total(conn, "delivered", lot="B") == total(conn, "delivered", donor="bo") == {}
    assert total(conn, "returned", donor="ai") == {"rice": 3}
    assert total(conn, "loaded", donor="ai") == {"rice": 14}
    assert total(conn, "loaded", lot="B") == {"rice": 4}
    assert total(conn, "received", donor="bo") == {"rice": 50, "oil": 20}
    rows = {row.source: row for row in entries.page(conn, "delivered", Selection(item="rice"), today=DAY)[0]}
    assert (rows[uid(20)].lot, rows[uid(20)].donor, rows[uid(20)].several) == ("A", "donor:ai", False)
    assert (rows[uid(24)].lot, rows[uid(24)].several) == (None, True)
    assert (rows[uid(23)].lot, rows[uid(23)].several) == (None, False)


def test_what_a_column_knows_nothing_of_makes_it_nothing(conn: Connection) -> None:
    assert total(conn, "loaded", category="dibao") == total(conn, "received", team=TEAM) == {}
    assert total(conn, "allocated", donor="ai") == total(conn, "handed", method="cash") == {}


def test_what_lies_outside_a_scope_is_no_part_of_its_figures(conn: Connection) -> None:
    ours, theirs = Scope(("441225",), frozenset({uid(3)})), Scope(("441226",), frozenset({uid(3)}))
    nobody = Scope((), frozenset({uid(3)}))
    assert total(conn, "delivered", ours) == {"rice": 4, "oil": 2}
    assert total(conn, "delivered", theirs) == {"rice": 3}
    assert total(conn, "delivered", nobody) == total(conn, "loaded", ours) == total(conn, "allocated", nobody) == {}
    own = Scope((), frozenset({TEAM}))
    assert total(conn, "loaded", own) == {"rice": 18, "oil": 5}
    assert total(conn, "delivered", own) == {
        "rice": 7,
        "oil": 1,
    }
    row = entries.page(conn, "delivered", Selection(household=AWAY), own, today=DAY)[0][0]
    assert row.household_name == ""
    assert names(conn, Selection(household=AWAY, trip=TRIP), ours) == {
        "household": "",
        "trip": "",
    }


def test_a_file_has_every_entry_in_the_order_of_the_pages(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    for span in (1, 2, 1000):
        monkeypatch.setattr(entries, "SPAN", span)
        for of in COLUMNS:
            number, rows = entries.every(conn, of, Selection(), today=DAY)
            found = list(rows)
            assert found == entries.page(conn, of, Selection(), today=DAY)[0], (of, span)
            assert len(found) == number


def test_a_file_is_read_a_few_rows_at_a_time_and_the_merges_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with village(database_url) as conn:
        say(conn, *(delivered(uid(20 + number), home, {"rice": 1}) for number, home in enumerate((QIN, MO, LAN))))
        say(conn, Fact(TOWN, "household.merged", MO, {"into": QIN, "reason": "同一户"}))
    monkeypatch.setattr(entries, "STEP", 1)
    engine = open_engine(database_url)
    with viewing(engine) as conn, statements(conn) as seen:
        rows = entries.every(conn, "delivered", Selection(), today=DAY)[1]
        found = [next(rows)]
        if conn.dialect.name == "postgresql":  # the server has the others
            assert conn.exec_driver_sql("SELECT count(*) FROM pg_cursors").scalar() == 1
        found += rows
    engine.dispose()
    assert [one.household for one in found] == [LAN, QIN, QIN]
    assert sum("IS NOT NULL" in one and "into" in one for one in seen) == 1


def test_a_page_goes_on_where_the_last_one_ended(conn: Connection) -> None:
    for of in COLUMNS:
        whole = entries.page(conn, of, Selection(), today=DAY)[0]
        assert [one.date for one in whole] == sorted((one.date for one in whole), reverse=True)
        read, after, more = [], "", True
        while more:
            rows, more = entries.page(conn, of, Selection(), today=DAY, after=after, limit=2)
            read, after = read + rows, rows[-1].key
        assert read == whole
        assert len({one.key for one in read}) == len(read)


def test_figures_by_other_columns(conn: Connection) -> None:
    by = entries.totals(conn, "delivered", Selection(item="rice"), today=DAY, by=("household", "date"))
    assert by == {(QIN, DAY): 2, (MO, DAY): 1, (TAO, DAY): 1, (AWAY, "2021-01-02"): 3}
    assert entries.totals(conn, "delivered", Selection(item="rice"), today=DAY, by=("from_place",)) == {
        TRUCK: 3, "held:village": 1, f"truck:{OTHER}": 3,
    }  # fmt: skip


def test_an_address_says_what_is_asked_for_and_nothing_that_cannot_be() -> None:
    asked = Selection(from_="2020-01-01", class_="food", trip=TRIP, place="truck", division="441225")
    assert of_arguments(asked.arguments | {"of": "loaded", "after": "x"}) == asked
    assert asked.arguments["from"] == "2020-01-01"
    assert asked.but(from_="").from_ == ""
    for bad in ({"trip": "x"}, {"from": "2020-13-01"}, {"division": "44x"}, {"place": "moon"}, {"lot": "x" * 101}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            of_arguments(bad)


def test_lots_and_donors_that_nobody_knows_are_asked_for_as_such(conn: Connection) -> None:
    assert total(conn, "handed", lot=SEVERAL) == {"rice": 3}
    assert total(conn, "handed", lot=UNKNOWN) == {"oil": 1, "rice": -1}
    assert total(conn, "handed", item="rice", donor=UNKNOWN) == {"rice": 2}
    every = total(conn, "handed")
    for field, values in (("lot", ("A", "B", SEVERAL, UNKNOWN)), ("donor", ("ai", "bo", UNKNOWN))):
        parts = [total(conn, "handed", **{field: value}) for value in values]
        assert {item: sum(part.get(item, 0) for part in parts) for item in every} == every
