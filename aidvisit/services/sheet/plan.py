"""What an import would do: each row new, same, changed, or refused and why; and what is left to answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from aidvisit.services.sheet.cells import Sheet, squeeze
from aidvisit.services.sheet.faults import Said
from aidvisit.services.sheet.known import Category, KnownHousehold, KnownItem, KnownMember
from aidvisit.services.sheet.layout import ItemColumn, Layout, match_name
from aidvisit.services.sheet.rows import SheetRow, TotalRow

State = Literal["new", "same", "changed", "refused"]
OtherNumber = Literal["", "kept", "replaced"]
WITH_NUMBER = "+number"
RowKey = tuple[str, int]
"""A row by its sheet and its number."""


@dataclass(frozen=True, slots=True)
class Refused:
    """`why` in Chinese, `why_en` the same in English."""

    sheet: str
    row: int
    name: str
    why: str
    why_en: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """`about`: what an answer says: `place`, `village`, `team`, `date`, `item`, or nothing that a page could ask.

    `key`: of a village its name, of an item its column.
    """

    sheet: str
    row: int | None
    what: str
    options: tuple[str, ...] = ()
    what_en: str = ""
    about: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """One sheet that is to be read, and what stands on it.

    `base`: code of the village, town or county of rows that name none; empty when nobody knows.
    """

    sheet: Sheet
    layout: Layout
    rows: Sequence[SheetRow]
    total: TotalRow | None = None
    base: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A household that a row may belong to. `key` names it: its id, or the row of this file that makes it.

    `sure`: head or guardian and telephone are the same; others are only alike.
    """

    key: str
    name: str
    division: str
    group: str
    because: Said
    sure: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a row that is otherwise on record; `field` as in `web/import_words`."""

    field: str
    before: str
    after: str


@dataclass(slots=True, eq=False)
class PlannedMember:
    """A person of a household; `known` is None for a new one. `changes`: field → value."""

    id: str
    name: str
    id_number: str = ""
    phone: str = ""
    known: KnownMember | None = None
    body: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    listed: bool = False

    @property
    def state(self) -> State:
        if self.known is None:
            return "new"
        return "changed" if self.changes else "same"


@dataclass(slots=True, eq=False)
class PlannedHousehold:
    """`known` is None for a new one; `changes`: path → value; `added`: categories that it did not have.

    `listed`: the file names it, or a person of it. `goods`: (household, item code) → quantity, where the household is
    this one, or one that was merged into it. `outside`: it lies where whoever imports may not register.
    """

    row: SheetRow | None
    division: str
    categories: tuple[Category, ...]
    known: KnownHousehold | None = None
    changes: dict[str, str | int] = field(default_factory=dict)
    added: tuple[Category, ...] = ()
    id: str = ""
    name: str = ""
    group: str = ""
    head: dict[str, str] = field(default_factory=dict)
    members: list[PlannedMember] = field(default_factory=list)
    goods: dict[tuple[str, str], int] = field(default_factory=dict)
    listed: bool = False
    outside: bool = False

    @property
    def open(self) -> bool:
        """Whether a row may be of it: it is not closed, and lies where somebody may register."""
        return not self.outside and not (self.known and self.known.closed)

    @property
    def state(self) -> State:
        if self.known is None:
            return "new"
        touched = self.changes or self.added or any(member.state != "same" for member in self.members)
        return "changed" if touched else "same"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one row. `person`: it is a member's; `taken`: the offer that was accepted.

    `number`: what becomes of the record's ID number where the row has another one.
    """

    sheet: str
    row: int
    name: str
    person: bool
    state: State
    why: Said | None = None
    asks: tuple[Said, ...] = ()
    changes: tuple[Change, ...] = ()
    offers: tuple[Offer, ...] = ()
    taken: str = ""
    number: OtherNumber = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """What somebody settled: which offers are taken, by row (`Offer.key`, with `WITH_NUMBER` behind it where the row's
    ID number is the right one), or all that are sure.

    `places`: codes that they may register in, None for all.
    """

    accept_sure: bool = False
    accepted: Mapping[RowKey, str] = field(default_factory=dict)
    places: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`households`: those that the file names. `items`: of its goods, `new_items` those that the catalogue has not.

    `said`: row (`rows.fingerprint`) → the household that it was said to be, where that is not remembered yet.
    `elsewhere`: rows that told that somebody is on record in a place that is not the reader's.
    """

    households: tuple[PlannedHousehold, ...]
    outcomes: tuple[Outcome, ...]
    items: tuple[KnownItem, ...]
    new_items: tuple[KnownItem, ...]
    questions: tuple[Question, ...]
    unknown_villages: tuple[str, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)
    elsewhere: int = 0

    @property
    def refused(self) -> tuple[Refused, ...]:
        return tuple(
            Refused(one.sheet, one.row, one.name, one.why.zh, one.why.en)
            for one in self.outcomes
            if one.why is not None
        )

    @property
    def checks(self) -> tuple[Refused, ...]:
        """What is odd about rows that are taken."""
        return tuple(
            Refused(one.sheet, one.row, one.name, ask.zh, ask.en)
            for one in self.outcomes
            if one.why is None
            for ask in one.asks
        )


def item_of(column: ItemColumn, known: Sequence[KnownItem]) -> KnownItem:
    """The catalogue's item of that name whose unit and spec do not contradict the heading, or a new one."""
    for item in known:
        if column.code and item.code == column.code:
            return item
    name = match_name(column.name, {item.name for item in known}) or column.name
    for item in known:
        units = column.unit in ("", item.unit)
        specs = not column.spec or _plain_spec(column.spec, item.unit) == _plain_spec(item.spec, item.unit)
        if item.name == name and units and specs:
            return item
    unit = column.unit or "份"
    digest = sha256(f"{name}|{unit}|{column.spec}".encode()).hexdigest()
    return KnownItem(f"item_{digest[:8]}", name, unit, column.spec)


def _plain_spec(spec: str, unit: str) -> str:
    return squeeze(spec).lower().removesuffix(f"/{unit}")


def questions_of(listed: Listed) -> list[Question]:
    """What a sheet leaves open by itself: columns that nobody knows, and totals that do not add up."""
    sheet, layout, rows, total = listed.sheet, listed.layout, listed.rows, listed.total
    found = [
        Question(
            sheet.name, layout.heading + 1, f"不认识“{heading}”这一列,没有读",
            what_en=f"The column “{heading}” is not known and was not read",
        )
        for _, heading in layout.unknown
    ]  # fmt: skip
    if total is None:
        return found
    for i, stated in total.quantities.items():
        counted = sum(row.goods.get(i, 0) for row in rows)
        if stated != counted:
            name = layout.items[i].name
            found.append(
                Question(
                    sheet.name, total.number, f"{name}合计写的是 {stated},各行相加是 {counted}",
                    what_en=f"The total of {name} is given as {stated}, the rows add up to {counted}",
                )
            )  # fmt: skip
    return found
