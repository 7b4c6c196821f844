"""The form of a paper day: what was ticked, what differs from the list, and which numbers each signed sheet bears."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import request
from marshmallow import fields, validate

from aidvisit.domain.facts.fields import Date
from aidvisit.domain.facts.visit import OUTCOMES
from aidvisit.domain.numbers import numbers
from aidvisit.errors import Problem
from aidvisit.services.paper_day import ERROR, PaperRow, PaperSheet
from aidvisit.store.queries.catalog import ItemName
from aidvisit.store.queries.progress import Stop
from aidvisit.store.queries.roster import RosterRow
from aidvisit.web import photos
from aidvisit.web.forms import Form
from aidvisit.web.trip_forms import quantity
from sync.op import is_uuid

MOST_SHEETS = 12
"""Signed sheets that one form may bring."""
RECEIVERS = ("head", "member", "proxy", "institution")


class PaperForm(Form):
    """Rows and sheets are read beside it."""

    form = fields.String(required=True, validate=is_uuid)
    date = Date(required=True)
    witness_name = fields.String(
        load_default="", validate=validate.Length(max=100, error="最多 100 字。 / At most 100.")
    )
    witness_role = fields.String(
        load_default="", validate=validate.Length(max=100, error="最多 100 字。 / At most 100.")
    )
    method = fields.String(load_default="cash", validate=validate.OneOf(["cash", "transfer"]))


def rows(listed: Iterable[RosterRow], items: Mapping[str, ItemName]) -> list[PaperRow]:
    """Those of the list that are ticked, or say why nothing was handed over: `take.<household>`, `outcome.…`,
    `quantity.<household>.<item>`, `as.…`, `name.…`, `relation.…`, `id_last4.…`, `note.…`.

    Raises: Problem `invalid-form` (`errors`: `row.<household>` → messages), also for what was typed in a row without a
    tick.
    """
    errors: dict[str, list[str]] = {}
    found = []
    for row in listed:
        try:
            if (read := _row(row, items)) is not None:
                found.append(read)
        except ValueError as error:
            errors[ERROR + row.stop.household] = [str(error)]
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    return found


def _row(row: RosterRow, items: Mapping[str, ItemName]) -> PaperRow | None:
    """None of a row that the paper says nothing of. Raises: ValueError with the words."""
    stop = row.stop
    said = {name: _said(name, stop) for name in ("take", "outcome", "as", "name", "relation", "id_last4", "note")}
    lines = {
        item: quantity(text, items.get(item))
        for item in stop.allotted
        if (text := request.form.get(f"quantity.{stop.household}.{item}")) is not None
    }
    usual = "institution" if stop.institution else "head"
    as_ = said["as"] if said["as"] in RECEIVERS else usual
    if not (said["take"] or said["outcome"]):
        typed = any((said["name"], said["relation"], said["id_last4"], said["note"]))
        if typed or as_ != usual or (lines != stop.owed and not stop.delivered):
            raise ValueError("填了例外,但没有勾选:请勾上,或改回原样。 / This row is filled in, but not ticked.")
        return None
    if said["outcome"] not in ("", *OUTCOMES):
        raise ValueError("请选一种情况。 / Choose one.")
    received_by = {"as": as_, "name": said["name"] or (stop.name if as_ in ("head", "institution") else "")}
    if as_ in ("member", "proxy"):
        received_by |= {"relation": said["relation"], "id_last4": said["id_last4"]}
    return PaperRow(stop.household, row.number, stop.name, said["outcome"], lines, received_by, said["note"] or None)


def _said(name: str, stop: Stop) -> str:
    return request.form.get(f"{name}.{stop.household}", "").strip()


def sheets() -> list[PaperSheet]:
    """The sheets that have a number: `rows.<page>` and `photo.<page>`; `excused.<page>` for one without a photo.

    Raises: Problem `invalid-form` (`errors`: `rows.<page>`, `photo.<page>` → messages).
    """
    errors: dict[str, list[str]] = {}
    found = []
    for page in pages(request.form):
        named = numbers(request.form.get(f"rows.{page}", ""))
        if named is None:
            errors[f"rows.{page}"] = ["请写序号,如 1-17 或 3、5-8。 / Write numbers, like 1-17 or 3, 5-8."]
        try:
            photo = photos.chosen(f".{page}")
        except Problem as problem:
            errors |= problem.members["errors"]
            continue
        if named:
            found.append(PaperSheet(page, frozenset(named), photo, bool(request.form.get(f"excused.{page}"))))
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    return found


def pages(sent: Mapping[str, Any]) -> list[int]:
    """The numbers of the sheets that a form has."""
    named = (name.removeprefix("rows.") for name in sent if name.startswith("rows."))
    return sorted({int(one) for one in named if one.isascii() and one.isdecimal() and len(one) < 4})[:MOST_SHEETS]
