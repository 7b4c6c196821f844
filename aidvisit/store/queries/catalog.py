"""Names of what codes stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from aidvisit.store.tables import Category, Division, Item, Place


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


def items(conn: Connection) -> dict[str, ItemName]:
    """All items by code, in the order in which they were defined."""
    query = select(Item).order_by(Item.order_key, Item.code)
    return {
        row.code: ItemName(row.code, row.name, row.unit, row.spec, row.item_class, row.repeat_days, row.value_fen)
        for row in conn.execute(query)
    }


def unknown_item(code: str) -> ItemName:
    """An item that a fact names before its definition arrived: shown by its code, never refused."""
    return ItemName(code, code, "", None, "", None, None)


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


def categories(conn: Connection) -> dict[str, str]:
    """Names of hardship categories by code, in the order in which they were defined."""
    query = select(Category.code, Category.name).order_by(Category.order_key, Category.code)
    return {row.code: row.name for row in conn.execute(query)}


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
    """The divisions whose code begins with `under`, by code."""
    query = select(Division).where(Division.code.startswith(under, autoescape=True)).order_by(Division.code)
    return [DivisionRow(row.code, row.name, row.parent) for row in conn.execute(query)]


def chain(code: str) -> list[str]:
    """The codes of the county, the town and the village that a division code lies in, as far as it goes."""
    return [code[:digits] for digits in (6, 9, 12) if len(code) >= digits]


def division_names(conn: Connection, code: str) -> list[str]:
    """County, town and village of a code, as far as they are defined."""
    return names_of(conn, [code]).get(code, [])


def names_of(conn: Connection, codes: Iterable[str]) -> dict[str, list[str]]:
    """`division_names` of many codes in one statement."""
    wanted = set(codes)
    steps = {step for code in wanted for step in chain(code)}
    query = select(Division.code, Division.name).where(Division.code.in_(sorted(steps)))
    known = {row.code: row.name for row in conn.execute(query)}
    return {code: [known[step] for step in chain(code) if step in known] for code in wanted}
