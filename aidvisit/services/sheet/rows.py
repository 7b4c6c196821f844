"""One row of a list as a household or a person, with goods, or words on why it cannot be one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

from aidvisit.domain import id_number, person
from aidvisit.domain.id_number import Flaw
from aidvisit.services.bodies import filled
from aidvisit.services.sheet.cells import Cell, Sheet, clean, find_date, squeeze, whole_number
from aidvisit.services.sheet.faults import FIELDS, Said, say
from aidvisit.services.sheet.guess import words_of
from aidvisit.services.sheet.layout import TOTAL, ItemColumn, Layout

_LOST = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_BESIDE = re.compile(r"[\u3400-\u9fff()::\s]+")
_NO_PHONE = ("", "无", "没有", "/", "-", "——")
_FOOT = re.compile(r"(制表|填表|审核|复核|经办|负责人|填报|注|说明|备注)[人员单位]*[::]")
_SEXES = {"男": "M", "女": "F", "M": "M", "F": "F", "男性": "M", "女性": "F"}
LONGEST = {"name": 100, "address": 300, "note": 2000, "group": 100, "relation": 100, "guardian": 100, "head": 100}


@dataclass(frozen=True, slots=True)
class SheetRow:
    """`number`: from 1, as the spreadsheet shows it. `quantities`: index in `Layout.items` → quantity ≥ 1.

    `faults` say in words why the row cannot be taken as it is, `asks` what is odd about it. `id_number`, `born`
    (YYYY-MM-DD) and `sex` are right or empty. `head`: of the household that a person belongs to.
    """

    number: int
    name: str
    id_number: str = ""
    size: int | None = None
    categories: tuple[str, ...] = ()
    phone: str = ""
    group: str = ""
    village: str = ""
    address: str = ""
    note: str = ""
    quantities: dict[int, int] | None = None
    faults: tuple[Said, ...] = ()
    asks: tuple[Said, ...] = ()
    sheet: str = ""
    town: str = ""
    born: str = ""
    sex: str = ""
    relation: str = ""
    guardian: str = ""
    guardian_phone: str = ""
    head: str = ""

    @property
    def goods(self) -> dict[int, int]:
        return self.quantities or {}


def fingerprint(base: str, row: SheetRow) -> str:
    """What a row is known by in a later list: its ID number and name, else all that says who it is.

    `base`: of its sheet. Whoever differs in any of it is somebody else: of namesakes none is taken for the other.
    """
    who = [row.name, id_number.modern(row.id_number)]
    if not row.id_number:
        place = (base, row.town, row.village, row.group, row.address)
        who += [*place, row.phone, row.born, row.head, row.guardian, row.guardian_phone]
    return sha256("\n".join(who).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class TotalRow:
    """What the sheet itself says its columns sum up to."""

    number: int
    quantities: dict[int, int]


def read_rows(
    sheet: Sheet, layout: Layout, today: str = "", progress: Callable[[int, int], None] | None = None
) -> tuple[list[SheetRow], TotalRow | None]:
    """Every row below the heading that holds a household or a person, and the total row if there is one.

    `today`: the day that births are compared with where the sheet names none.
    """
    rows: list[SheetRow] = []
    total: TotalRow | None = None
    above = tuple(map(squeeze, sheet.rows[layout.first - 1]))
    for index in range(layout.first, len(sheet.rows)):
        cells = sheet.rows[index]
        if any(TOTAL.match(squeeze(cell)) for cell in cells[:4] if isinstance(cell, str)):
            sums = ((i, whole_number(cells[item.column])) for i, item in enumerate(layout.items))
            total = TotalRow(index + 1, {i: n for i, n in sums if n is not None})
        elif _is_one(sheet, layout, index) and tuple(map(squeeze, cells)) != above:
            rows.append(_Reader(sheet, layout, index, today).row())
        if progress and not index % 1000:
            progress(index, len(sheet.rows))
    return _without_cut_numbers(rows), total


def _is_one(sheet: Sheet, layout: Layout, index: int) -> bool:
    """A name, or without one at least two of the things that only such a row has."""
    cells = sheet.rows[index]

    def own(column: int) -> bool:
        return (index, column) not in sheet.spread and bool(clean(cells[column]))

    (name,) = layout.columns["name"][:1]
    if own(name):
        return not (_FOOT.match(squeeze(cells[name])) or any(_FOOT.match(squeeze(cell)) for cell in cells[:2]))
    kept = [c for m, columns in layout.columns.items() for c in columns
            if m in ("id_number", "phone", "categories", "size")]  # fmt: skip
    return sum(own(column) for column in kept) >= 2


def _without_cut_numbers(rows: list[SheetRow]) -> list[SheetRow]:
    """A list that has ID numbers which a spreadsheet cut to …000 has others whose check digit fits by chance."""
    endings = Counter(row.id_number[-3:] for row in rows if len(row.id_number) == 18)
    cut = any(row.faults for row in rows if row.id_number[-3:] == "000")
    if not cut or endings["000"] < 2:
        return rows
    return [replace(row, faults=(*row.faults, say("id-zeros"))) if row.id_number[-3:] == "000" else row for row in rows]


class _Reader:
    """Reads one row, noting what is wrong."""

    def __init__(self, sheet: Sheet, layout: Layout, index: int, today: str) -> None:
        self.sheet, self.layout, self.index = sheet, layout, index
        self.on = layout.date or today or date.max.isoformat()
        self.cells = sheet.rows[index]
        self.faults: list[Said] = []
        self.asks: list[Said] = []

    def row(self) -> SheetRow:
        name = self.text("name")
        if not name:
            self.faults.append(say("no-name"))
        size = self.size()
        number = self.id_number()
        born, sex = self.born(), self.sex()
        self.check(number, born, sex)
        said = id_number.read(number)
        if not isinstance(said, Flaw):
            born, sex = said.born, said.sex
        quantities = dict(self.quantities())
        return SheetRow(
            number=self.index + 1,
            name=name,
            id_number=number,
            size=size,
            categories=tuple(word for cell in self.cells_of("categories") for word in words_of(squeeze(cell))),
            phone=self.phone("phone"),
            group=self.text("group"),
            village=self.text("village"),
            address=self.text("address"),
            note=self.text("note"),
            quantities=quantities,
            sheet=self.sheet.name,
            town=self.text("town"),
            born=born,
            sex=sex,
            relation=self.text("relation"),
            guardian=self.text("guardian"),
            guardian_phone=self.phone("guardian_phone"),
            head=self.text("head"),
            faults=tuple(self.faults),
            asks=tuple(self.asks),
        )

    def cells_of(self, meaning: str) -> list[Cell]:
        return [self.cells[column] for column in self.layout.columns.get(meaning, ())]

    def cell(self, meaning: str) -> Cell:
        columns = self.layout.columns.get(meaning)
        return self.cells[columns[0]] if columns else None

    def text(self, meaning: str) -> str:
        text = ";".join(text for cell in self.cells_of(meaning) if (text := clean(cell)))
        most = LONGEST.get(meaning, 100)
        if len(text) > most:
            self.faults.append(say("too-long", text=text[:10], most=most))
            return ""
        return text

    def size(self) -> int | None:
        cell = self.cell("size")
        size = whole_number(cell)
        if (size is None or not 1 <= size <= 99) and clean(cell):
            self.faults.append(say("size", text=clean(cell)))
            return None
        return size

    def id_number(self) -> str:
        cell = self.cell("id_number")
        text = squeeze(cell).upper()
        if (isinstance(cell, (int, float)) and cell >= 10**15) or _LOST.fullmatch(text):
            self.faults.append(say("id-lost"))
            return ""
        return text

    def born(self) -> str:
        text = clean(self.cell("born"))
        found = find_date(text)
        if text and found is None:
            self.faults.append(say("born", text=text[:20]))
        return found or ""

    def sex(self) -> str:
        text = squeeze(self.cell("sex")).upper()
        if text and text not in _SEXES:
            self.faults.append(say("sex", text=text[:20]))
        return _SEXES.get(text, "")

    def check(self, number: str, born: str, sex: str) -> None:
        """What the rules about people say, and an age that is not the one of the birth date."""
        for finding in person.checks(filled(id_number=number, born=born, sex=sex), self.on):
            what = FIELDS[finding.field]
            sentence = Said(f"{what.zh}:{finding.zh}", f"{what.en}: {finding.en}")
            (self.faults if finding.blocking else self.asks).append(sentence)
        born = person.completed(filled(id_number=number, born=born)).get("born", "")
        given = whole_number(self.cell("age"))
        if given is not None and born and self.layout.date:
            age = person.age(born, self.layout.date)
            if abs(given - age) > 1:  # 虚岁 counts one more
                self.asks.append(say("age", text=given, other=age))

    def phone(self, meaning: str) -> str:
        """A mobile's digits; other numbers, several, and words beside one, as they stand; what is none is asked."""
        text = clean(self.cell(meaning))
        digits = re.sub(r"[\s()+-]", "", text).removeprefix("86")
        if _MOBILE.fullmatch(digits):
            return digits
        parts = [part for part in re.split(r"[、,;/]|\s(?=[01])", text) if part]
        if parts and len(text) <= 100 and any(map(person.is_phone, map(_number_in, parts))):
            return text
        if text not in _NO_PHONE:
            self.asks.append(say("phone", text=text[:30]))
        return ""

    def quantities(self) -> Iterator[tuple[int, int]]:
        for i, item in enumerate(self.layout.items):
            yield from self._quantity(i, item)

    def _quantity(self, i: int, item: ItemColumn) -> Iterator[tuple[int, int]]:
        cell = self.cells[item.column]
        text = clean(cell)
        if not text:
            return
        quantity = whole_number(cell)
        if (self.index, item.column) in self.sheet.spread:
            self.faults.append(say("merged-quantity", item=item.name))
        elif quantity is None:
            self.faults.append(say("quantity", item=item.name, text=text[:20]))
        elif quantity < 0:
            self.faults.append(say("negative", item=item.name, text=quantity))
        elif quantity:
            yield i, quantity


def _number_in(text: str) -> str:
    """The number of a text that says whose it is: 女儿 13812345678, 13812345678(女儿)."""
    return _BESIDE.sub("", text)
