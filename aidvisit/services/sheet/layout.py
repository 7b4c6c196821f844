"""Where things stand on a sheet: its heading, what each column means, its title and its day."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from aidvisit.services.sheet.cells import Cell, Sheet, clean, find_date, squeeze, whole_number
from aidvisit.services.sheet.guess import SAMPLE_ROWS, Hints, guess
from aidvisit.services.sheet.words import REASON, SEVERAL, meaning_of

_GOODS = re.compile(r"物资|慰问品|慰问金|发放|物品")
_ITEM = re.compile(r"(?P<name>[^()]+)(?:\((?P<inside>[^()]*)\))?")
TOTAL = re.compile(r"(合计|总计|小计|共计|总共)")
_BY_CONTENT = ("number", "phone", "id_number", "note", "ignored", None)
"""Meanings of a heading that give way to an ID number or a telephone number in the column."""
MOST_HEADING_ROWS = 6

Kind = Literal["households", "people"]


@dataclass(frozen=True, slots=True)
class ItemColumn:
    """A column of goods: `大米(袋,10kg)` is name 大米, unit 袋, spec 10kg; unit and spec may be empty.

    `code`: the catalogue's item that somebody said it is.
    """

    column: int
    name: str
    unit: str
    spec: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """`first` is the index of the first row below the heading; `unknown` holds (column, its heading).

    `columns`: meaning → indexes of columns. `headings`: column → what stands above it. `digest`: of the headings.
    """

    columns: dict[str, tuple[int, ...]]
    items: tuple[ItemColumn, ...]
    unknown: tuple[tuple[int, str], ...]
    heading: int
    first: int
    title: str
    date: str | None
    kind: Kind = "households"
    headings: dict[int, str] = field(default_factory=dict)
    digest: str = ""

    def meanings(self) -> dict[int, str]:
        """Column → its meaning, `item` or `item:<code>` for goods; those that nothing is known of are left out."""
        found = {column: meaning for meaning, columns in self.columns.items() for column in columns}
        return found | {item.column: f"item:{item.code}" if item.code else "item" for item in self.items}


def find_layout(
    sheet: Sheet,
    hints: Hints | frozenset[str] = frozenset(),
    said: Mapping[str, Any] | None = None,
    *,
    named: bool = True,
) -> Layout | None:
    """The layout of a sheet that lists households or people by name, or None when it is no such list.

    A column is goods when a heading above it says so (慰问物资) or its own name is one of the items'. `said`: what
    somebody settled before for these headings, `{"kind": …, "columns": {"<column>": meaning}}`. One without a column
    of names is none unless `named` is false.
    """
    hints = hints if isinstance(hints, Hints) else Hints(hints)
    scores = [len({m for w in map(squeeze, row) if w and (m := meaning_of(w))}) for row in sheet.rows[:30]]
    best = max(scores, default=0)
    if best < 2:
        return None
    top, first = _heading_rows(sheet, scores.index(best))
    words = dict(_headings(sheet, top, first))
    headings = {column: above[-1] for column, above in words.items()}
    found = _by_name_and_content(sheet, first, words, hints)
    said = said or {}
    found |= {int(column): meaning for column, meaning in said.get("columns", {}).items() if int(column) in headings}
    columns, items = _sorted_out(found, headings)
    if named and "name" not in columns:
        return None
    unknown = tuple((column, heading) for column, heading in headings.items() if column not in found)
    title, date = _title(sheet, top), _date(sheet, top)
    kind: Kind = _SAID.get(said.get("kind", "")) or _kind(columns, headings, items, f"{title}{sheet.name}")
    return Layout(columns, items, unknown, top, first, title, date, kind, headings, digest_of(headings))


def digest_of(headings: Mapping[int, str]) -> str:
    """Of a layout: the same headings in the same columns."""
    words = (f"{column} {word}" for column, word in sorted(headings.items()) if word != REASON)
    return sha256("\n".join(words).encode()).hexdigest()[:32]


def match_name(word: str, names: Collection[str]) -> str | None:
    """The one name that a word means: itself, or the only one that ends with it (油 → 食用油)."""
    if word in names:
        return word
    longer = {name for name in names if name.endswith(word)}
    return longer.pop() if len(longer) == 1 else None


def _by_name_and_content(sheet: Sheet, first: int, words: Mapping[int, list[str]], hints: Hints) -> dict[int, str]:
    """Column → meaning. A name that stands on two columns means the first, unless several may have it."""
    found: dict[int, str] = {}
    rest: dict[int, list[str]] = {}
    guessed = {column: guess(_sample(sheet, first, column), hints) for column in words}
    for column, above in words.items():
        named = next((meaning for word in reversed(above) if (meaning := meaning_of(word))), None)
        if guessed[column] in ("id_number", "phone") and named in _BY_CONTENT:
            named = guessed[column]
        if named is None and _is_goods(above, hints.items):
            named = "item"
        if named is not None and (named not in found.values() or named in SEVERAL or named in ("item", "ignored")):
            found[column] = named
        else:
            rest[column] = above
    for column in rest:
        meaning = guessed[column]
        if meaning is not None and meaning not in found.values():
            found[column] = meaning
    return found


def _is_goods(above: list[str], names: frozenset[str]) -> bool:
    item = _item(0, above[-1])
    return item is not None and bool(match_name(item.name, names) or any(_GOODS.search(w) for w in above[:-1]))


def _sorted_out(
    found: Mapping[int, str], headings: Mapping[int, str]
) -> tuple[dict[str, tuple[int, ...]], tuple[ItemColumn, ...]]:
    columns: dict[str, tuple[int, ...]] = {}
    items = []
    for column, meaning in sorted(found.items()):
        if meaning == "item" or meaning.startswith("item:"):
            item = _item(column, headings[column]) or ItemColumn(column, headings[column], "", "")
            items.append(ItemColumn(column, item.name, item.unit, item.spec, meaning[5:]))
        elif meaning not in columns or meaning in SEVERAL or meaning == "ignored":
            columns[meaning] = (*columns.get(meaning, ()), column)
    if "name" not in columns and "head" in columns:
        columns["name"] = columns.pop("head")
    return columns, tuple(items)


_SAID: dict[str, Kind] = {"households": "households", "people": "people"}
_OF_PEOPLE = re.compile(r"妇女|儿童|学生|残疾人|老人|成员|人员")


def _kind(columns: Mapping[str, Any], headings: Mapping[int, str], items: tuple[ItemColumn, ...], title: str) -> Kind:
    """People when the list says to whom each belongs, or calls itself one and counts no household and no goods."""
    if any(meaning in columns for meaning in ("head", "guardian", "relation")):
        return "people"
    households = (
        any("户主" in headings[column] for column in columns.get("name", ())) or "size" in columns or bool(items)
    )
    return "people" if not households and _OF_PEOPLE.search(title) else "households"


def _sample(sheet: Sheet, first: int, column: int) -> list[str]:
    """The first texts of a column that hold anything; a number of more than 15 digits counts as one that was lost."""
    cells = (row[column] for row in sheet.rows[first : first + SAMPLE_ROWS])
    return [text for cell in cells if (text := _as_it_was(cell))]


def _as_it_was(cell: Cell) -> str:
    return squeeze(int(cell)) if isinstance(cell, float) and cell.is_integer() else squeeze(cell)


def _heading_rows(sheet: Sheet, best: int) -> tuple[int, int]:
    """The first row of the heading, and the first below it, around the row that names most columns."""
    top = best
    while top > max(0, best - MOST_HEADING_ROWS) and _stands_above(sheet, top - 1):
        top -= 1
    row = best + 1
    while row < min(len(sheet.rows), best + MOST_HEADING_ROWS) and _goes_on(sheet, best, row):
        row += 1
    return top, row


def _stands_above(sheet: Sheet, row: int) -> bool:
    """Whether a row is part of the heading below it: a cell of it hangs down, or it names groups of columns."""
    cells = sheet.rows[row]
    hangs = any(
        (row + 1, j) in sheet.spread and (row + 1, j - 1) not in sheet.spread and cell is not None
        and cell == sheet.rows[row + 1][j] and (row, j) not in sheet.spread
        for j, cell in enumerate(cells)
    )  # fmt: skip
    words = {squeeze(cell) for cell in cells if clean(cell)}
    grouped = any((row, j) in sheet.spread for j in range(len(cells))) and len(words) > 1
    return (hangs and len(words) > 1) or (grouped and all(":" not in word for word in words))


def _goes_on(sheet: Sheet, heading: int, row: int) -> bool:
    """The heading goes on while merged cells hang down from it, or names stand only where it left room for them."""
    cells, above = sheet.rows[row], sheet.rows[heading]
    if any(whole_number(cell) is not None for cell in cells):
        return False
    if any((row, j) in sheet.spread and cells[j] == above[j] and cells[j] is not None for j in range(len(cells))):
        return True
    filled = [j for j, cell in enumerate(cells) if clean(cell)]
    return bool(filled) and all(not clean(above[j]) or _GOODS.search(squeeze(above[j])) for j in filled)


def _headings(sheet: Sheet, top: int, first: int) -> Iterator[tuple[int, list[str]]]:
    """Column → the different words above it, from the top; a name of goods goes on to the right where none is."""
    goods = ""
    for column in range(len(sheet.rows[top])):
        words: list[str] = []
        for row in sheet.rows[top:first]:
            word = squeeze(row[column])
            if word and word not in words:
                words.append(word)
        if first - top > 1 and words:
            if _GOODS.search(words[0]):
                goods = words[0]
            elif len(words) == 1 and not squeeze(sheet.rows[top][column]) and goods:
                words.insert(0, goods)
            elif squeeze(sheet.rows[top][column]):
                goods = ""
        if words:
            yield column, words


def _item(column: int, heading: str) -> ItemColumn | None:
    match = _ITEM.fullmatch(heading)
    if match is None:
        return None
    inside = [part for part in re.split(r"[,,、;/]", match["inside"] or "") if part]
    unit = next((part for part in inside if not re.search(r"\d", part)), "")
    spec = next((part for part in inside if re.search(r"\d", part)), "")
    return ItemColumn(column, match["name"], unit, spec)


def _title(sheet: Sheet, heading: int) -> str:
    """The longest text above the heading that is not a field to fill in (填表单位: …)."""
    above = [clean(cell) for row in sheet.rows[:heading] for cell in row]
    return max((text for text in above if text and ":" not in text), key=len, default="")


def _date(sheet: Sheet, heading: int) -> str | None:
    for row in sheet.rows[:heading]:
        for cell in row:
            found = find_date(clean(cell))
            if found:
                return found
    return None


_PAPER = re.compile(r"(发放)?(登记表|登记册|花名册|签领表|签收表|名单|明细表|一览表|汇总表|表)(\(.*\))?$")


def trip_title(title: str) -> str:
    """A trip's title from a list's: 民强村慰问物资发放登记表 → 民强村慰问物资发放."""
    return _PAPER.sub(lambda match: match[1] or "", title) or title
