"""What an import would do: each row new, same, changed, or refused and why; and what is left to answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from aidvisit.domain import id_number
from aidvisit.domain.id_number import Flaw
from aidvisit.services.sheet.cells import Sheet, squeeze
from aidvisit.services.sheet.layout import ItemColumn, Layout, match_name
from aidvisit.services.sheet.places import find_villages
from aidvisit.services.sheet.rows import SheetRow, TotalRow


@dataclass(frozen=True, slots=True)
class KnownHousehold:
    id: str
    name: str
    id_number: str
    division: str
    group: str
    size: int | None
    phone: str
    address: str
    note: str
    categories: frozenset[str]


@dataclass(frozen=True, slots=True)
class KnownItem:
    code: str
    name: str
    unit: str
    spec: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record already. `categories`: every word for one (name or synonym, without spaces) → code;
    `divisions`: code → name."""

    households: Sequence[KnownHousehold]
    categories: Mapping[str, str]
    items: Sequence[KnownItem]
    divisions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refused:
    sheet: str
    row: int
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Question:
    sheet: str
    row: int | None
    what: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Category:
    code: str
    grade: str = ""


@dataclass(frozen=True, slots=True)
class PlannedHousehold:
    """`known` is None for a new one; `changes`: path → value; `added`: categories that it did not have."""

    row: SheetRow
    division: str
    categories: tuple[Category, ...]
    known: KnownHousehold | None = None
    changes: dict[str, str | int] = field(default_factory=dict)
    added: tuple[Category, ...] = ()

    @property
    def state(self) -> str:
        if self.known is None:
            return "new"
        return "changed" if self.changes or self.added else "same"


@dataclass(frozen=True, slots=True)
class Plan:
    """`items`: in the order of the layout's columns, `new_items` those of them that the catalogue has not."""

    division: str
    households: tuple[PlannedHousehold, ...]
    items: tuple[KnownItem, ...]
    new_items: tuple[KnownItem, ...]
    refused: tuple[Refused, ...]
    questions: tuple[Question, ...]


def make_plan(
    sheet: Sheet,
    layout: Layout,
    rows: Sequence[SheetRow],
    total: TotalRow | None,
    known: Known,
    division: str,
) -> Plan:
    """Compare a sheet's rows with what is known; `division`: the village (or town) of rows that name none."""
    matcher = _Matcher(known, division)
    planned: list[PlannedHousehold] = []
    refused: list[Refused] = []
    for row in rows:
        outcome = matcher.take(row)
        if isinstance(outcome, PlannedHousehold):
            planned.append(outcome)
        else:
            refused.append(Refused(sheet.name, row.number, row.name, ";".join(outcome)))
    items = [_item(column, known.items) for column in layout.items]
    new_items = tuple(item for item in items if item not in known.items)
    questions = [
        Question(sheet.name, layout.heading + 1, f"不认识“{heading}”这一列,没有读") for _, heading in layout.unknown
    ]
    questions += _total_questions(sheet, layout, rows, total)
    return Plan(division, tuple(planned), tuple(items), new_items, tuple(refused), tuple(questions))


FLAWS = {
    Flaw.SHAPE: "不是 18 位(或旧的 15 位)",
    Flaw.BIRTH_DATE: "里的出生日期不存在",
    Flaw.CHECK_DIGIT: "的最后一位校验码不对",
}


class _Matcher:
    """Takes rows one after another and remembers whom it has seen."""

    def __init__(self, known: Known, division: str) -> None:
        self.known = known
        self.division = division
        self.by_id_number = {id_number.modern(h.id_number): h for h in known.households if h.id_number}
        self.by_place = {(h.division, h.name, h.group): h for h in known.households}
        self.seen: dict[str, SheetRow] = {}
        self.seen_places: dict[tuple[str, str, str], SheetRow] = {}

    def take(self, row: SheetRow) -> PlannedHousehold | list[str]:
        faults = list(row.faults)
        division = self._division(row, faults)
        categories = self._categories(row, faults)
        if row.id_number:
            found = id_number.read(row.id_number)
            if isinstance(found, Flaw):
                faults.append(f"身份证号码{FLAWS[found]}:请照证件核对")
        place = (division, row.name, row.group)
        number = id_number.modern(row.id_number)
        before = self.seen.get(number) if number else self.seen_places.get(place)
        if before is not None:
            faults.append(_twice(before, row))
        if faults:
            return faults
        self.seen[number] = row
        self.seen_places[place] = row
        known = self._known(number, place)
        if known is None:
            return PlannedHousehold(row, division, categories)
        if known.name != row.name:
            return [f"身份证号码已登记在“{known.name}”名下:请核对姓名和号码"]
        added = tuple(c for c in categories if c.code not in known.categories)
        return PlannedHousehold(row, division, categories, known, _changes(row, known), added)

    def _known(self, number: str, place: tuple[str, str, str]) -> KnownHousehold | None:
        """By ID number, else by place, unless that is a namesake with another number."""
        known = self.by_id_number.get(number)
        if known is None:
            known = self.by_place.get(place)
            if known is not None and number and known.id_number:
                return None
        return known

    def _division(self, row: SheetRow, faults: list[str]) -> str:
        if not row.village:
            if len(self.division) != 12:
                faults.append("不知道是哪个村:请填村(居)一列,或用 --division 给出 12 位区划代码")
            return self.division
        found = find_villages(row.village, self.known.divisions, self.division[:9])
        if len(found) == 1:
            return found[0]
        faults.append(f"“{row.village}”不是已知的村(居):请改成行政村的名字,自然村填在村小组一列")
        return self.division

    def _categories(self, row: SheetRow, faults: list[str]) -> tuple[Category, ...]:
        categories = []
        for word in row.categories:
            category = find_category(word, self.known.categories)
            if category is None:
                faults.append(f"不认识困难类型“{word}”:请改成目录里的名称,或请管理员添加")
            elif category not in categories:
                categories.append(category)
        return tuple(categories)


_GRADE = re.compile(r"(?:(?P<before>[一二三四1-4])级)?(?P<word>.+?)(?:\(?(?P<after>[一二三四1-4])级\)?)?")
_HAN_GRADES = dict(zip("1234", "一二三四", strict=True))


def find_category(word: str, words: Mapping[str, str]) -> Category | None:
    """A hardship category by name or synonym, with the grade that stands with it (二级残疾)."""
    word = squeeze(word)
    if word in words:
        return Category(words[word])
    match = _GRADE.fullmatch(word)
    if match and match["word"] in words and (match["before"] or match["after"]):
        grade = match["before"] or match["after"]
        return Category(words[match["word"]], _HAN_GRADES.get(grade, grade) + "级")
    return None


def _twice(before: SheetRow, row: SheetRow) -> str:
    if before.name == row.name:
        return f"与第 {before.number} 行是同一户,只算一次"
    return f"身份证号码与第 {before.number} 行“{before.name}”相同:请核对"


def _changes(row: SheetRow, known: KnownHousehold) -> dict[str, str | int]:
    """Path → value of what the sheet says otherwise; an empty cell says nothing."""
    pairs: list[tuple[str, str | int | None, str | int | None]] = [
        ("head.id_number", row.id_number, "" if not known.id_number else row.id_number),
        ("head.phone", row.phone, known.phone),
        ("group", row.group, known.group),
        ("size", row.size, known.size),
        ("address", row.address, known.address),
    ]
    return {path: value for path, value, now in pairs if value and value != now}


def _plain_spec(spec: str, unit: str) -> str:
    return squeeze(spec).lower().removesuffix(f"/{unit}")


def _item(column: ItemColumn, known: Sequence[KnownItem]) -> KnownItem:
    """The catalogue's item of that name whose unit and spec do not contradict the heading, or a new one."""
    name = match_name(column.name, {item.name for item in known}) or column.name
    for item in known:
        units = column.unit in ("", item.unit)
        specs = not column.spec or _plain_spec(column.spec, item.unit) == _plain_spec(item.spec, item.unit)
        if item.name == name and units and specs:
            return item
    unit = column.unit or "份"
    digest = sha256(f"{name}|{unit}|{column.spec}".encode()).hexdigest()
    return KnownItem(f"item_{digest[:8]}", name, unit, column.spec)


def _total_questions(sheet: Sheet, layout: Layout, rows: Sequence[SheetRow], total: TotalRow | None) -> list[Question]:
    if total is None:
        return []
    sums = {i: sum(row.quantities.get(i, 0) for row in rows) for i in total.quantities}
    return [
        Question(sheet.name, total.number, f"{layout.items[i].name}合计写的是 {stated},各行相加是 {sums[i]}")
        for i, stated in total.quantities.items()
        if stated != sums[i]
    ]
