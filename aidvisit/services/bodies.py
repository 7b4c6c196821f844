"""Bodies of facts from what a form or a sheet gave: what is empty is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def filled(**fields: Any) -> dict[str, Any]:
    """The fields that say something; a trailing underscore (`from_`) is only Python's."""
    return {name.rstrip("_"): value for name, value in fields.items() if value not in (None, "", [], {})}


def quantities(lines: Mapping[str, int]) -> list[dict[str, Any]]:
    """Lines of a body from item code → quantity; items of which there is nothing are left out."""
    return [{"item": item, "quantity": quantity} for item, quantity in lines.items() if quantity]
