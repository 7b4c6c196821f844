"""Lists for work: households by village and group, with who was not visited or not served since a day."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
    union,
)
from sqlalchemy.orm import aliased

from aidvisit.domain import category, id_number, mask, person
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import Aliases, aliases, stands
from aidvisit.store.queries.belonging import held
from aidvisit.store.queries.catalog import categories, chain, names_of
from aidvisit.store.tables import (
    Category,
    Delivery,
    DeliveryLine,
    Household,
    HouseholdCategory,
    HouseholdCount,
    Member,
    Visit,
)
from sync.rows import among

PAGE = 50
STEP = 500
"""Households whose details are read at once."""
COUNTED = 10_000
"""As far as a page counts; a file counts all."""

NUMERALS = "一二三四五六七八九十"
UNNUMBERED = 1_000_000
"""After every group that has a number."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which households. `place`, `category`, `item`: codes; days: YYYY-MM-DD, "" asks for nothing.

    `item` narrows `not_served_since` to one item. `needs`: only those with an open need: something that was asked for
    at a visit since which nothing was delivered.
    """

    place: str = ""
    category: str = ""
    not_visited_since: str = ""
    not_served_since: str = ""
    item: str = ""
    needs: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A household of a list; `place`: county, town, village. `visited`, `served`: the last day, None for never.

    `served` is of the item that was asked for, if one was. Numbers are masked unless they were asked for in full.
    """

    id: str
    division: str
    place: list[str]
    group: str
    name: str
    head: str
    id_number: str
    phone: str
    address: str
    size: int | None
    tags: list[str]
    visited: str | None
    served: str | None
    needs: list[str] = field(default_factory=list)


def page(
    conn: Connection, wanted: Wanted, scope: Scope = EVERYTHING, *, today: str, after: str = "", limit: int = PAGE
) -> tuple[list[Listed], bool]:
    """Those beyond the household `after`, by village, group and name; whether there are more."""
    alias = aliases(conn)
    query = select(Household.__table__).where(_wanted(conn, wanted, scope, today, alias), _beyond(conn, after))
    rows = conn.execute(query.order_by(*_order(conn)).limit(limit + 1)).all()
    return _listed(conn, rows[:limit], wanted, today, alias, revealed=False), len(rows) > limit


def every(
    conn: Connection, wanted: Wanted, scope: Scope = EVERYTHING, *, today: str, revealed: bool = False
) -> Iterator[Listed]:
    """All of them in the same order, a few at a time in memory. `revealed`: for whoever has just written to the audit
    that full numbers were asked for."""
    alias = aliases(conn)
    query = select(Household.__table__).where(_wanted(conn, wanted, scope, today, alias)).order_by(*_order(conn))
    rows = conn.execute(query, execution_options={"yield_per": STEP})
    for part in rows.partitions(STEP):
        yield from _listed(conn, part, wanted, today, alias, revealed=revealed)


def count(conn: Connection, wanted: Wanted, scope: Scope = EVERYTHING, *, today: str, limit: int | None = None) -> int:
    """How many there are; with `limit`, no further than that."""
    found = select(Household.id).where(_wanted(conn, wanted, scope, today, aliases(conn))).limit(limit)
    return conn.execute(select(func.count()).select_from(found.subquery())).scalar_one()


def places(conn: Connection, scope: Scope = EVERYTHING) -> set[str]:
    """Codes of the counties, towns and villages in which there are households."""
    query = select(HouseholdCount.division).where(within.places(HouseholdCount.division.expression, scope)).distinct()
    return {step for code in conn.execute(query).scalars() for step in chain(code)}


def _beyond(conn: Connection, after: str) -> ColumnElement[bool]:
    """What comes after a household, which is not asked for by its name: addresses hold none."""
    order = _order(conn)
    last = conn.execute(select(*order).where(Household.id == after)).first() if after else None
    return true() if last is None else and_(Household.division >= last[0], tuple_(*order) > tuple_(*last))


def _order(conn: Connection) -> tuple[Any, ...]:
    """Village, group by its number (一组, 第二组, 十一队, 12组; those without one last), group, name."""
    group = func.coalesce(Household.village_group, "")
    said = func.replace(group, "第", "").concat("!!!")  # a character that is not there would be found everywhere
    find = func.strpos if conn.dialect.name == "postgresql" else func.instr
    first, second, third = (find(NUMERALS, func.substr(said, place, 1)) for place in (1, 2, 3))
    tens = case((and_(first > 0, second == 10), first * 10 + third % 10), (first == 10, 10 + second), else_=first)
    if conn.dialect.name == "postgresql":
        written: ColumnElement[int] = func.coalesce(cast(func.substring(said, "^[0-9]{1,6}"), Integer), 0)
    else:
        written = cast(func.substr(said, 1, 6), Integer)  # as far as there are digits
    number = tens + written
    return Household.division, case((number == 0, UNNUMBERED), else_=number), group, Household.name, Household.id


# --- which --------------------------------------------------------------------------------------------------------


def _wanted(conn: Connection, wanted: Wanted, scope: Scope, today: str, alias: Aliases) -> ColumnElement[bool]:
    conditions = [
        within.places(Household.division.expression, scope),
        Household.closed_reason.is_(None),
        stands(conn, alias),
    ]
    if wanted.place:
        conditions.append(within.under(Household.division.expression, [wanted.place]))
    if wanted.category:
        conditions.append(in_category(wanted.category, today))
    if wanted.not_visited_since:
        conditions += _not_since(conn, alias, _visits(wanted.not_visited_since), Visit.household.expression)
    if wanted.not_served_since:
        served, of = _deliveries(wanted)
        conditions += _not_since(conn, alias, served, of)
    if wanted.needs:
        conditions.append(_needy(conn, alias))
    return and_(*conditions)


def _visits(since: str) -> list[ColumnElement[bool]]:
    """Somebody was met, that day or later."""
    return [Visit.outcome == "met", Visit.void_reason.is_(None), Visit.date >= since]


def _deliveries(wanted: Wanted) -> tuple[list[ColumnElement[bool]], ColumnElement[str]]:
    """Deliveries that count, or lines of the item that is asked for; and whose they are."""
    if wanted.item:
        line = DeliveryLine
        return [
            line.item == wanted.item,
            line.counts.expression,
            line.date >= wanted.not_served_since,
        ], line.household.expression
    return [Delivery.counts.expression, Delivery.date >= wanted.not_served_since], Delivery.household.expression


def _not_since(
    conn: Connection, alias: Aliases, since: Sequence[ColumnElement[bool]], of: ColumnElement[str]
) -> list[ColumnElement[bool]]:
    """Nothing of the kind was recorded for a household, or for one that was merged into it."""
    merged = [other for others in alias.others.values() for other in others]
    held = conn.execute(select(of).where(among(conn, of, merged), *since)).scalars() if merged else ()
    again = {alias.of(one) for one in held}
    conditions: list[ColumnElement[bool]] = [~exists().where(of == Household.id, *since)]
    return [*conditions, ~among(conn, Household.id, again)] if again else conditions


def _asked() -> list[ColumnElement[bool]]:
    """Of a visit: something was asked for."""
    return [type_coerce(Visit.needs, Text) != "[]", Visit.void_reason.is_(None)]


def _needy(conn: Connection, alias: Aliases) -> ColumnElement[bool]:
    """Something was asked for since the last delivery; of those that others were merged into, by any of the ids."""
    given = exists().where(Delivery.household == Visit.household, Delivery.counts, Delivery.date >= Visit.date)
    alone = exists().where(Visit.household == Household.id, *_asked(), ~given)
    if not alias.others:
        return alone
    together = alias.spread(alias.others)
    needy = _needs(conn, alias, together)
    return or_(and_(alone, ~among(conn, Household.id, together)), among(conn, Household.id, list(needy)))


def in_category(code: str, today: str) -> ColumnElement[bool]:
    """The household has it, one of its people has it, or the age of one says so."""
    named = f'"code":{json.dumps(code, ensure_ascii=False)}'
    own = exists().where(HouseholdCategory.household == Household.id, HouseholdCategory.code == code)
    member = aliased(Member)
    held = type_coerce(member.categories, Text).contains(named, autoescape=True)
    years = category.from_age(code)
    if years is None:
        return or_(own, exists().where(member.household == Household.id, held))
    day = category.born_by(years, today)
    head = and_(Household.kind == "household", _born_by(Household.head_born, Household.head_id_number, day))
    old = or_(held, _born_by(member.born, member.id_number, day))
    return or_(own, head, exists().where(member.household == Household.id, old))


def holders(conn: Connection, codes: Collection[str], today: str) -> CompoundSelect[Any]:
    """(`household`, `code`), each once: for which of these `in_category` is true, found in one pass over each table."""
    own = select(HouseholdCategory.household, HouseholdCategory.code.label("code"))
    said, named = type_coerce(Member.categories, Text), literal('"code":"').concat(Category.code).concat('"')
    found = func.strpos(said, named) if conn.dialect.name == "postgresql" else func.instr(said, named)
    held = select(Member.household, Category.code).join(Category, found > 0)
    parts: list[Select[Any]] = [
        own.where(HouseholdCategory.code.in_(codes)),
        held.where(said != "[]", Category.code.in_(codes)),
    ]
    by_age = [code for code in codes if category.from_age(code) is not None]
    parts += [select(Household.id, literal(code)).where(in_category(code, today)) for code in by_age]
    return union(*parts)


def _born_by(born: Any, number: Any, day: str) -> ColumnElement[bool]:
    """Born on that day or before, as the birth date says, or without one the ID number (GB 11643, digits 7 to 14)."""
    by_number = and_(born.is_(None), func.length(number) == 18, func.substr(number, 7, 8) <= day.replace("-", ""))
    return or_(born <= day, by_number)


# --- what is said of them -----------------------------------------------------------------------------------------


def _listed(
    conn: Connection, rows: Sequence[Row[Any]], wanted: Wanted, today: str, alias: Aliases, *, revealed: bool
) -> list[Listed]:
    ids = [row.id for row in rows]
    all_ids = alias.spread(ids)
    places = names_of(conn, {row.division for row in rows})
    met = (Visit.outcome == "met", Visit.void_reason.is_(None))
    visited = _latest(conn, alias, Visit.household, Visit.date, all_ids, *met)
    served = _served(conn, alias, all_ids, wanted.item)
    needs = _needs(conn, alias, all_ids)
    tags = _tags(conn, rows, today)
    number, phone = (str, str) if revealed else (id_number.mask, person.mask_phone)
    return [
        Listed(
            row.id, row.division, places[row.division], row.village_group or "", row.name, row.head_name,
            number(row.head_id_number or ""), phone(row.head_phone or ""),
            (row.address if revealed else mask.text(row.address)) or "", row.size, tags.get(row.id, []),
            visited.get(row.id), served.get(row.id),
            [need if revealed else mask.text(need) or "" for need in needs.get(row.id, [])],
        )
        for row in rows
    ]  # fmt: skip


def _latest(
    conn: Connection, alias: Aliases, of: Any, date: Any, ids: Collection[str], *conditions: Any
) -> dict[str, str]:
    """The last day by household, of those that stand for it too."""
    query = select(of, func.max(date)).where(among(conn, of, ids), *conditions).group_by(of)
    found: dict[str, str] = {}
    for household, day in conn.execute(query):
        own = alias.of(household)
        found[own] = max(day, found.get(own, ""))
    return found


def _served(conn: Connection, alias: Aliases, ids: Collection[str], item: str) -> dict[str, str]:
    if item:
        line = DeliveryLine
        return _latest(conn, alias, line.household, line.date, ids, line.item == item, line.counts)
    return _latest(conn, alias, Delivery.household, Delivery.date, ids, Delivery.counts)


def _needs(conn: Connection, alias: Aliases, ids: Collection[str]) -> dict[str, list[str]]:
    """Open needs, the newest first."""
    given = _served(conn, alias, ids, "")
    query = select(Visit.household, Visit.date, Visit.needs).where(among(conn, Visit.household, ids), *_asked())
    found: dict[str, list[str]] = {}
    for household, date, needs in conn.execute(query.order_by(Visit.date.desc(), Visit.order_key.desc())):
        own = alias.of(household)
        if date > given.get(own, ""):
            held = found.setdefault(own, [])
            held += [need for need in needs if need not in held]
    return found


def _tags(conn: Connection, rows: Sequence[Row[Any]], today: str) -> dict[str, list[str]]:
    """Names of categories: the household's own, its people's, and those that follow from age."""
    known = categories(conn)
    return {
        one: [known[code] for code in known if code in codes] + sorted(codes - known.keys())
        for one, codes in held(conn, rows, today).items()
    }
