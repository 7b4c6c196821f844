"""One row of a list as a household with its goods, or words on why it cannot be one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aidvisit.services.sheet.cells import Cell, Sheet, clean, squeeze, whole_number
from aidvisit.services.sheet.layout import TOTAL, ItemColumn, Layout

_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """`number`: from 1, as the spreadsheet shows it. `quantities`: index in `Layout.items` → quantity ≥ 1.

    `faults` say in words why the row cannot be taken as it is.
    """

    number: int
    name: str
    id_number: str
    size: int | None
    categories: tuple[str, ...]
    phone: str
    group: str
    village: str
    address: str
    note: str
    quantities: dict[int, int]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TotalRow:
    """What the sheet itself says its columns sum up to."""

    number: int
    quantities: dict[int, int]


def read_rows(sheet: Sheet, layout: Layout) -> tuple[list[SheetRow], TotalRow | None]:
    """Every row below the heading that holds a household, and the total row if there is one."""
    rows: list[SheetRow] = []
    total: TotalRow | None = None
    for index in range(layout.first, len(sheet.rows)):
        cells = sheet.rows[index]
        if any(TOTAL.match(squeeze(cell)) for cell in cells[:4]):
            sums = ((i, whole_number(cells[item.column])) for i, item in enumerate(layout.items))
            total = TotalRow(index + 1, {i: n for i, n in sums if n is not None})
        elif _is_household(sheet, layout, index):
            rows.append(_read_row(sheet, layout, index))
    return rows, total


def _is_household(sheet: Sheet, layout: Layout, index: int) -> bool:
    """A name, or without one at least two of the things that only a household's row has."""
    cells = sheet.rows[index]

    def own(column: int) -> bool:
        return (index, column) not in sheet.spread and bool(clean(cells[column]))

    if own(layout.columns["name"]):
        return True
    kept = [c for m, c in layout.columns.items() if m in ("id_number", "phone", "categories", "size")]
    return sum(own(column) for column in kept) >= 2


def _read_row(sheet: Sheet, layout: Layout, index: int) -> SheetRow:
    cells = sheet.rows[index]

    def cell(meaning: str) -> Cell:
        column = layout.columns.get(meaning)
        return None if column is None else cells[column]

    faults: list[str] = []
    name = clean(cell("name"))
    if not name:
        faults.append("没有户主姓名,请补上姓名")
    size = whole_number(cell("size"))
    if clean(cell("size")) and (size is None or size < 1):
        faults.append(f"家庭人口“{clean(cell('size'))}”不是 1 以上的整数")
        size = None
    return SheetRow(
        number=index + 1,
        name=name,
        id_number=_id_number(cell("id_number"), faults),
        size=size,
        categories=tuple(part for part in re.split(r"[、,;/+]", squeeze(cell("categories"))) if part),
        phone=_phone(cell("phone")),
        group=clean(cell("group")),
        village=clean(cell("village")),
        address=clean(cell("address")),
        note=clean(cell("note")),
        quantities=dict(_quantities(sheet, layout.items, index, faults)),
        faults=tuple(faults),
    )


def _id_number(cell: Cell, faults: list[str]) -> str:
    text = squeeze(cell).upper()
    if isinstance(cell, (int, float)) and cell >= 10**15:
        faults.append("身份证号码存成了数字,末几位已经丢失:请把这一列设为文本,照证件重填")
        return ""
    return text


def _phone(cell: Cell) -> str:
    text = clean(cell)
    digits = re.sub(r"\D", "", text)
    return digits if len(digits) == 11 and not _HAN.search(text) else text


def _quantities(
    sheet: Sheet, items: tuple[ItemColumn, ...], index: int, faults: list[str]
) -> Iterator[tuple[int, int]]:
    for i, item in enumerate(items):
        cell = sheet.rows[index][item.column]
        text = clean(cell)
        if not text:
            continue
        quantity = whole_number(cell)
        if (index, item.column) in sheet.spread:
            faults.append(f"{item.name}的数量格是几行合并的,分不清每户多少:请拆开,每户各填一个数")
        elif quantity is None:
            faults.append(f"{item.name}的数量“{text}”不是整数:请填数字")
        elif quantity < 0:
            faults.append(f"{item.name}的数量是 {quantity},不能小于 0")
        elif quantity:
            yield i, quantity
