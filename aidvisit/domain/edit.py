"""What an edit of a household says: only what its author changed, and what they had in view (docs/protocol.md 5)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, Final

from aidvisit.domain.flatten import MEMBERS, flatten
from aidvisit.domain.fold import Body, Household
from sync.merge import same

FIELDS: Final = (
    "name", "head.name", "head.id_number", "head.phone", "head.born", "head.sex",
    "division", "address", "group", "size", "lat", "lon", "note",
)  # fmt: skip
OF_MEMBER: Final = (
    "name", "relation", "id_number", "born", "sex", "phone",
    "guardian.name", "guardian.relation", "guardian.phone", "guardian.member", "categories",
)  # fmt: skip


def changes(then: Household, wanted: Mapping[str, Any], now: Household | None = None) -> Body:
    """`set`, `base`, `add` and `remove` that lead from what the author had in view to what they want; empty for none.

    `wanted`: a body as for registering, with every field that a form shows; fields that it does not know are left
    alone. `now`: what somebody else made of it meanwhile: what it says already is not said again.
    """
    before, after, now = then.body, dict(wanted), now or then
    old, new = flatten(before), flatten(after)
    kept = [member["id"] for member in after.get(MEMBERS, []) if member["id"] in then.members]
    paths = [*FIELDS, *(f"{MEMBERS}.{one}.{field}" for one in kept for field in OF_MEMBER)]
    values = {path: new.get(path) for path in paths if not same(old.get(path), new.get(path))}
    values = {path: value for path, value in values.items() if not _stands(now, path, value)}
    base = {path: then.in_view(path) for path in values}
    categories = _added(before["categories"], after.get("categories", []), "code")
    members = [member for member in after.get(MEMBERS, []) if member["id"] not in then.members]
    body = {
        "set": values,
        "base": {path: heads for path, heads in base.items() if heads},
        "add": _filled(
            categories=[one for one in categories if not same(now.categories.get(one["code"]), one)],
            members=[member for member in members if member["id"] not in now.members],
        ),
        "remove": _filled(
            categories=_gone(then.categories, (one["code"] for one in after.get("categories", [])), now.categories),
            members=_gone(then.members, kept, now.members),
        ),
    }
    return {key: value for key, value in body.items() if value}


def _stands(now: Household, path: str, value: Any) -> bool:
    state = now.states.get(path)
    return state is not None and not state.conflict and same(state.value, value)


def _added(before: Iterable[Body], after: Iterable[Body], by: str) -> list[Body]:
    """Elements that are new, or say something else than before."""
    held = {element[by]: element for element in before}
    return [element for element in after if not same(held.get(element[by]), element)]


def _gone(before: Iterable[str], after: Iterable[str], now: Container[str]) -> list[str]:
    left = set(after)
    return [element for element in before if element not in left and element in now]


def _filled(**lists: list[Any]) -> Body:
    return {name: found for name, found in lists.items() if found}
