"""The forms of a trip's plan: its fields, its rules, and lines by household and item."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import request
from marshmallow import fields, validate, validates_schema
from marshmallow.exceptions import ValidationError

from aidvisit.domain import money
from aidvisit.domain.allotment import Line, Rule
from aidvisit.domain.facts.fields import Date
from aidvisit.errors import Problem
from aidvisit.store.queries.catalog import ItemName
from aidvisit.web.forms import Form
from sync.op import is_uuid

LARGEST = 10**9
_LINE = re.compile(r"(quantity|was)\.([0-9a-f-]{36})\.(.{1,100})")
NOT_WHOLE = "应为 0 或更大的整数。 / This must be a whole number, 0 or more."
NO_AMOUNT = "应为金额(元),如 300 或 59.90。 / This must be an amount in yuan, like 300 or 59.90."


class TripForm(Form):
    """The codes of its divisions are read beside it."""

    title = fields.String(required=True, validate=validate.Length(1, 100, error="请填名称。 / Type a name."))
    starts = Date(required=True)
    ends = Date(required=True)
    team = fields.String(required=True, validate=validate.Length(1, error="请选一支队伍。 / Choose a team."))
    tour = fields.String(load_default="", validate=validate.Length(max=100, error="最多 100 字。 / At most 100."))
    distance = fields.String(
        load_default="", validate=validate.Regexp(r"[0-9]{0,5}$", error="请填公里数,或不填。 / Kilometres, or nothing.")
    )
    note = fields.String(load_default="", validate=validate.Length(max=2000, error="最多 2000 字。 / At most 2000."))

    @validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["ends"] < data["starts"]:
            raise ValidationError("最后一天不能早于第一天。 / The last day cannot be before the first.", "ends")


def quantity(text: str, item: ItemName | None) -> int:
    """What was typed for an item: units, or yuan of what is counted in fen. Raises: ValueError with the words."""
    typed = text.strip() or "0"
    if item is not None and item.unit == "fen":
        found = money.fen(typed)
    else:
        found = int(typed) if typed.isascii() and typed.isdecimal() else None
    if found is None or found > LARGEST:
        raise ValueError(NO_AMOUNT if item is not None and item.unit == "fen" else NOT_WHOLE)
    return found


def lines(items: Mapping[str, ItemName]) -> list[Line]:
    """What was typed in the cells `quantity.<household>.<item>`, where it is not what the form showed (`was.…`).

    Raises: Problem `invalid-form` (`errors`: the cell → messages).
    """
    errors: dict[str, list[str]] = {}
    found = []
    for key, text in request.form.items():
        if (cell := _LINE.fullmatch(key)) is None or cell[1] == "was" or not is_uuid(cell[2]):
            continue
        if text.strip() == request.form.get(f"was.{cell[2]}.{cell[3]}", "").strip():
            continue
        try:
            found.append((cell[2], cell[3], quantity(text, items.get(cell[3]))))
        except ValueError as error:
            errors[key] = [str(error)]
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    return found


def amounts(items: Mapping[str, ItemName], *, blanks: bool = True) -> dict[str, int]:
    """Fields `quantity.<item>`: units, or yuan of cash; an empty one is 0, or left out without `blanks`.

    Raises: Problem `invalid-form`.
    """
    errors: dict[str, list[str]] = {}
    found = {}
    for key, text in request.form.items():
        item = key.removeprefix("quantity.")
        if key == item or not (blanks or text.strip()):
            continue
        try:
            found[item] = quantity(text, items.get(item))
        except ValueError as error:
            errors[key] = [str(error)]
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    return found


def received(items: Mapping[str, ItemName], rows: int) -> list[dict[str, Any]]:
    """Lines of a receipt that were filled in: `item.<n>`, `quantity.<n>`, `lot.<n>`, `expires.<n>`, `value.<n>` (yuan
    of one unit).

    Raises: Problem `invalid-form`.
    """
    errors: dict[str, list[str]] = {}
    found = []
    for row in range(rows):
        typed = {name: request.form.get(f"{name}.{row}", "").strip() for name in ("item", "quantity", "lot", "expires")}
        value = request.form.get(f"value.{row}", "").strip()
        if not any((typed["item"], typed["quantity"])):
            continue
        worth = money.fen(value) if value else None
        if value and worth is None:
            errors[f"value.{row}"] = [NO_AMOUNT]
        try:
            amount = quantity(typed["quantity"], items.get(typed["item"]))
        except ValueError as error:
            errors[f"quantity.{row}"] = [str(error)]
            continue
        if typed["item"] not in items:
            errors[f"item.{row}"] = ["请选一种物资。 / Choose an item."]
        elif not amount:
            errors[f"quantity.{row}"] = ["请填数量。 / Give a quantity."]
        found.append({**typed, "quantity": amount, "value_fen": worth})
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    return found


ROWS = 12
"""Rules that a page offers."""


def rules(items: Mapping[str, ItemName]) -> list[Rule]:
    """Those that were filled in: `item.<n>`, `quantity.<n>`, `category.<n>`, `from.<n>`.

    Raises: Problem `invalid-form`.
    """
    errors: dict[str, list[str]] = {}
    found = list(_rules(items, errors))
    if not found and not errors:
        errors["rules"] = ["请至少写一条规则。 / Write at least one rule."]
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    return found


def _rules(items: Mapping[str, ItemName], errors: dict[str, list[str]]) -> Iterator[Rule]:
    for row in range(ROWS):
        item, said = request.form.get(f"item.{row}", ""), request.form.get(f"quantity.{row}", "").strip()
        people = request.form.get(f"from.{row}", "").strip() or "1"
        if not item and not said:
            continue
        try:
            amount = quantity(said, items.get(item))
        except ValueError as error:
            errors[f"quantity.{row}"] = [str(error)]
            continue
        if item not in items:
            errors[f"item.{row}"] = ["请选一种物资。 / Choose an item."]
        elif not amount:
            errors[f"quantity.{row}"] = ["请填数量。 / Give a quantity."]
        elif not (people.isascii() and people.isdecimal() and 1 <= int(people) <= 99):
            errors[f"from.{row}"] = ["请填 1 到 99 人。 / Give 1 to 99 people."]
        else:
            yield Rule(item, amount, request.form.get(f"category.{row}") or None, int(people))
