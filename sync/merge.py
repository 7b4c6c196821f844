"""Last writer per field and per element, with conflicts (docs/protocol.md section 5). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Order = tuple[str, str, int]
"""(merge clock, device, seq): the order of everything."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One op's values by path. `base` names, by path, the ops whose values its author had in view."""

    name: str
    order: Order
    values: Mapping[str, Any]
    base: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldState:
    """The value that counts, and every head as (op name, value), least in order first."""

    value: Any
    heads: tuple[tuple[str, Any], ...]

    @property
    def conflict(self) -> bool:
        """More than one head with different values."""
        return any(not same(value, self.value) for _, value in self.heads)


def same(a: Any, b: Any) -> bool:
    """Equality of JSON values: True is not 1."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def fields(edits: Iterable[Edit]) -> dict[str, FieldState]:
    """Fold edits of one subject into its fields, in whatever order they are given.

    A field's heads are the edits that set it and that no other edit's `base` names for it; the head that is
    greatest in order is the value. Edits whose bases name each other in a circle leave no head: then the
    greatest of all counts.
    """
    ordered = sorted(edits, key=lambda edit: edit.order)
    superseded = {
        (path, name) for edit in ordered for path, names in edit.base.items() for name in names if name != edit.name
    }
    setters: dict[str, list[Edit]] = {}
    for edit in ordered:
        for path in edit.values:
            setters.setdefault(path, []).append(edit)
    result = {}
    for path, writers in setters.items():
        heads = [edit for edit in writers if (path, edit.name) not in superseded] or writers[-1:]
        result[path] = FieldState(heads[-1].values[path], tuple((edit.name, edit.values[path]) for edit in heads))
    return result


@dataclass(frozen=True, slots=True)
class Change:
    """One op adds (`present`) or removes one element of a set; `value` is what it adds."""

    order: Order
    element: str
    present: bool
    value: Any = None


def elements(changes: Iterable[Change]) -> dict[str, Any]:
    """The elements that are in the set, with their values: each is as the greatest change that names it says."""
    last: dict[str, Change] = {}
    for change in changes:
        known = last.get(change.element)
        if known is None or change.order >= known.order:
            last[change.element] = change
    return {element: change.value for element, change in last.items() if change.present}
