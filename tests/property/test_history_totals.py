"""Totals of a history by item and year: the sum over the deliveries that stand, whatever voids, corrections and merges.

What stands is found here by the words of docs/protocol.md section 5 alone, as slowly as they are read.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from aidvisit.store.ledger import Fact
from aidvisit.store.queries.received import received
from sync.op import Op
from tests.property.test_store_order import scratch
from tests.support import store
from tests.support.store import TOWN, uid

HOUSES = [uid(number) for number in (10, 11, 12)]
GIVEN = [uid(number) for number in range(20, 26)]
DEVICES = [uid(500), uid(501)]
DATES = ["2019-12-31", "2020-01-01", "2020-12-30"]


@st.composite
def deliveries(draw: st.DrawFn) -> Fact:
    """One id is of one household, so a correction of another household's is there as well."""
    n = draw(st.integers(0, len(GIVEN) - 1))
    lines = draw(st.dictionaries(st.sampled_from(["rice", "oil"]), st.integers(1, 9), min_size=1))
    more = {"date": draw(st.sampled_from(DATES)), "replaces": draw(st.none() | st.sampled_from(GIVEN)), "trip": None}
    return store.delivered(GIVEN[n], HOUSES[n % 3], lines, **more)


merges = st.builds(
    lambda one, into: Fact(TOWN, "household.merged", one, {"into": into, "reason": "同一户"}),
    st.sampled_from(HOUSES), st.sampled_from(HOUSES),
)  # fmt: skip
unmerges = st.builds(lambda one: Fact(TOWN, "household.unmerged", one, {"reason": "并错了"}), st.sampled_from(HOUSES))
voids = st.builds(lambda one: Fact(TOWN, "delivery.voided", one, {"reason": "记错"}), st.sampled_from(GIVEN))


HOUSEHOLDS = [store.registered(house, "户") for house in HOUSES]
ANYTHING = st.one_of(deliveries(), deliveries(), voids, merges, unmerges)


@st.composite
def logs(draw: st.DrawFn, first: list[Fact], then: st.SearchStrategy[Fact]) -> list[Op]:
    """Of two laptops: `first`, the households, and some of `then`, each delivery once."""
    facts = list(first)
    seen = set[str]()
    for fact in draw(st.lists(then, max_size=16)):
        if fact.kind != "delivery.recorded" or fact.subject not in seen:
            facts.append(fact)
        seen |= {fact.subject} if fact.kind == "delivery.recorded" else set()
    seqs = dict.fromkeys(DEVICES, 0)
    ops = []
    for minute, fact in enumerate(facts):
        device = draw(st.sampled_from(DEVICES))
        seqs[device] += 1
        ops.append(
            store.op(seqs[device], fact.stream, fact.kind, fact.subject, fact.body, device=device, minute=minute)
        )
    return ops


def standing(ops: Iterable[Op]) -> list[Op]:
    """Of deliveries to one household that `replaces` joins, the last that is neither voided nor replaced."""
    told = list(ops)
    voided = {op.subject for op in told if op.kind == "delivery.voided"}
    found: list[Op] = []
    for house in HOUSES:
        given = [op for op in told if op.kind == "delivery.recorded" and op.body["household"] == house]
        groups = [{op.subject, op.body.get("replaces", op.subject)} for op in given]
        joined = True
        while joined:
            joined = False
            for one in groups:
                for other in groups:
                    if one != other and one & other:
                        one |= other
                        other |= one
                        joined = True
        replaced = {op.body["replaces"] for op in given if op.body.get("replaces", op.subject) != op.subject}
        right = [op for op in given if op.subject not in voided | replaced]
        last = {frozenset(next(one for one in groups if op.subject in one)): op for op in right}
        found += last.values()
    return found


def together(ops: Iterable[Op], house: str) -> set[str]:
    """The households that are one with this one: each follows its last merge, until that is taken back."""
    into = {op.subject: op.body.get("into") for op in ops if op.kind in ("household.merged", "household.unmerged")}
    found = {house}
    for _ in HOUSES:
        found |= {one for one, target in into.items() if target in found}
        found |= {target for one, target in into.items() if one in found and target}
    return found


def totals(conn: Connection, house: str) -> tuple[dict[str, Counter[str]], Counter[str], int]:
    held = received(conn, house)
    years = {year.year: Counter({one.item: one.quantity for one in year.items}) for year in held.years}
    return years, Counter({one.item: one.quantity for one in held.items}), held.deliveries


@settings(max_examples=120)
@given(logs(HOUSEHOLDS, ANYTHING), st.randoms(use_true_random=False))
def test_totals_are_the_sum_over_what_stands_at_every_node(ops: list[Op], chance: random.Random) -> None:
    """Both nodes have all of it, each in an order of its own: in the order of time, and in any other."""
    arrivals = [ops, chance.sample(ops, len(ops))]
    stands = standing(ops)
    for arrival in arrivals:
        with scratch() as conn:
            for n, op in enumerate(arrival, 1):
                store.arrive(conn, op, n=n)
            for house in HOUSES:
                own = [op for op in stands if op.body["household"] in together(ops, house)]
                years: dict[str, Counter[str]] = {}
                for op in own:
                    for line in op.body["lines"]:
                        years.setdefault(op.body["date"][:4], Counter())[line["item"]] += line["quantity"]
                assert totals(conn, house) == (years, sum(years.values(), Counter()), len(own))
