"""Bodies of facts from what a form or a sheet gave: what is empty is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aidvisit.domain.facts import check
from aidvisit.domain.text import tidied
from aidvisit.errors import Problem
from aidvisit.store.ledger import Fact


def filled(**fields: Any) -> dict[str, Any]:
    """The fields that say something; a trailing underscore (`from_`) is only Python's."""
    return {name.rstrip("_"): value for name, value in fields.items() if value not in (None, "", [], {})}


def quantities(lines: Mapping[str, int]) -> list[dict[str, Any]]:
    """Lines of a body from item code → quantity; items of which there is nothing are left out."""
    return [{"item": item, "quantity": quantity} for item, quantity in lines.items() if quantity]


def checked(fact: Fact) -> Fact:
    """The fact, if its form was filled in right: before anything is looked up by what it says.

    Raises: Problem `invalid-form` (`errors`: path → messages).
    """
    errors = check(fact.kind, 1, fact.stream, fact.subject, tidied(fact.body))
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    return fact
