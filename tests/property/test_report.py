"""户, 人, 人次 and quantities by SQL are what counting over the facts one by one gives, whatever is asked for.

What stands is found by the words of the protocol (test_history_totals.py); which figures there are, by those of
docs/reports.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from aidvisit.domain.facts import category_subject, place_subject
from aidvisit.domain.report import AXES, Axis, narrowed, told
from aidvisit.domain.selection import UNKNOWN, Selection
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import entries
from aidvisit.store.queries import report as figures
from aidvisit.store.queries.report import Figure
from sync.op import Op
from tests.property.test_history_totals import DEVICES, HOUSES, deliveries, logs, merges, standing, unmerges, voids
from tests.property.test_store_batch import undone
from tests.property.test_store_order import made, scratch
from tests.support import postgres, store
from tests.support.store import TEAM, TRIP, uid

MEMBERS = [uid(700), uid(701)]
VILLAGES = ["441225112207", "441225112208", "441225112209"]


@st.composite
def given_to(draw: st.DrawFn) -> Fact:
    """To the household as a whole, or for one of its people; on one of two trips or none; perhaps with the lot."""
    fact = draw(deliveries())
    more: dict[str, Any] = {"for": draw(st.none() | st.sampled_from(MEMBERS)), "trip": draw(st.sampled_from(TRIPS))}
    lot = draw(st.none() | st.sampled_from([*DONOR_OF]))
    lines = [line | ({"lot": lot} if lot and line["item"] == "rice" else {}) for line in fact.body["lines"]]
    body = {**fact.body, **more, "lines": lines}
    return Fact(fact.stream, fact.kind, fact.subject, {name: value for name, value in body.items() if value})


TRIPS = [None, TRIP, uid(910)]
TEAMS = {TRIP: TEAM, uid(910): uid(911)}
CARRIED = {DEVICES[0]: uid(912)}
CLASSES = {"rice": "food", "oil": "health"}
CATEGORIES = dict(zip(HOUSES, (["dibao"], ["dibao", "disabled"], []), strict=True))
LOT = [{"item": "rice", "quantity": 99, "lot": "L-1"}]
DONOR_OF = {"L-1": "ai", "L-2": "nobody-defined", "L-3": UNKNOWN, "L-4": UNKNOWN}
"""The third lot came from two donors, the fourth from none."""


def known() -> Iterator[Fact]:
    """Items with their classes, categories, a donor's lot on the truck of one of two trips, a laptop's team, and three
    households in villages of their own."""
    for code, class_ in CLASSES.items():
        yield store.item(code, code, "袋", **{"class": class_})
    for code in ("dibao", "disabled"):
        body = {"code": code, "name": code, "level": "household", "synonyms": []}
        yield Fact("org", "category.defined", category_subject(code), body)
    yield Fact("org", "place.defined", place_subject("donor:ai"), {"code": "ai", "name": "爱心公司", "kind": "donor"})
    yield Fact(
        "org", "device.enrolled", DEVICES[0], {"name": "1 号", "public_key": "A" * 43, "team": CARRIED[DEVICES[0]]}
    )
    yield from (store.planned(trip, team=team) for trip, team in TEAMS.items())
    for n, (source, target) in enumerate((("donor:ai", "warehouse:main"), ("warehouse:main", store.TRUCK))):
        body = {"from": source, "to": target, "date": "2020-12-30", "lines": LOT}
        yield Fact(store.TRIP_STREAM if n else "org", "stock.moved", uid(300 + n), body)
    for n, (donor, lot) in enumerate((("nobody-defined", "L-2"), ("ai", "L-3"), ("nobody-defined", "L-3"))):
        lines = [LOT[0] | {"lot": lot}]
        body = {"from": f"donor:{donor}", "to": "warehouse:main", "date": "2020-12-30", "lines": lines}
        yield Fact("org", "stock.moved", uid(310 + n), body)
    for one, at in zip(HOUSES, VILLAGES, strict=True):
        yield store.registered(one, "户", division=at, categories=[{"code": code} for code in CATEGORIES[one]])


HOUSEHOLDS = list(known())
ANYTHING = st.one_of(given_to(), given_to(), given_to(), voids, merges, unmerges)


def house_of(ops: Iterable[Op], house: str) -> str:
    """The end of its chain; in a circle, the least."""
    into: dict[str, str] = {}
    for op in ops:
        if op.kind == "household.merged":
            into[op.subject] = op.body["into"]
        elif op.kind == "household.unmerged":
            into.pop(op.subject, None)
    passed = [house]
    while house in into:
        house = into[house]
        if house in passed:
            return min(passed[passed.index(house) :])
        passed.append(house)
    return house


Line = dict[str, Any]


def naive(ops: list[Op], keys: Callable[[Op, str, Line], str | list[str]]) -> dict[str, Figure]:
    """One by one over the lines that stand. `keys` of (delivery, household that stands for its own, line)."""
    homes: dict[str, set[str]] = {}
    persons: dict[str, set[tuple[str, str]]] = {}
    times: dict[str, set[str]] = {}
    items: dict[str, dict[str, int]] = {}
    for op in standing(ops):
        home = house_of(ops, op.body["household"])
        for line in op.body["lines"]:
            found = keys(op, home, line)
            for at in [found] if isinstance(found, str) else found:
                homes.setdefault(at, set()).add(home)
                persons.setdefault(at, set()).add((home, op.body.get("for", "")))
                times.setdefault(at, set()).add(op.subject)
                sums = items.setdefault(at, {})
                sums[line["item"]] = sums.get(line["item"], 0) + line["quantity"]
    return {at: Figure(len(homes[at]), len(persons[at]), len(times[at]), items[at]) for at in homes}


def team_of(op: Op, _home: str, _line: Line) -> str:
    return TEAMS[op.body["trip"]] if "trip" in op.body else CARRIED.get(op.device, "")


def donor_of(op: Op, _home: str, line: Line) -> str:
    """By its own lot, else by the only one on its truck."""
    if "lot" in line:
        return DONOR_OF[line["lot"]]
    return "ai" if line["item"] == "rice" and op.body.get("trip") == TRIP else UNKNOWN


KEYS: dict[Axis, Callable[[Op, str, Line], str | list[str]]] = {
    "day": lambda op, home, line: str(op.body["date"]),
    "month": lambda op, home, line: str(op.body["date"])[:7],
    "item": lambda op, home, line: str(line["item"]),
    "class": lambda op, home, line: CLASSES[line["item"]],
    "county": lambda op, home, line: VILLAGES[HOUSES.index(home)][:6],
    "town": lambda op, home, line: VILLAGES[HOUSES.index(home)][:9],
    "village": lambda op, home, line: VILLAGES[HOUSES.index(home)],
    "team": team_of,
    "trip": lambda op, home, line: str(op.body.get("trip", "")),
    "category": lambda op, home, line: CATEGORIES[home],
    "donor": donor_of,
}


def the_count_over_the_facts(conn: Connection, ops: list[Op]) -> None:
    for n, op in enumerate(ops, 1):
        store.arrive(conn, op, n=n)
    conn.info.pop("once", None)  # what was read of the catalogue while it was still coming in
    whole = figures.total(conn, Selection(), today="2021-01-01")
    assert whole == naive(ops, lambda *_: "").get("", Figure())
    for axis in AXES:
        found = figures.figures(conn, Selection(), today="2021-01-01", by=[axis])
        assert found == naive(ops, KEYS[axis]), axis
        for name, figure in found.items():
            asked = narrowed(Selection(), axis, str(name))
            assert (asked is None) == (name == "")
            if asked is not None:
                assert figures.total(conn, asked, today="2021-01-01") == figure, axis
                assert entries.totals(conn, "delivered", asked, today="2021-01-01") == figure.items, axis
    assert whole.households <= whole.persons <= whole.times
    there = figures.served(conn, Selection(), today="2021-01-01")
    assert sum(served for _open, served in there.values()) == whole.households
    assert sum(count for count, _served in there.values()) == len({house_of(ops, one) for one in HOUSES})


@settings(max_examples=30)
@given(logs(HOUSEHOLDS, ANYTHING))
def test_figures_are_the_count_over_the_facts_and_of_the_entries_that_they_open(ops: list[Op]) -> None:
    with scratch() as conn:
        the_count_over_the_facts(conn, ops)


def test_figures_on_postgresql_are_the_count_over_the_facts(postgres_server: str) -> None:
    with postgres.database(postgres_server) as url:
        engine = made(url)

        @settings(max_examples=5)
        @given(logs(HOUSEHOLDS, ANYTHING))
        def check(ops: list[Op]) -> None:
            with undone(engine) as conn:
                the_count_over_the_facts(conn, ops)

        try:
            check()
        finally:
            engine.dispose()


@given(
    st.dictionaries(st.sampled_from(["", *VILLAGES, "441225112210"]), st.tuples(st.integers(1, 6), st.integers(1, 9)))
)
def test_a_donor_is_told_of_no_village_that_fewer_than_three_households_stand_for(
    by_village: dict[str, tuple[int, int]],
) -> None:
    shown = told(by_village)
    assert sum(one.quantity for one in shown) == sum(quantity for _households, quantity in by_village.values())
    for one in shown:
        if one.village:
            assert one.households is not None
            assert one.households >= 3
        elif one.households is None:
            assert len(shown) == 1, "what one village is short of the sum would be found by subtraction"
