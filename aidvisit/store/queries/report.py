"""户, 人 and 人次, and how much of what: of a selection and of its parts, counted over the lines of its entries.

户: distinct households, merged ones once. 人: distinct persons whom deliveries were for: the member that a delivery
names, else the head. 人次: deliveries. docs/reports.md has the words in full.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSON

from aidvisit.domain.report import DIGITS, Axis
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import UNKNOWN, Selection
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases, stands
from aidvisit.store.queries.catalog import ItemName, categories
from aidvisit.store.queries.listing import holders, in_category
from aidvisit.store.queries.once import once
from aidvisit.store.queries.selected import lines, lots_of_donors, only_lots
from aidvisit.store.tables import Delivery, FieldDevice, Household, Item, Trip, User
from sync.rows import among

Key = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """`households`: 户, `persons`: 人, `times`: 人次; `items`: quantities by code, each in its own unit."""

    households: int = 0
    persons: int = 0
    times: int = 0
    items: Mapping[str, int] = field(default_factory=dict)


def worth_fen(names: Mapping[str, ItemName], amounts: Mapping[str, int]) -> tuple[int, list[str]]:
    """The value by the prices of the catalogue as it is now, cash as it is; and the items that have none."""
    total, without = 0, []
    for code, quantity in amounts.items():
        name = names.get(code)
        price = None if name is None else 1 if name.unit == "fen" else name.value_fen
        total += quantity * (price or 0)
        if price is None and quantity:
            without.append(code)
    return total, without


def total(conn: Connection, selection: Selection, scope: Scope = EVERYTHING, *, today: str) -> Figure:
    """Of all of it: not the sum of the rows, in which a household can stand several times."""
    return _figures(conn, selection, scope, today, ()).get("", Figure())


def figures(
    conn: Connection, selection: Selection, scope: Scope = EVERYTHING, *, today: str, by: Sequence[Axis]
) -> dict[Key, Figure]:
    """By what the axes name (a tuple if several); "" stands for what is not known, of donors UNKNOWN. `category` stands
    alone: a household has several.
    """
    if list(by) == ["category"]:
        return dict(_by_category(conn, selection, scope, today))
    return _figures(conn, selection, scope, today, by)


def _by_category(conn: Connection, chosen: Selection, scope: Scope, today: str) -> Iterator[tuple[str, Figure]]:
    """What was given is added up by household before it is looked up which categories each has."""
    codes = [chosen.category] if chosen.category else list(categories(conn))
    base = _base(conn, chosen, scope, today, ())
    of = holders(conn, codes, today).subquery()
    sums = select(base.c.home, base.c.item, func.sum(base.c.quantity).label("quantity"))
    given = sums.group_by(base.c.home, base.c.item).subquery()
    amounts = select(of.c.code, given.c.item, func.sum(given.c.quantity))
    amounts = amounts.join_from(given, of, of.c.household == given.c.home).group_by(of.c.code, given.c.item)
    items: dict[Key, dict[str, int]] = {}
    for code, item, quantity in conn.execute(amounts):
        items.setdefault(code, {})[item] = int(quantity)
    for code, counts in sorted(_counted(conn, base, (), _whole(chosen, ()), of).items()):
        yield str(code), Figure(*counts, items.get(code, {}))


def served(
    conn: Connection, selection: Selection, scope: Scope = EVERYTHING, *, today: str, axis: Axis = "village"
) -> dict[str, tuple[int, int]]:
    """(open households, those of them that received something of the selection) by division."""
    division = func.substr(Household.division, 1, DIGITS[axis]).label("division")
    about = [Household.closed_reason.is_(None), within.places(Household.division.expression, scope)]
    if selection.division:
        about.append(within.under(Household.division.expression, [selection.division]))
    if selection.category:
        about.append(in_category(selection.category, today))
    there = select(division, func.count()).where(*about, stands(conn, aliases(conn))).group_by("division")
    got = select(_base(conn, selection, scope, today, ()).c.home).distinct().subquery()
    given = select(division, func.count()).join_from(got, Household, Household.id == got.c.home)
    reached = {row[0]: row[1] for row in conn.execute(given.where(*about).group_by("division"))}
    return {row[0]: (row[1], reached.get(row[0], 0)) for row in conn.execute(there)}


# --- counted --------------------------------------------------------------------------------------------------


def _figures(conn: Connection, chosen: Selection, scope: Scope, today: str, by: Sequence[Axis]) -> dict[Key, Figure]:
    base = _base(conn, chosen, scope, today, by)
    keys = [base.c[f"key{number}"] for number in range(len(by))]
    amounts: dict[Key, dict[str, int]] = {}
    sums = select(*keys, base.c.item, func.sum(base.c.quantity)).group_by(*keys, base.c.item)
    for row in conn.execute(sums):
        amounts.setdefault(_key(row[:-2]), {})[row[-2]] = int(row[-1])
    counts = _counted(conn, base, [key.name for key in keys], _whole(chosen, by))
    return {key: Figure(*counts[key], items) for key, items in amounts.items()}


def _key(row: Sequence[Any]) -> Key:
    return tuple(row) if len(row) > 1 else row[0] if row else ""


def _whole(chosen: Selection, by: Sequence[Axis]) -> bool:
    """Whether it has all lines of a delivery or none, and under one key."""
    return not any((chosen.item, chosen.class_, chosen.donor, chosen.lot)) and not {"item", "class", "donor"} & {*by}


def _counted(
    conn: Connection, base: Subquery, names: Sequence[str], whole: bool, of: Subquery | None = None
) -> dict[Key, tuple[int, int, int]]:
    """户, 人 and 人次 by these keys, or by the `code` that `of` gives a household."""
    homes = _by_home(base, names, whole).subquery()
    sums = func.count(), func.sum(homes.c.head), func.sum(homes.c.times)
    members: dict[Key, int] = {}
    if _names_members(conn):  # mostly few: counted by themselves they need no step for all the others
        people = select(*_of(base, names), base.c.home, base.c.person).where(base.c.person != "").distinct().subquery()
        members = {_key(row[:-1]): int(row[-1]) for row in conn.execute(_grouped(people, names, of, func.count()))}
    found = {_key(row[:-3]): row[-3:] for row in conn.execute(_grouped(homes, names, of, *sums))}
    return {
        key: (int(households), int(heads or 0) + members.get(key, 0), int(times or 0))
        for key, (households, heads, times) in found.items()
    }


def _grouped(part: Subquery, names: Sequence[str], of: Subquery | None, *columns: ColumnElement[Any]) -> Select[Any]:
    if of is None:
        return select(*_of(part, names), *columns).select_from(part).group_by(*_of(part, names))
    return select(of.c.code, *columns).join_from(part, of, of.c.household == part.c.home).group_by(of.c.code)


def _by_home(base: Subquery, names: Sequence[str], whole: bool) -> Select[Any]:
    """`times` of each household, and `head`: 1 if one of them named no member. Step by step, each smaller than the one
    before: counting distinct texts at once would sort all of them for each count. `whole`: a delivery is told by its
    first line.
    """
    deliveries = select(*_of(base, names), base.c.source, base.c.home, base.c.person)
    given = (deliveries.where(base.c.line == 0) if whole else deliveries.distinct()).subquery()
    own = [*_of(given, names), given.c.home]
    head = func.max(case((given.c.person == "", 1), else_=0)).label("head")
    return select(*own, head, func.count().label("times")).group_by(*own)


def _of(part: FromClause, names: Sequence[str]) -> list[ColumnElement[Any]]:
    return [part.c[name] for name in names]


def _base(conn: Connection, chosen: Selection, scope: Scope, today: str, by: Sequence[Axis]) -> Subquery:
    """The entries of `delivered`, each with the household that stands for its own (`home`), whom of it the delivery was
    for (`person`, "" for the head), and what the axes name (`key0`, `key1` …).
    """
    line = lines(conn, "delivered", chosen, scope, today, wide="donor" in by).subquery()
    source: FromClause = line
    home: ColumnElement[Any] = line.c.household
    into = _merges(conn)
    if into:
        merged = _table(conn, into)
        source = source.outerjoin(merged, merged.c.key == line.c.household)
        home = func.coalesce(merged.c.value, line.c.household)
    person: ColumnElement[Any] = literal("")
    if _names_members(conn):
        whose = select(Delivery.id, Delivery.member).where(Delivery.member.is_not(None)).subquery()
        source = source.outerjoin(whose, whose.c.id == line.c.source)
        person = func.coalesce(whose.c.member, "")
    keys = []
    for number, axis in enumerate(by):
        source, key = _keyed(axis, source, line, home)
        keys.append(func.coalesce(key, "").label(f"key{number}"))
    columns = line.c.source, line.c.line, line.c.item, line.c.quantity, home.label("home"), person.label("person")
    return select(*keys, *columns).select_from(source).subquery()


def _names_members(conn: Connection) -> bool:
    """Whether any delivery does."""
    query = select(exists().where(Delivery.member.is_not(None)))
    return once(conn, "names members", lambda: bool(conn.execute(query).scalar()))


def _keyed(
    axis: Axis, source: FromClause, line: Subquery, home: ColumnElement[Any]
) -> tuple[FromClause, ColumnElement[Any]]:
    if axis in DIGITS:
        if not _joined(source, Household):
            source = source.outerjoin(Household, Household.id == home)
        return source, func.substr(Household.division, 1, DIGITS[axis])
    if axis == "class":
        return source.outerjoin(Item, Item.code == line.c.item), Item.item_class.expression
    if axis == "team":
        return _team(source, line)
    if axis == "donor":
        return _donor(source, line)
    if axis == "month":
        return source, func.substr(line.c.date, 1, 7)
    return source, line.c["date" if axis == "day" else axis]


def _joined(source: FromClause, table: type[Any]) -> bool:
    return table.__table__ in source._from_objects


def _team(source: FromClause, line: Subquery) -> tuple[FromClause, ColumnElement[Any]]:
    """The trip's, and without a trip that of who recorded it, else of the laptop: as `selected` asks for a team."""
    whose = select(case((User.id.is_not(None), User.team), else_=FieldDevice.team)).select_from(Delivery)
    whose = whose.outerjoin(User, User.id == Delivery.actor).outerjoin(FieldDevice, FieldDevice.id == Delivery.device)
    alone = whose.where(Delivery.id == line.c.source).scalar_subquery()  # a join would go through all deliveries
    return source.outerjoin(Trip, Trip.id == line.c.trip), case((line.c.trip.is_not(None), Trip.team), else_=alone)


def _donor(source: FromClause, line: Subquery) -> tuple[FromClause, ColumnElement[Any]]:
    """Whose lot it is: its own, else the only one of its truck; as `selected` asks for a donor."""
    loaded, given = only_lots().subquery(), lots_of_donors().subquery()
    there = and_(line.c.lot.is_(None), loaded.c.truck == line.c.from_place, loaded.c.item == line.c.item)
    lot = func.coalesce(line.c.lot, loaded.c.lot)
    source = source.outerjoin(loaded, there)
    source = source.outerjoin(given, and_(given.c.item == line.c.item, given.c.lot == lot))
    return source, func.coalesce(func.substr(given.c.donor, len("donor:") + 1), UNKNOWN)


def _merges(conn: Connection) -> dict[str, str]:
    """Which household a merged one counts as; of those whose other is not held here, the least stands for all."""
    alias = aliases(conn)
    targets = set(alias.into.values())
    held = (
        set(conn.execute(select(Household.id).where(among(conn, Household.id, targets))).scalars()) if targets else ()
    )
    return {
        one: target if target in held else min(alias.others[target])
        for one, target in alias.into.items()
        if target != one
    }


def _table(conn: Connection, pairs: Mapping[str, str]) -> Any:
    """Pairs as a table `key`, `value`, in one parameter."""
    text = json.dumps(pairs)
    if conn.dialect.name == "postgresql":
        return func.json_each_text(cast(literal(text, Text), JSON)).table_valued("key", "value")
    return func.json_each(text).table_valued("key", "value")
