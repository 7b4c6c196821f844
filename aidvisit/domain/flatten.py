"""Bodies as fields by path, and back: `{"head": {"name": …}}` is `head.name`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MEMBERS: Final = "members"
_SETS = ("categories", MEMBERS)
_WHOLE = ("key",)
_NO_FIELDS = ("salt", *_SETS)


def flatten(body: Mapping[str, Any]) -> dict[str, Any]:
    """Every leaf of a body that makes a subject, by path.

    Members stand at `members.<id>.<field>`. Categories are elements of a set and no fields; a person's own
    categories are one value, as every other list is, and so is a user's `key`. The salt is no field.
    """
    leaves: dict[str, Any] = {}
    for name, value in body.items():
        if name not in _NO_FIELDS:
            _flatten(name, value, leaves)
    for member in body.get(MEMBERS, []):
        for name, value in member.items():
            if name != "id":
                _flatten(f"{MEMBERS}.{member['id']}.{name}", value, leaves)
    return leaves


def _flatten(path: str, value: Any, leaves: dict[str, Any]) -> None:
    if isinstance(value, dict) and value and path not in _WHOLE:
        for name, inner in value.items():
            _flatten(f"{path}.{name}", inner, leaves)
    else:
        leaves[path] = value


def nest(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Objects again, members by id under `members`. A path that leads through another leaf keeps its full name."""
    body: dict[str, Any] = {}
    for path, value in leaves.items():
        *steps, last = path.split(".")
        if any(".".join(steps[:length]) in leaves for length in range(1, len(steps) + 1)):
            body[path] = value
            continue
        target = body
        for step in steps:
            target = target.setdefault(step, {})
        target[last] = value
    return body
