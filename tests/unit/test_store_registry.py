"""What the pages of households ask the store: villages to choose, conflicts a page at a time, what was given last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from aidvisit.domain.facts import division_subject
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import conflict, village
from aidvisit.store.queries.received import latest
from aidvisit.store.queries.village import Area
from tests.support.store import LAPTOP, TOWN, arrive, centre, delivered, op, registered, say, uid

NAMES = {
    "441225": "封开县", TOWN: "大玉口镇", f"{TOWN}207": "民强村民委员会", f"{TOWN}208": "寨河村民委员会",
    "441225113": "江口街道", "441225113201": "民强社区居民委员会",
    "441226": "德庆县", "441226101": "新圩镇", "441226101201": "100%村",
}  # fmt: skip


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with centre(database_url) as conn:
        for code, name in NAMES.items():
            say(conn, Fact("org", "division.defined", division_subject(code), {"code": code, "name": name}))
        yield conn


def test_a_village_is_chosen_by_steps_and_the_only_one_is_chosen_already(conn: Connection) -> None:
    everywhere = Area(EVERYTHING)
    found = village.choice(conn, everywhere)
    assert ([code for code, _ in found.counties], found.county, found.towns) == (["441225", "441226"], "", [])
    found = village.choice(conn, everywhere, county="441226")
    assert (found.town, found.village) == ("441226101", "441226101201")
    found = village.choice(conn, everywhere, village=f"{TOWN}208")
    assert (found.county, found.town, found.village) == ("441225", TOWN, f"{TOWN}208")
    assert found.villages == [(f"{TOWN}207", "民强村民委员会"), (f"{TOWN}208", "寨河村民委员会")]
    found = village.choice(conn, everywhere, county="441225", town="441225113", village=f"{TOWN}208")
    assert found.village == "441225113201"  # what does not lie in the town that was chosen is chosen no more


def test_a_county_has_the_name_that_ships_when_nobody_defined_it(conn: Connection) -> None:
    for code, name in {"440785108": "大槐镇", "440785108203": "大槐村民委员会"}.items():
        say(conn, Fact("org", "division.defined", division_subject(code), {"code": code, "name": name}))
    assert ("440785", "恩平市") in village.choice(conn, Area(EVERYTHING)).counties


@pytest.mark.parametrize(
    ("area", "codes"),
    [
        (Area(EVERYTHING), [f"{TOWN}207", "441225113201"]),
        (Area(EVERYTHING, (TOWN,)), [f"{TOWN}207"]),
        (Area(EVERYTHING, ()), []),
        (Area(Scope(("441225113",))), ["441225113201"]),
        (Area(Scope(("441225113",)), (TOWN,)), []),
        (Area(Scope()), []),
    ],
)
def test_only_where_one_may_register_and_by_a_part_of_its_name(conn: Connection, area: Area, codes: list[str]) -> None:
    assert [code for code, _ in village.named(conn, area, "民强")] == codes
    for code in (f"{TOWN}207", "441225113201"):
        assert village.may_choose(conn, area, code) == (code in codes)
    assert not village.may_choose(conn, area, TOWN)


def test_what_is_typed_is_no_pattern(conn: Connection) -> None:
    assert [code for code, _ in village.named(conn, Area(EVERYTHING), "%")] == ["441226101201"]
    assert village.named(conn, Area(EVERYTHING), "_") == []


def test_conflicts_come_a_page_at_a_time_and_none_twice(conn: Connection) -> None:
    seq = 0
    for number in range(1, conflict.PAGE + 2):
        say(conn, registered(uid(number), f"第{number}户"))
        for value in ("甲", "乙"):
            seq += 1
            body = {"set": {"note": value, "address": value}}
            arrive(conn, op(seq, TOWN, "household.updated", uid(number), body, device=LAPTOP), n=1000 + seq)
    pages, after = [], None
    for _ in range(9):
        found, after = conflict.listed(conn, after=after)
        pages.append([(one.household, one.path) for one in found])
        if after is None:
            break
    every = [place for page in pages for place in page]
    assert [len(page) for page in pages] == [conflict.PAGE, conflict.PAGE, 2]
    assert every == sorted(set(every))
    assert conflict.count(conn) == len(every)


def test_what_was_given_last_of_each_item_also_elsewhere(conn: Connection) -> None:
    brought = [
        {"item": "oil", "date": "2020-11-01", "quantity": 3},
        {"item": "rice", "date": "2020-11-02", "quantity": 9},
    ]
    say(
        conn,
        registered(uid(1), "覃桂香", brought=brought),
        delivered(uid(20), uid(1), {"rice": 1}, date="2020-12-01", trip=None),
        delivered(uid(21), uid(1), {"rice": 2}, date="2020-12-30", trip=None),
        delivered(uid(22), uid(1), {"rice": 5}, date="2020-12-31", trip=None),
        Fact(TOWN, "delivery.voided", uid(22), {"reason": "录错"}),
    )
    assert latest(conn, uid(1)) == [brought[0], {"item": "rice", "date": "2020-12-30", "quantity": 2}]
