"""The rows that were not taken, as a spreadsheet to mend and bring again: as they were, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aidvisit.services.sheet.cells import Cell
from aidvisit.services.sheet.plan import Listed, Refused
from aidvisit.services.sheet.words import REASON
from aidvisit.services.sheet.write import Table


def refused_tables(sheets: Sequence[Listed], refused: Sequence[Refused]) -> Iterator[Table]:
    """A table for each sheet that has such rows: title, day and headings as there, a column with the reason last."""
    for listed in sheets:
        reasons = {one.row: f"{one.why} / {one.why_en}" for one in refused if one.sheet == listed.sheet.name}
        if not reasons:
            continue
        layout, width = listed.layout, max(listed.layout.headings) + 1
        day = layout.date and "日期:{}年{}月{}日".format(*layout.date.split("-"))
        rows: list[Sequence[Cell]] = [(day or "",), (*_heading(listed, width), REASON)]
        rows += [(*_cells(listed, number - 1, width), reason) for number, reason in sorted(reasons.items())]
        yield listed.sheet.name, (layout.title,), rows


def _heading(listed: Listed, width: int) -> Iterator[str]:
    return (listed.layout.headings.get(column, "") for column in range(width))


def _cells(listed: Listed, index: int, width: int) -> Iterator[Cell]:
    """As they stand; what a merged cell says for several rows is said in each, but for quantities."""
    goods = {item.column for item in listed.layout.items}
    for column, cell in enumerate(listed.sheet.rows[index][:width]):
        yield None if column in goods and (index, column) in listed.sheet.spread else cell
