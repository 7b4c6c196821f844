"""Rules of an allotment: the largest that fits, never a sum."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from aidvisit.domain.allotment import Entitled, Rule, by_rules, changes

RULES = [Rule("rice", 1, "dibao"), Rule("oil", 1, "dibao"), Rule("rice", 2, "dibao", 4), Rule("rice", 1, "tekun")]


def test_the_largest_rule_that_fits_counts() -> None:
    small, large = Entitled("a", frozenset({"dibao"}), 3), Entitled("b", frozenset({"dibao", "tekun"}), 4)
    none, unknown = Entitled("c", frozenset(), 9), Entitled("d", frozenset({"dibao"}))
    assert by_rules([small, large, none, unknown], RULES) == [
        ("a", "rice", 1),
        ("a", "oil", 1),
        ("b", "rice", 2),
        ("b", "oil", 1),
        ("d", "rice", 1),
        ("d", "oil", 1),
    ]


def test_a_rule_without_a_category_is_for_everybody() -> None:
    assert by_rules([Entitled("a", frozenset())], [Rule("rice", 1)]) == [("a", "rice", 1)]


IDS = some.sampled_from("abc")
ITEMS = some.sampled_from(["rice", "oil"])
RULE = some.builds(Rule, ITEMS, some.integers(0, 3), some.none() | some.sampled_from("xy"), some.integers(1, 5))
HOUSEHOLD = some.builds(Entitled, IDS, some.frozensets(some.sampled_from("xyz")), some.none() | some.integers(1, 6))


@given(some.lists(HOUSEHOLD, unique_by=lambda one: one.id), some.lists(RULE))
def test_the_order_of_the_rules_does_not_matter(households: list[Entitled], rules: list[Rule]) -> None:
    assert sorted(by_rules(households, rules)) == sorted(by_rules(households, reversed(rules)))


@given(
    some.dictionaries(some.tuples(IDS, ITEMS), some.integers(0, 3)),
    some.dictionaries(some.tuples(IDS, ITEMS), some.integers(1, 3)),
)
def test_changes_lead_from_the_present_to_what_is_wanted(
    present: dict[tuple[str, str], int], wanted: dict[tuple[str, str], int]
) -> None:
    lines = changes(present, [(*key, quantity) for key, quantity in wanted.items()])
    after = present | {(household, item): quantity for household, item, quantity in lines}
    assert {key: quantity for key, quantity in after.items() if quantity} == wanted
    assert all(present.get((household, item), 0) != quantity for household, item, quantity in lines)
