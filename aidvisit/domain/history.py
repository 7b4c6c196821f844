"""A household over time: how it was before any fact, what each edit changed, and in what it differs now."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aidvisit.domain import fold
from aidvisit.domain.flatten import MEMBERS, flatten
from sync.merge import Order, same

CATEGORIES: Final = "categories"
STATE: Final = "state"
_COMPARED = ("name", "head.name", "size", "division", "group")


@dataclass(frozen=True, slots=True)
class Change:
    """One field by its path: its value before and after, None where there was or is none.

    Of `categories` and `members` the elements that changed, each as the fact that named it said. `rivals`: other
    values that stood beside the one before, in conflict. `unseen`: who changed it had not seen the value before.
    """

    path: str
    before: Any
    after: Any
    rivals: tuple[Any, ...] = ()
    unseen: bool = False


class Course:
    """All facts about one household, in whatever order they are given; none of them need register it."""

    def __init__(self, records: Iterable[fold.Record]) -> None:
        self._records = sorted(records, key=lambda record: record.order)
        self._states: dict[int, fold.Household | None] = {}

    @property
    def now(self) -> fold.Household | None:
        return self._after(len(self._records))

    def before(self, order: Order) -> fold.Household | None:
        """As all facts before a place in the order of everything have it; None when none of them registers it."""
        return self._after(bisect_left(self._records, order, key=lambda record: record.order))

    def _after(self, count: int) -> fold.Household | None:
        """Folded once for all that happened between two facts about the household."""
        if count not in self._states:
            self._states[count] = fold.household(self._records[:count])
        return self._states[count]

    def changes(self, record: fold.Record) -> list[Change]:
        """What a `household.updated` changed, field by field; nothing of what it set to the value that counted."""
        before = self.before(record.order)
        if before is None:
            return []
        found = [_field(before, record, path, value) for path, value in sorted(record.body.get("set", {}).items())]
        found += [*_categories(before, record.body), *_members(before, record.body)]
        return [change for change in found if change.rivals or not same(change.before, change.after)]

    def since(self, order: Order) -> list[Change]:
        """In what the household differs now from how it was known at a place in the order."""
        then, now = self.before(order), self.now
        if then is None or now is None:
            return []
        old, new = _summary(then), _summary(now)
        return [Change(path, old[path], new[path]) for path in old if not same(old[path], new[path])]


def state(household: fold.Household) -> str:
    """`open`, `closed` or `merged`."""
    if household.into is not None:
        return "merged"
    return "open" if household.closed is None else "closed"


def _summary(household: fold.Household) -> dict[str, Any]:
    """What decides who gets how much: the rest of a household is in its edits."""
    fields = {path: _value(household, path) for path in _COMPARED}
    return fields | {CATEGORIES: sorted(household.categories), STATE: state(household)}


def _value(household: fold.Household, path: str) -> Any:
    return household.states[path].value if path in household.states else None


def _field(before: fold.Household, record: fold.Record, path: str, value: Any) -> Change:
    held = before.states.get(path)
    if held is None:
        return Change(path, None, value)
    rivals = tuple(other for _, other in held.heads if not same(other, held.value))
    seen = record.body.get("base", {}).get(path, ())
    return Change(path, held.value, value, rivals, held.heads[-1][0] not in seen)


def _categories(before: fold.Household, body: Mapping[str, Any]) -> Iterator[Change]:
    added = {element["code"]: element for element in body.get("add", {}).get(CATEGORIES, ())}
    for code in body.get("remove", {}).get(CATEGORIES, ()):
        if code in before.categories and code not in added:
            yield Change(CATEGORIES, before.categories[code], None)
    for code, element in added.items():
        yield Change(CATEGORIES, before.categories.get(code), element)


def _members(before: fold.Household, body: Mapping[str, Any]) -> Iterator[Change]:
    people = {person["id"]: person for person in before.body[MEMBERS]}
    added = {person["id"]: person for person in body.get("add", {}).get(MEMBERS, ())}
    for identity in body.get("remove", {}).get(MEMBERS, ()):
        if identity in people and identity not in added:
            yield Change(MEMBERS, people[identity], None)
    for identity, person in added.items():
        if identity not in people:
            yield Change(MEMBERS, None, person)
            continue
        for path, value in flatten({MEMBERS: [person]}).items():
            yield Change(path, _value(before, path), value)
