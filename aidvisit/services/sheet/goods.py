"""A sheet of goods that came in: one line a row, its columns known by their headings. Pure: no Flask, no SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from aidvisit.services.sheet.cells import Sheet, clean, find_date, squeeze
from aidvisit.services.sheet.layout import TOTAL

HEADINGS: Final[Mapping[str, frozenset[str]]] = {
    "item": frozenset({"物资", "物资名称", "物品", "物品名称", "品名", "名称", "item"}),
    "quantity": frozenset({"数量", "入库数量", "件数", "quantity"}),
    "unit": frozenset({"单位", "计量单位", "unit"}),
    "donor": frozenset({"捐赠方", "捐赠单位", "捐赠人", "捐赠者", "来源", "从哪里来", "donor"}),
    "lot": frozenset({"批次", "批号", "lot"}),
    "expires": frozenset({"有效期", "有效期到", "有效期至", "保质期到", "保质期至", "expires"}),
    "value": frozenset({"单价", "单价(元)", "单位价值", "value"}),
    "amount": frozenset({"金额", "金额(元)", "总价", "总价(元)", "总价值", "价值", "amount"}),
    "date": frozenset({"日期", "入库日期", "到货日期", "收货日期", "date"}),
    "place": frozenset({"仓库", "入库仓库", "入到哪里", "存放地点", "地点", "place"}),
}
"""What a column says → the headings that say it, without spaces."""
_SAID = {word: meaning for meaning, words in HEADINGS.items() for word in words}
_HEADING_WITHIN = 20


@dataclass(frozen=True, slots=True)
class GoodsLine:
    """`row`: its number in the sheet; `said`: what stands in each column, cleaned, by its meaning."""

    sheet: str
    row: int
    said: Mapping[str, str]


def goods_lines(sheets: Iterable[Sheet]) -> list[GoodsLine] | None:
    """The rows of every sheet that has a heading with goods and quantities; None when no sheet has one.

    A sum is no row. A day above the heading is the day of the rows that have none.
    """
    found = [(sheet, at) for sheet in sheets if (at := _heading(sheet)) is not None]
    return [line for sheet, at in found for line in _lines(sheet, at)] if found else None


def _heading(sheet: Sheet) -> int | None:
    for index, row in enumerate(sheet.rows[:_HEADING_WITHIN]):
        if {"item", "quantity"} <= set(_meanings(row).values()):
            return index
    return None


def _meanings(row: Iterable[object]) -> dict[int, str]:
    """Column → meaning; a heading that comes twice means the first."""
    found: dict[int, str] = {}
    for column, cell in enumerate(row):
        meaning = _SAID.get(squeeze(cell).lower())
        if meaning and meaning not in found.values():
            found[column] = meaning
    return found


def _lines(sheet: Sheet, heading: int) -> Iterator[GoodsLine]:
    columns = _meanings(sheet.rows[heading])
    day = next((day for row in sheet.rows[:heading] for cell in row if (day := find_date(clean(cell)))), "")
    for index, row in enumerate(sheet.rows[heading + 1 :], heading + 1):
        said = {
            meaning: "" if meaning in ("quantity", "amount") and (index, column) in sheet.spread else clean(row[column])
            for column, meaning in columns.items()
            if column < len(row)
        }
        summed = any(TOTAL.match(squeeze(cell)) for cell in row)
        if not summed and (said["item"] or said["quantity"]):
            yield GoodsLine(sheet.name, index + 1, said | {"date": said.get("date") or day})
