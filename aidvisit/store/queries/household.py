"""One household as it is now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from aidvisit.domain import mask
from aidvisit.domain.category import reached
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries.catalog import categories, division_names
from aidvisit.store.queries.timeline import timeline as timeline
from aidvisit.store.queries.warning import DeliveryWarning as DeliveryWarning
from aidvisit.store.queries.warning import warnings as warnings
from aidvisit.store.tables import Household, HouseholdCategory, Member


@dataclass(frozen=True, slots=True)
class Person:
    """ID number and phone as they may be shown: masked, unless somebody asked to see."""

    name: str
    id_number: str | None
    phone: str | None
    born: str | None
    sex: str | None


@dataclass(frozen=True, slots=True)
class MemberView:
    id: str
    name: str
    relation: str | None
    born: str | None
    sex: str | None
    phone: str | None
    id_number: str | None
    guardian: dict[str, Any] | None
    categories: list[CategoryView]


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A hardship category that a household or one of its people is in. `name`: of the catalogue; `by_age`: nobody
    ticked it, it follows from the birth date."""

    name: str
    since: str | None = None
    until: str | None = None
    grade: str | None = None
    certificate: str | None = None
    by_age: bool = False


@dataclass(frozen=True, slots=True)
class HouseholdView:
    """`place`: names of county, town, village. `closed`: the reason.

    `into`: the household that this one was merged into. `continues`: its id in another town.
    `lat`, `lon`: 1e-7 degrees.
    """

    id: str
    stream: str
    kind: str
    name: str
    head: Person
    division: str
    place: list[str]
    group: str
    address: str | None
    size: int | None
    categories: list[CategoryView]
    members: list[MemberView]
    note: str | None
    closed: str | None
    closed_on: str | None
    closed_to: str | None
    into: str | None
    lat: int | None
    lon: int | None
    continues: str | None


_id: Any = bindparam("id")
_HOUSEHOLD = select(Household.__table__).where(Household.id == _id)
_CATEGORIES = select(HouseholdCategory.__table__).where(HouseholdCategory.household == _id)
_MEMBERS = select(Member.__table__).where(Member.household == _id).order_by(Member.position)


def household(
    conn: Connection, identity: str, scope: Scope = EVERYTHING, *, revealed: bool = False, on: str | None = None
) -> HouseholdView | None:
    """A household by its id, as it is after every edit; one that was merged is shown with its own fields.

    `on`: the day on which ages count for categories. ID numbers and phones are masked; `revealed` is for whoever has
    just written to the audit that it was asked for.
    """
    row = conn.execute(_HOUSEHOLD, {"id": identity}).first()
    if row is None or not scope.place(row.division):
        return None
    shown = _in_the_clear if revealed else mask.field
    known = categories(conn)
    held_by_code = {category.code: category._asdict() for category in conn.execute(_CATEGORIES, {"id": identity})}
    return HouseholdView(
        row.id,
        row.stream,
        row.kind,
        row.name,
        Person(
            row.head_name,
            shown("id_number", row.head_id_number),
            shown("phone", row.head_phone),
            row.head_born,
            row.head_sex,
        ),
        row.division,
        division_names(conn, row.division),
        row.village_group or "",
        row.address,
        row.size,
        [_category(known, held_by_code[code]) for code in _sorted(known, held_by_code)]
        + _by_age(known, held_by_code, row.head_born, on),
        [_member(member, known, shown, on) for member in conn.execute(_MEMBERS, {"id": identity})],
        shown("note", row.note),
        row.closed_reason,
        row.closed_on,
        row.closed_to,
        row.into,
        row.lat,
        row.lon,
        row.continues,
    )


def groups(conn: Connection, village: str) -> list[str]:
    """The village groups that are on record in a village, for whoever types one."""
    query = select(Household.village_group).where(Household.division == village, Household.village_group.is_not(None))
    return sorted(filter(None, conn.execute(query.distinct()).scalars()))


Shown = Callable[[str, Any], Any]
"""(path, value) → what is shown of it."""


def _in_the_clear(_path: str, value: Any) -> Any:
    return value


def _sorted(known: Mapping[str, str], codes: Iterable[str]) -> list[str]:
    """In the catalogue's order, those that it does not know last."""
    wanted = set(codes)
    return [code for code in known if code in wanted] + sorted(wanted - known.keys())


def _member(row: Row[Any], known: Mapping[str, str], shown: Shown, on: str | None) -> MemberView:
    return MemberView(
        row.id,
        row.name,
        row.relation,
        row.born,
        row.sex,
        shown("phone", row.phone),
        shown("id_number", row.id_number),
        {name: shown(name, value) for name, value in row.guardian.items()} if row.guardian else None,
        [_category(known, category) for category in row.categories]
        + _by_age(known, {category["code"] for category in row.categories}, row.born, on),
    )


def _by_age(known: Mapping[str, str], held: Collection[str], born: str | None, on: str | None) -> list[CategoryView]:
    found = reached(known, born, on) if on else []
    return [CategoryView(known[code], by_age=True) for code in found if code not in held]


def _category(known: Mapping[str, str], held: Mapping[str, Any]) -> CategoryView:
    since, until, grade, certificate = (held.get(name) for name in ("since", "until", "grade", "certificate"))
    return CategoryView(known.get(held["code"], held["code"]), since, until, grade, certificate)
