"""The state of a subject does not depend on the order in which its facts arrive."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aidvisit.domain import fold
from aidvisit.domain.flatten import flatten, nest
from aidvisit.domain.fold import Record

DEVICES = st.sampled_from("abc")
IDS = [f"0192f3a0-0000-7000-8000-00000000000{n}" for n in range(3)]
PATHS = st.sampled_from(
    ["group", "head.name", "head.phone", f"members.{IDS[0]}.name", f"members.{IDS[1]}.born", "odd.one", "odd"]
)
VALUES = st.sampled_from(["甲", "乙", None])
CATEGORIES = st.lists(
    st.fixed_dictionaries({"code": st.sampled_from("pqr")}, optional={"since": st.just("2020-01-01")}), max_size=2
)
MEMBERS = st.lists(
    st.fixed_dictionaries({"id": st.sampled_from(IDS), "name": st.sampled_from(["子", "女"])}), max_size=2
)
OP_NAMES = st.builds(lambda device, seq: f"{device}/{seq}", DEVICES, st.integers(1, 12))

REGISTERED = st.fixed_dictionaries(
    {"head": st.just({"name": "陈"}), "group": st.just("一队"), "categories": CATEGORIES, "members": MEMBERS}
)
UPDATED = st.fixed_dictionaries(
    {},
    optional={
        "set": st.dictionaries(PATHS, VALUES, max_size=3),
        "base": st.dictionaries(PATHS, st.lists(OP_NAMES, max_size=3), max_size=3),
        "add": st.fixed_dictionaries({"categories": CATEGORIES, "members": MEMBERS}),
        "remove": st.fixed_dictionaries(
            {
                "categories": st.lists(st.sampled_from("pqr"), max_size=1),
                "members": st.lists(st.sampled_from(IDS), max_size=1),
            }
        ),
    },
)
HOUSEHOLD_FACTS = st.one_of(
    st.tuples(st.just("household.registered"), REGISTERED),
    st.tuples(st.just("household.updated"), UPDATED),
    st.tuples(st.sampled_from(["household.closed", "household.reopened"]), st.just({"reason": "other"})),
    st.tuples(st.just("household.merged"), st.fixed_dictionaries({"into": st.sampled_from(IDS)})),
    st.tuples(st.just("household.unmerged"), st.just({"reason": "否"})),
)
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "household": st.sampled_from(IDS),
            "item": st.sampled_from(["rice", "oil"]),
            "quantity": st.integers(0, 3),
        }
    ),
    max_size=4,
)
TRIP_FACTS = st.one_of(
    st.tuples(st.just("trip.planned"), st.fixed_dictionaries({"title": VALUES})),
    st.tuples(st.just("trip.updated"), st.fixed_dictionaries({"set": st.dictionaries(PATHS, VALUES)})),
    st.tuples(st.just("allocation.set"), st.fixed_dictionaries({"lines": LINES})),
    st.tuples(st.sampled_from(["trip.locked", "trip.approved", "trip.closed", "trip.reopened"]), st.just({})),
    st.tuples(st.just("trip.released"), st.just({"devices": [{"device": IDS[0]}]})),
)
DEFINED_FACTS = st.one_of(
    st.tuples(st.just("team.defined"), st.fixed_dictionaries({"name": VALUES, "divisions": st.just(["4412"])})),
    st.tuples(st.just("team.updated"), st.fixed_dictionaries({"set": st.dictionaries(PATHS, VALUES)})),
)


def records(facts: st.SearchStrategy[tuple[str, dict[str, Any]]]) -> st.SearchStrategy[list[Record]]:
    """Facts of three devices whose clocks may be equal; (device, seq) never is."""
    authored = st.lists(st.tuples(st.sampled_from(["1", "2", "3"]), DEVICES, facts), max_size=12)
    return authored.map(
        lambda found: [
            Record((clock, device, seq), f"{device}/{seq}", kind, body)
            for seq, (clock, device, (kind, body)) in enumerate(found, 1)
        ]
    )


RANDOM = st.randoms(use_true_random=False)


def shuffled(found: list[Record], random: Any) -> list[Record]:
    other = list(found)
    random.shuffle(other)
    return other


@given(records(HOUSEHOLD_FACTS), RANDOM)
def test_a_household_is_the_same_in_whatever_order_its_facts_arrive(found: list[Record], random: Any) -> None:
    state, other = fold.household(found), fold.household(shuffled(found, random))
    assert state == other
    if state is not None and other is not None:
        assert list(state.categories.items()) == list(other.categories.items())
        assert state.body == other.body
        assert set(state.conflicts) <= set(state.states)
        assert {member["id"] for member in state.body["members"]} == set(state.members)


@given(records(TRIP_FACTS), RANDOM)
def test_a_trip_is_the_same_in_whatever_order_its_facts_arrive(found: list[Record], random: Any) -> None:
    state, other = fold.trip(found), fold.trip(shuffled(found, random))
    assert state == other
    if state is not None and other is not None:
        assert list(state.allocation.items()) == list(other.allocation.items())
        assert all(quantity > 0 for quantity in state.allocation.values())


@given(records(DEFINED_FACTS), RANDOM)
def test_a_team_is_the_same_in_whatever_order_its_facts_arrive(found: list[Record], random: Any) -> None:
    assert fold.team(found) == fold.team(shuffled(found, random))


@given(records(HOUSEHOLD_FACTS), REGISTERED)
def test_a_second_registering_changes_nothing(found: list[Record], body: dict[str, Any]) -> None:
    state = fold.household(found)
    twin = Record(("9", "z", 99), "z/99", "household.registered", body)
    if state is not None:
        assert fold.household([twin, *found]) == state


NAMES = st.text("abc", min_size=1, max_size=2)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        st.integers() | st.lists(st.integers(), max_size=2),
        lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3),
        max_leaves=8,
    ),
)


@given(TREES)
def test_flat_fields_nest_again(body: dict[str, Any]) -> None:
    assert nest(flatten(body)) == body
