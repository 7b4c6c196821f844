"""What a page shows of a list on its way in: columns with what stands in them, and what becomes of each row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain import mask
from aidvisit.services.import_read import Choices, Reading, hints_of, layout_of
from aidvisit.services.sheet import KnownItem, Layout, Outcome, Plan, Sheet
from aidvisit.services.sheet.cells import clean, squeeze
from aidvisit.services.sheet.places import short_name
from aidvisit.services.sheet.plan import item_of
from aidvisit.store.queries import importing
from aidvisit.store.queries.catalog import divisions as all_divisions
from aidvisit.store.queries.catalog import items

SAMPLES = 3


def columns_shown(conn: Connection, name: str, sheets: Sequence[Sheet], choices: Choices) -> list[dict[str, Any]]:
    """By sheet: {`sheet`, `kind`, `title`, `date`, `columns`}; each column {`column`, `heading`, `meaning`, `samples`}.

    `kind`: `households`, `people`, or `skip` for one that lists nobody. Numbers of people are masked.
    """
    divisions = {row.code: row.name for row in all_divisions(conn)}
    known = [KnownItem(item.code, item.name, item.unit, item.spec or "") for item in items(conn).values()]
    words = {squeeze(word): code for word, code in importing.category_words(conn).items()}
    hints = hints_of(divisions, known, words)
    shown: list[dict[str, Any]] = []
    for sheet in sheets:
        layout = layout_of(conn, sheet, hints, choices, Path(name).stem, named=False)
        if layout is None:
            shown.append({"sheet": sheet.name, "kind": "skip", "title": "", "date": None, "columns": []})
            continue
        said = choices.layouts.get(sheet.name, {})
        kind = "skip" if said.get("kind") == "skip" or "name" not in layout.columns else layout.kind
        columns = _columns(sheet, layout, known)
        shown.append(
            {"sheet": sheet.name, "kind": kind, "title": layout.title, "date": layout.date, "columns": columns}
        )
    return shown


def _columns(sheet: Sheet, layout: Layout, known: Sequence[KnownItem]) -> list[dict[str, Any]]:
    meanings = layout.meanings()
    for item in layout.items:
        found = item_of(item, known)
        meanings[item.column] = f"item:{found.code}" if found in known else "item"
    return [
        {
            "column": column,
            "heading": heading,
            "meaning": meanings.get(column, ""),
            "samples": _samples(sheet, layout.first, column, meanings.get(column, "")),
        }
        for column, heading in sorted(layout.headings.items())
    ]


def _samples(sheet: Sheet, first: int, column: int, meaning: str) -> list[str]:
    texts = (clean(row[column])[:40] for row in sheet.rows[first : first + 50])
    found = list(dict.fromkeys(text for text in texts if text))[:SAMPLES]
    return [str(_masked(meaning, text)) for text in found]


def _masked(field: str, text: str) -> str | None:
    """A number of somebody's by the meaning of its column; of other columns what looks like one."""
    last = field.rpartition(".")[2]
    if last in ("id_number", "phone", "guardian_phone"):
        return str(mask.field(last.removeprefix("guardian_"), text))
    return mask.text(text)


def rows_shown(plan: Plan, read: Reading) -> list[dict[str, Any]]:
    """By row: {`sheet`, `row`, `name`, `person`, `state`, `why`, `asks`, `changes`, `offers`, `taken`}.

    Sentences are pairs (Chinese, English); a change is (field, before, after); an offer (key, name, place, Chinese,
    English, whether it is sure).
    """
    return [_row(one, read) for one in plan.outcomes]


def _row(one: Outcome, read: Reading) -> dict[str, Any]:
    changes = []
    for change in one.changes:
        after = change.after
        if change.field == "categories":
            after = "、".join(read.category_names.get(code, code) for code in after.split("、"))
        changes.append([change.field, _masked(change.field, change.before), _masked(change.field, after)])
    return {
        "sheet": one.sheet,
        "row": one.row,
        "name": one.name,
        "person": one.person,
        "state": one.state,
        "why": None if one.why is None else [*map(mask.text, one.why)],
        "asks": [[*map(mask.text, ask)] for ask in one.asks],
        "changes": changes,
        "offers": [
            [
                each.key,
                each.name,
                " ".join(filter(None, (short_name(read.divisions.get(each.division, "")), each.group))),
                *map(mask.text, each.because),
                each.sure,
            ]
            for each in one.offers
        ],
        "taken": one.taken,
        "number": one.number,
    }
