"""What each household is to get by rules such as “低保: rice 1, oil 1; from 4 people: rice 2”."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Line = tuple[str, str, int]
"""(household id, item code, quantity)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """So much of an item for each household of a category (None: of any), from so many people on."""

    item: str
    quantity: int
    category: str | None = None
    from_size: int = 1


@dataclass(frozen=True, slots=True)
class Entitled:
    """A household as far as rules look at it. `size`: people; None is unknown, and counts as one."""

    id: str
    categories: frozenset[str]
    size: int | None = None


def by_rules(households: Iterable[Entitled], rules: Iterable[Rule]) -> list[Line]:
    """Of each item the largest quantity among the rules that fit, in the order of the households and the rules.

    A household in two categories gets an item once: rules never add up.
    """
    known = list(rules)
    lines = []
    for one in households:
        found: dict[str, int] = {}
        for rule in known:
            if _fits(rule, one):
                found[rule.item] = max(rule.quantity, found.get(rule.item, 0))
        lines += [(one.id, item, quantity) for item, quantity in found.items() if quantity]
    return lines


def _fits(rule: Rule, one: Entitled) -> bool:
    return (rule.category is None or rule.category in one.categories) and (one.size or 1) >= rule.from_size


def changes(present: Mapping[tuple[str, str], int], wanted: Iterable[Line]) -> list[Line]:
    """The lines that turn the present allotment, by (household, item), into the wanted one; 0 takes a line away."""
    to = {(household, item): quantity for household, item, quantity in wanted}
    named = [key for key in to if present.get(key, 0) != to[key]]
    return [(*key, to[key]) for key in named] + [(*key, 0) for key, held in present.items() if held and key not in to]
