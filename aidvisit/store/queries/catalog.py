"""Names of what codes stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, exists, select

from aidvisit.domain.division import built_in
from aidvisit.store.queries.once import once
from aidvisit.store.tables import Allocation, Category, DeliveryLine, Division, Item, Place, StockLine

Noun = Literal["category", "item", "place"]
NOUNS: dict[Noun, type[Category] | type[Item] | type[Place]] = {"category": Category, "item": Item, "place": Place}
PAGE = 100


@dataclass(frozen=True, slots=True)
class ItemName:
    """A thing that is given; `value_fen` is the worth of one unit."""

    code: str
    name: str
    unit: str
    spec: str | None
    item_class: str
    repeat_days: int | None
    value_fen: int | None


@dataclass(frozen=True, slots=True)
class Quantity:
    """So many units of an item, with its names for the page."""

    item: str
    name: str
    unit: str
    spec: str | None
    quantity: int


@dataclass(frozen=True, slots=True)
class DivisionRow:
    """2 digits a province, 4 a city, 6 a county, 9 a town, 12 a village."""

    code: str
    name: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place that goods come from or are left at; `reference` is how stock names it."""

    code: str
    name: str
    kind: str

    @property
    def reference(self) -> str:
        return f"{self.kind}:{self.code}"


@dataclass(frozen=True, slots=True)
class Defined:
    """A category, item or place as it was last defined: the whole `body` as docs/facts.md has it.

    `seen`: the place of that definition in the order of everything.
    """

    code: str
    name: str
    body: dict[str, Any]
    seen: str


def defined(conn: Connection, noun: Noun, after: str = "", limit: int = PAGE) -> tuple[list[Defined], bool]:
    """Those of a noun by code, beyond `after`; whether there is more."""
    table = NOUNS[noun]
    query = select(table.__table__).where(table.code > after).order_by(table.code).limit(limit + 1)
    found = [_defined(row) for row in conn.execute(query)]
    return found[:limit], len(found) > limit


def definition(conn: Connection, noun: Noun, code: str) -> Defined | None:
    """What a code stands for; None when nobody defined it."""
    table = NOUNS[noun]
    row = conn.execute(select(table.__table__).where(table.code == code)).first()
    return None if row is None else _defined(row)


def _defined(row: Row[Any]) -> Defined:
    own = {name: value for name, value in row._mapping.items() if name not in ("stream", "subject", "order_key")}
    body = {"class" if name == "item_class" else name: value for name, value in own.items() if value is not None}
    return Defined(row.code, row.name, body, row.order_key)


def item_used(conn: Connection, code: str) -> bool:
    """Whether an item was ever allotted, moved or given: then its quantities were counted in its unit."""
    wheres = (Allocation.item == code, StockLine.item == code, DeliveryLine.item == code)
    return any(conn.execute(select(exists().where(where))).scalar() for where in wheres)


def items(conn: Connection) -> Mapping[str, ItemName]:
    """All items by code, in the order in which they were defined."""
    return once(conn, "items", lambda: {row.code: ItemName(*row) for row in conn.execute(_ITEMS)})


_ITEMS = select(Item.code, Item.name, Item.unit, Item.spec, Item.item_class, Item.repeat_days, Item.value_fen).order_by(
    Item.order_key, Item.code
)
_CATEGORIES = select(Category.code, Category.name).order_by(Category.order_key, Category.code)


def unknown_item(code: str) -> ItemName:
    """An item that a fact names before its definition arrived: shown by its code, never refused."""
    return ItemName(code, code, "", None, "", None, None)


def is_goods(names: Mapping[str, ItemName], code: str) -> bool:
    """Whether an item is loaded, counted and runs out; a service (a screening, a lesson) is not."""
    return code not in names or names[code].item_class != "service"


def quantities(names: Mapping[str, ItemName], amounts: Mapping[str, int]) -> list[Quantity]:
    """Amounts by item code with their names, in the catalogue's order; zeros are left out."""
    return [
        Quantity(name.code, name.name, name.unit, name.spec, amounts[name.code])
        for name in named(names, amounts)
        if amounts[name.code]
    ]


def named(names: Mapping[str, ItemName], codes: Iterable[str]) -> list[ItemName]:
    """The names of these codes, in the catalogue's order, those that it does not know last."""
    wanted = set(codes)
    known = [name for code, name in names.items() if code in wanted]
    return known + [unknown_item(code) for code in sorted(wanted - names.keys())]


def categories(conn: Connection) -> Mapping[str, str]:
    """Names of hardship categories by code, in the order in which they were defined."""
    return once(conn, "categories", lambda: {row.code: row.name for row in conn.execute(_CATEGORIES)})


@dataclass(frozen=True, slots=True)
class CategoryName:
    """`level`: `household`, or `person` for what one person of it is."""

    code: str
    name: str
    level: str


def category_names(conn: Connection) -> list[CategoryName]:
    """Hardship categories in the order in which they were defined."""
    query = select(Category.code, Category.name, Category.level).order_by(Category.order_key, Category.code)
    return [CategoryName(row.code, row.name, row.level) for row in conn.execute(query)]


def places(conn: Connection) -> list[PlaceRow]:
    query = select(Place).order_by(Place.kind, Place.order_key, Place.code)
    return [PlaceRow(row.code, row.name, row.kind) for row in conn.execute(query)]


def divisions(conn: Connection, under: str = "") -> list[DivisionRow]:
    """The divisions that were defined and whose code begins with `under`, by code."""
    query = select(Division).where(Division.code.startswith(under, autoescape=True)).order_by(Division.code)
    return [DivisionRow(row.code, row.name, row.parent) for row in conn.execute(query)]


def chain(code: str) -> list[str]:
    """The codes of the county, the town and the village that a division code lies in, as far as it goes."""
    return [code[:digits] for digits in (6, 9, 12) if len(code) >= digits]


def division_names(conn: Connection, code: str) -> list[str]:
    """County, town and village of a code, as far as they are defined."""
    return names_of(conn, [code]).get(code, [])


_codes: Any = bindparam("codes", expanding=True)
_DIVISIONS = select(Division.code, Division.name).where(Division.code.in_(_codes))


def names_of(conn: Connection, codes: Iterable[str]) -> dict[str, list[str]]:
    """`division_names` of many codes in one statement."""
    wanted = set(codes)
    known = own_names(conn, {step for code in wanted for step in chain(code)})
    return {code: [known[step] for step in chain(code) if step in known] for code in wanted}


def own_names(conn: Connection, codes: Iterable[str]) -> dict[str, str]:
    """Each division's own name: as it was defined, else as it ships with the product; without those nobody knows."""
    wanted = sorted(codes)
    shipped, rows = built_in(), conn.execute(_DIVISIONS, {"codes": wanted})
    return {code: shipped[code] for code in wanted if code in shipped} | {row.code: row.name for row in rows}
