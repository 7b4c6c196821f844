"""户, 人, 人次 and quantities by SQL are what counting over the facts one by one gives, whatever is asked for.

What stands is found by the words of the protocol (test_history_totals.py); which figures there are, by those of
docs/reports.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from aidvisit.domain.report import Axis, narrowed, told
from aidvisit.domain.selection import Selection
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import entries
from aidvisit.store.queries import report as figures
from aidvisit.store.queries.report import Figure
from sync.op import Op
from tests.property.test_history_totals import HOUSES, deliveries, logs, merges, standing, unmerges, voids
from tests.property.test_store_order import scratch
from tests.support import store
from tests.support.store import uid

MEMBERS = [uid(700), uid(701)]
VILLAGES = ["441225112207", "441225112208", "441225112209"]


@st.composite
def given_to(draw: st.DrawFn) -> Fact:
    """To the household as a whole, or for one of its people."""
    fact = draw(deliveries())
    member = draw(st.none() | st.sampled_from(MEMBERS))
    return Fact(fact.stream, fact.kind, fact.subject, {**fact.body, **({"for": member} if member else {})})


HOUSEHOLDS = [store.registered(one, "户", division=at) for one, at in zip(HOUSES, VILLAGES, strict=True)]
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


def naive(ops: list[Op], key: Callable[[Op, str, str], str]) -> dict[str, Figure]:
    """One by one over the lines that stand. `key` of (delivery, household that stands for its own, item)."""
    homes: dict[str, set[str]] = {}
    persons: dict[str, set[tuple[str, str]]] = {}
    times: dict[str, set[str]] = {}
    items: dict[str, dict[str, int]] = {}
    for op in standing(ops):
        home = house_of(ops, op.body["household"])
        for line in op.body["lines"]:
            at = key(op, home, line["item"])
            homes.setdefault(at, set()).add(home)
            persons.setdefault(at, set()).add((home, op.body.get("for", "")))
            times.setdefault(at, set()).add(op.subject)
            sums = items.setdefault(at, {})
            sums[line["item"]] = sums.get(line["item"], 0) + line["quantity"]
    return {at: Figure(len(homes[at]), len(persons[at]), len(times[at]), items[at]) for at in homes}


KEYS: dict[Axis, Callable[[Op, str, str], str]] = {
    "day": lambda op, home, item: str(op.body["date"]),
    "month": lambda op, home, item: str(op.body["date"])[:7],
    "item": lambda op, home, item: item,
    "village": lambda op, home, item: VILLAGES[HOUSES.index(home)],
    "town": lambda op, home, item: VILLAGES[HOUSES.index(home)][:9],
}


@settings(max_examples=60)
@given(logs(HOUSEHOLDS, ANYTHING))
def test_figures_are_the_count_over_the_facts_and_of_the_entries_that_they_open(ops: list[Op]) -> None:
    with scratch() as conn:
        for n, op in enumerate(ops, 1):
            store.arrive(conn, op, n=n)
        whole = figures.total(conn, Selection(), today="2021-01-01")
        assert whole == naive(ops, lambda *_: "").get("", Figure())
        for axis, key in KEYS.items():
            found = figures.figures(conn, Selection(), today="2021-01-01", by=[axis])
            assert found == naive(ops, key), axis
            for name, figure in found.items():
                asked = narrowed(Selection(), axis, str(name))
                assert asked is not None
                assert figures.total(conn, asked, today="2021-01-01") == figure
                assert entries.totals(conn, "delivered", asked, today="2021-01-01") == figure.items
        assert whole.households <= whole.persons <= whole.times
        there = figures.served(conn, Selection(), today="2021-01-01")
        assert sum(served for _open, served in there.values()) == whole.households
        assert sum(count for count, _served in there.values()) == len({house_of(ops, one) for one in HOUSES})


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
