"""Laws of merging: the order in which merges arrive does not matter, and undoing them brings everything back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aidvisit.domain import fold
from aidvisit.domain.fold import Record
from aidvisit.domain.household import resolve

HOUSES = "abcde"
SAID = st.lists(
    st.tuples(st.sampled_from(HOUSES), st.sampled_from([None, *HOUSES])), max_size=12
)  # (household, into; None: taken back), in the order of their clocks
CLOCK = "20201230T040000000Z-{:04x}"


def folded(said: list[tuple[int, str, str | None]]) -> dict[str, str]:
    """What a node that holds these facts, as they came, makes of them."""
    into = {}
    for house in HOUSES:
        body = {"kind": "household", "head": {"name": house}, "division": "1" * 12, "categories": []}
        records = [Record((CLOCK.format(0), "x", 1), f"{house}/0", "household.registered", body)]
        for at, subject, target in said:
            if subject == house:
                kind = "household.merged" if target else "household.unmerged"
                records.append(Record((CLOCK.format(at + 1), "x", at + 2), f"x/{at}", kind, {"into": target}))
        state = fold.household(records)
        assert state is not None
        if state.into is not None:
            into[house] = state.into
    return into


def standing(into: dict[str, str]) -> dict[str, str]:
    return {house: resolve(house, into) for house in HOUSES}


@given(SAID, st.randoms())
def test_the_order_of_arrival_does_not_matter(said: list[tuple[str, str | None]], random: object) -> None:
    facts = [(at, house, into) for at, (house, into) in enumerate(said)]
    shuffled = sorted(facts, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert folded(shuffled) == folded(facts)


@given(SAID)
def test_everybody_who_is_one_agrees_on_who_stands(said: list[tuple[str, str | None]]) -> None:
    into = folded([(at, house, target) for at, (house, target) in enumerate(said)])
    stands = standing(into)
    assert all(stands[one] == one for one in stands.values()), "who stands stands for itself"
    assert all(stands[house] == stands[target] for house, target in into.items()), "a merge joins, also in a circle"


@given(SAID)
def test_taking_back_all_merges_brings_everything_back(said: list[tuple[str, str | None]]) -> None:
    facts = [*said, *((house, None) for house in HOUSES)]
    assert folded([(at, house, into) for at, (house, into) in enumerate(facts)]) == {}


@given(SAID, st.sampled_from(HOUSES), st.sampled_from(HOUSES))
def test_merging_and_taking_it_back_changes_nothing(said: list[tuple[str, str | None]], one: str, other: str) -> None:
    """Of a household that stood."""
    facts = [(at, house, into) for at, (house, into) in enumerate(said)]
    before = folded(facts)
    if one in before:
        return
    after = folded([*facts, (len(said), one, other), (len(said) + 1, one, None)])
    assert standing(after) == standing(before)
