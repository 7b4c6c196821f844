"""Where things stand on a sheet: its heading, what each column means, its title and its day."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from aidvisit.services.sheet.cells import Sheet, clean, find_date, squeeze, whole_number

MEANINGS: dict[str, frozenset[str]] = {
    "number": frozenset({"序号", "编号", "序"}),
    "group": frozenset({"村小组", "村民小组", "小组", "组别", "队别", "队", "组", "生产队", "自然村"}),
    "village": frozenset({"村(居)", "村居", "村委", "村委会", "村(社区)", "社区", "行政村", "村", "村名"}),
    "name": frozenset({"户主姓名", "户主", "姓名", "户主名", "领取人姓名", "困难群众姓名"}),
    "id_number": frozenset({"身份证号码", "身份证号", "身份证", "公民身份号码", "证件号码", "户主身份证号码"}),
    "size": frozenset({"家庭人口", "家庭人口数", "人口数", "人口", "家庭人数", "人数", "户内人口"}),
    "categories": frozenset({"困难类型", "困难类别", "类型", "类别", "困难原因", "人员类别", "家庭类型"}),
    "phone": frozenset({"联系电话", "电话", "手机", "手机号码", "手机号", "联系方式", "电话号码"}),
    "address": frozenset({"地址", "家庭住址", "住址", "家庭地址"}),
    "note": frozenset({"备注", "说明"}),
    "ignored": frozenset({"领取人签名", "领取人签字", "签名", "签字", "签收", "领取人", "日期", "领取日期", "指模"}),
}
_MEANING = {word: meaning for meaning, words in MEANINGS.items() for word in words}
_GOODS = re.compile(r"物资|慰问品|慰问金|发放|物品")
_ITEM = re.compile(r"(?P<name>[^()]+)(?:\((?P<inside>[^()]*)\))?")
TOTAL = re.compile(r"(合计|总计|小计|共计|总共)")


@dataclass(frozen=True, slots=True)
class ItemColumn:
    """A column of goods: `大米(袋,10kg)` is name 大米, unit 袋, spec 10kg; unit and spec may be empty."""

    column: int
    name: str
    unit: str
    spec: str


@dataclass(frozen=True, slots=True)
class Layout:
    """`first` is the index of the first row below the heading; `unknown` holds (column, its heading)."""

    columns: dict[str, int]
    items: tuple[ItemColumn, ...]
    unknown: tuple[tuple[int, str], ...]
    heading: int
    first: int
    title: str
    date: str | None


def find_layout(sheet: Sheet, item_names: frozenset[str] = frozenset()) -> Layout | None:
    """The layout of a sheet that lists households by name, or None when it is no such list.

    A column is goods when a heading above it says so (慰问物资) or its own name is one of `item_names`.
    """
    scores = [len({_MEANING[w] for w in map(squeeze, row) if w in _MEANING}) for row in sheet.rows[:30]]
    best = max(scores, default=0)
    if best < 2:
        return None
    heading = scores.index(best)
    first = _end_of_heading(sheet, heading)
    columns: dict[str, int] = {}
    items: list[ItemColumn] = []
    unknown: list[tuple[int, str]] = []
    for column, words in _headings(sheet, heading, first):
        meaning = next((_MEANING[w] for w in reversed(words) if w in _MEANING), None)
        leaf = words[-1]
        item = _item(column, leaf)
        if meaning is not None:
            columns.setdefault(meaning, column)
        elif item and (match_name(item.name, item_names) or any(_GOODS.search(w) for w in words[:-1])):
            items.append(item)
        else:
            unknown.append((column, leaf))
    if "name" not in columns:
        return None
    title, date = _title(sheet, heading), _date(sheet, heading)
    return Layout(columns, tuple(items), tuple(unknown), heading, first, title, date)


def match_name(word: str, names: Collection[str]) -> str | None:
    """The one name that a word means: itself, or the only one that ends with it (油 → 食用油)."""
    if word in names:
        return word
    longer = {name for name in names if name.endswith(word)}
    return longer.pop() if len(longer) == 1 else None


def _end_of_heading(sheet: Sheet, heading: int) -> int:
    """The heading goes on while merged cells hang down from it into rows that hold no number."""
    row = heading + 1
    while row < len(sheet.rows):
        cells = sheet.rows[row]
        above = sheet.rows[heading]
        hangs = any((row, j) in sheet.spread and cells[j] == above[j] for j in range(len(cells)))
        if not hangs or any(whole_number(cell) is not None for cell in cells):
            break
        row += 1
    return row


def _headings(sheet: Sheet, heading: int, first: int) -> Iterator[tuple[int, list[str]]]:
    for column in range(len(sheet.rows[heading])):
        words: list[str] = []
        for row in sheet.rows[heading:first]:
            word = squeeze(row[column])
            if word and word not in words:
                words.append(word)
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
