"""Rows of the search index: what is asked for in tokens, and how each database is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from aidvisit.domain import search as words
from aidvisit.domain.division import LEVELS, TOWN
from aidvisit.domain.rights import Scope
from aidvisit.domain.search import All, Either, Expression, every, some
from aidvisit.store.apply.search import MERGED
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.once import once
from aidvisit.store.tables import HouseholdSearch
from aidvisit.store.tables.search import FIRST_HOUSEHOLDS
from sync.rows import among


@dataclass(frozen=True, slots=True)
class Filters:
    """`category`, `place`: codes. Dates (YYYY-MM-DD): not visited, or not served, on that day or since.

    `born_by`: of a category that follows from age, the last day of birth of those who are in it.
    """

    category: str | None = None
    place: str | None = None
    not_visited_since: str | None = None
    not_served_since: str | None = None
    born_by: str | None = None

    @property
    def dated(self) -> bool:
        return bool(self.not_visited_since or self.not_served_since)

    def __bool__(self) -> bool:
        return bool(self.category or self.place or self.dated)


NO_FILTERS = Filters()


class Hit(NamedTuple):
    """`name` as it is compared. `rank`: 0 is best. `under`: who was merged into this one, and is what was found."""

    n: int
    household: str
    division: str
    village_group: str | None
    name: str
    rank: int = 0
    under: str | None = None


_STORED = tuple(name for name in Hit._fields if name not in Hit._field_defaults)
COLUMNS = ", ".join(f"s.{name}" for name in _STORED)
INDEXED = ", ".join(_STORED)
"""Of PostgreSQL's index, too."""
MATCHES = 16
"""So many ways to have the words are asked one by one: together, PostgreSQL would go through all of each."""
# Who has the tokens, and of them who passes. PostgreSQL's index has the row; it is kept from reading all who pass a
# date before it knows whether anybody has the words (`OFFSET 0`). SQLite's has a number, and another index alone tells
# who passes: on a laptop, a row of the table is a page to decrypt.
_HAVE = {
    "sqlite": "({}) AS i CROSS JOIN household_search s WHERE s.n = i.n",
    "postgresql": "({}) AS s WHERE true",
}
_PASS = {
    "sqlite": "({}) AS i CROSS JOIN household_search p INDEXED BY"
    " ix_household_search_n_division_last_visit_last_delivery CROSS JOIN household_search s"
    " WHERE p.n = i.n AND s.n = p.n",
    "postgresql": "({}) AS s CROSS JOIN LATERAL (SELECT * FROM household_search WHERE n = s.n OFFSET 0) AS p"
    " WHERE true",
}
LOOKED_AT = 2_000
"""Rows that are looked into first where tokens do not tell all: most often they hold more than is shown."""
ALL = 1_000_000_000
Condition = tuple[str, tuple[str, ...]]
"""Of SQL, with its values in order."""


def match(
    conn: Connection,
    expression: Expression,
    limit: int,
    filters: Filters = NO_FILTERS,
    scope: Scope | None = None,
    among_first: int = ALL,
) -> list[Hit]:
    """Households whose tokens are so, in no order; with dates, of the first so many that have the tokens.

    `scope` and `filters.place`: only what tokens do not tell of them.
    """
    conditions = _conditions(scope, filters)
    told = "".join(f" AND {sql}" for sql, _ in conditions)
    of = conn.dialect.name
    few = _few(conn, filters) if filters.dated and of == "sqlite" else None
    if few is not None:
        return _of_few(conn, few, expression, limit, scope, filters)
    index, tokens = _index(conn, expression, first=among_first == FIRST_HOUSEHOLDS)
    rows = (_PASS if conditions else _HAVE)[of].format(index)
    statement = f"SELECT {COLUMNS} FROM {rows}{told} LIMIT ?"  # noqa: S608
    return run(conn, statement, [*tokens, among_first if conditions else limit, *bound(conditions), limit])


def _index(conn: Connection, expression: Expression, *, first: bool = False) -> tuple[str, list[str]]:
    """Those with the tokens, of the `first` or of all; how many is bound last, after these values.

    By number on SQLite, with all that is in `INDEXED` on PostgreSQL.
    """
    if conn.dialect.name == "sqlite":
        return "SELECT rowid AS n FROM household_index WHERE household_index MATCH ? LIMIT ?", [_written(expression)]
    told, values = has(expression)
    told += f" AND n <= {FIRST_HOUSEHOLDS}" if first else ""
    # Materialized: else, in the hope of a few soon, it reads the table from the beginning.
    held = f"SELECT {INDEXED} FROM household_index WHERE {told}"  # noqa: S608
    return f"WITH held AS MATERIALIZED ({held}) SELECT * FROM held LIMIT ?", values  # noqa: S608


def has(expression: Expression) -> tuple[str, list[str]]:
    """Whether a row of PostgreSQL's index has the tokens, with the values of that condition."""
    ways = _ways(expression)
    asked = [expression] if len(ways) > MATCHES else [every(*way) for way in ways]
    told = " OR ".join("tokens @@ CAST(? AS tsquery)" for _ in asked)
    return f"({told})", [_written(one, " & ", " | ", "'") for one in asked]


def _ways(expression: Expression) -> list[tuple[str, ...]]:
    """Tokens that are enough together, each way of it; more than are asked one by one, cut short."""
    match expression:
        case Either(of):
            return [way for one in of for way in _ways(one)][: MATCHES + 1]
        case All(of):
            every_way = product(*map(_ways, of))
            return [tuple(chain.from_iterable(ways)) for ways in islice(every_way, MATCHES + 1)]
        case _:
            return [(expression,)]


FEW = 3_000
"""Where no more households than these pass the dates, those are known before anybody with the words is looked into."""


def _few(conn: Connection, filters: Filters) -> str | None:
    """Who passes the dates, where they are few, from indexes that have both days: numbers as a JSON array."""

    def read() -> str | None:
        found, values = list[str](), list[Any]()
        for day, way in ranges(filters):
            found.append(f"SELECT p.n FROM household_search p INDEXED BY {_BY_DAY[day]} WHERE {together(way)}")  # noqa: S608
            values += bound(way)
        statement = f"SELECT count(*), json_group_array(n) FROM ({' UNION ALL '.join(found)} LIMIT ?)"  # noqa: S608
        number, numbers = conn.exec_driver_sql(statement, (*values, FEW + 1)).one()
        return str(numbers) if number <= FEW else None

    return once(conn, ("few", filters.not_visited_since, filters.not_served_since), read)


def _of_few(
    conn: Connection, few: str, expression: Expression, limit: int, scope: Scope | None, filters: Filters
) -> list[Hit]:
    """Those of them that have the words: a list of numbers is quicker asked than a row read."""
    lies = [lying(codes) for codes in untold(scope, filters)]
    told = "".join(f" AND {sql.replace('p.', 's.')}" for sql, _ in lies)
    # `+`: looked at one by one; else it would look for each of the few in the index.
    statement = (
        f"SELECT {COLUMNS} FROM household_index AS i CROSS JOIN household_search s WHERE household_index MATCH ?"  # noqa: S608
        f" AND +i.rowid IN (SELECT value FROM json_each(?)) AND s.n = i.rowid{told} LIMIT ?"
    )
    return run(conn, statement, [_written(expression), few, *bound(lies), limit])


def decides(scope: Scope | None, filters: Filters) -> bool:
    """Whether tokens alone tell all that scope and filters ask."""
    return not _conditions(scope, filters)


def portions(conn: Connection, wanted: int, *, check: bool, told: bool) -> list[int]:
    """How many of those with the tokens are looked into, one after the other until there are enough.

    SQLite stops by itself when enough pass. PostgreSQL reads all that its index has of a token before it gives one, 30
    ms for what one in ten of a million has: of that the first households have enough. Later it would rather read the
    whole table for a filter that few pass. `told`: nothing is asked but tokens.
    """
    if check:
        return [LOOKED_AT, 10 * LOOKED_AT, ALL]
    if conn.dialect.name == "postgresql" and not told and wanted < ALL:
        return [FIRST_HOUSEHOLDS, 10 * LOOKED_AT, ALL]
    return [ALL]


def all_read(read: int, number: int) -> bool:
    """Whether a portion of all, of which so many came, was not full: there are no more with the tokens."""
    return number != FIRST_HOUSEHOLDS and read < number


def more_than(conn: Connection, expression: Expression, number: int) -> bool:
    """Whether households with these tokens are left after such a portion."""
    if number in (ALL, FIRST_HOUSEHOLDS):
        return number != ALL
    index, tokens = _index(conn, expression)
    statement = _marked(conn, f"SELECT count(*) FROM ({index}) AS i")  # noqa: S608
    return int(conn.exec_driver_sql(statement, (*tokens, number + 1)).scalar_one()) > number


def by_date(conn: Connection, filters: Filters, scope: Scope, limit: int) -> list[Hit]:
    """With but dates and places to go by: those that were never visited or served first, then the longest ago."""
    dates = (("last_visit", filters.not_visited_since), ("last_delivery", filters.not_served_since))
    name, day = next((name, day) for name, day in dates if day)
    places = _places(scope, filters)
    conditions = [*passing(filters), *map(lying, places)]
    told = "".join(f" AND {sql}" for sql, _ in conditions)
    near = any(len(codes) == 1 and len(codes[0]) >= TOWN for codes in places)
    by = f" INDEXED BY {_BY_PLACE if near else _BY_DAY[name]}" if conn.dialect.name == "sqlite" else ""
    halves, values = [], list[Any]()
    for half, days in (("IS NULL", []), ("< ?", [day])):
        halves.append(
            f"SELECT * FROM (SELECT p.n FROM household_search p{by} WHERE p.{name} {half}"  # noqa: S608
            f" AND p.n NOT IN ({_GONE}){told} ORDER BY p.{name} LIMIT ?) AS half"
        )
        values += [*days, *bound(conditions), limit]
    found = " UNION ALL ".join(halves)
    statement = f"SELECT {COLUMNS} FROM ({found} LIMIT ?) AS i CROSS JOIN household_search s WHERE s.n = i.n"  # noqa: S608
    return run(conn, statement, [*values, limit])


_GONE = 'SELECT m.n FROM household h JOIN household_search m ON m.household = h.id WHERE h."into" IS NOT NULL'
# Said, because without statistics SQLite takes a day for rarer than a town.
_BY_PLACE = "ix_household_search_division_last_visit_last_delivery"
_BY_DAY = {
    "last_visit": "ix_household_search_last_visit_last_delivery_division",
    "last_delivery": "ix_household_search_last_delivery_last_visit_division",
}


def rows(conn: Connection, households: Iterable[str]) -> dict[str, Hit]:
    """By household, as it can be found."""
    own, wanted = HouseholdSearch.__table__.c, list(households)
    query = select(*(own[name] for name in _STORED)).where(among(conn, own.household, wanted))
    return {row.household: Hit(*row) for row in conn.execute(query).all()} if wanted else {}


def bounds(scope: Scope, filters: Filters) -> list[Expression]:
    """What scope and filters say in tokens."""
    found = [some(*map(words.division, codes)) for codes in _places(scope, filters)]
    if filters.category:
        aged = [words.born_by(filters.born_by)] if filters.born_by else []
        found.append(some(words.category(filters.category), *aged))
    return found


def of_merged(expression: Expression) -> Expression:
    """The same, of households that were merged into others."""
    match expression:
        case All(of):
            return All(tuple(map(of_merged, of)))
        case Either(of):
            return Either(tuple(map(of_merged, of)))
        case _:
            return MERGED + expression


def seen_since(conn: Connection, households: Collection[str], filters: Filters) -> set[str]:
    """Those of the households that were visited or served since the dates, by themselves."""
    found: set[str] = set()
    for column, since in (
        (HouseholdSearch.last_visit, filters.not_visited_since),
        (HouseholdSearch.last_delivery, filters.not_served_since),
    ):
        if since and households:
            those = select(HouseholdSearch.household).where(among(conn, HouseholdSearch.household, households))
            found |= {*conn.execute(those.where(column >= since)).scalars()}
    return found


def seen_as_another(conn: Connection, filters: Filters) -> set[str]:
    """Households that were visited or served since under the id of one that was merged into them."""
    if not filters.dated:
        return set()
    alias = aliases(conn)
    others = [other for each in alias.others.values() for other in each]
    return {alias.of(one) for one in seen_since(conn, others, filters)}


def _places(scope: Scope | None, filters: Filters) -> list[tuple[str, ...]]:
    """Of each of these tuples, a household lies in one of the divisions."""
    return [
        codes
        for codes in (() if scope is None or scope.everything else scope.divisions, (filters.place or "",))
        if any(codes)
    ]


def _conditions(scope: Scope | None, filters: Filters) -> list[Condition]:
    """What tokens do not tell."""
    return [*passing(filters), *(lying(codes) for codes in untold(scope, filters))]


def untold(scope: Scope | None, filters: Filters) -> list[tuple[str, ...]]:
    """Those of `_places` that tokens alone do not tell, because a code is of no division."""
    return [codes for codes in _places(scope, filters) if any(len(code) not in LEVELS for code in codes)]


def lying(codes: Sequence[str]) -> Condition:
    ranges = " OR ".join("p.division >= ? AND p.division < ?" for _ in codes)
    return f"({ranges})", tuple(bound for code in codes for bound in (code, f"{code}:"))


def passing(filters: Filters) -> list[Condition]:
    days = (("last_visit", filters.not_visited_since), ("last_delivery", filters.not_served_since))
    return [(f"(p.{column} IS NULL OR p.{column} < ?)", (day,)) for column, day in days if day]


def ranges(filters: Filters) -> list[tuple[str, list[Condition]]]:
    """The ways to pass, each a range of the index of one of the days, which is named: never at all, or before."""
    days = (("last_visit", filters.not_visited_since), ("last_delivery", filters.not_served_since))
    each = [[(name, (f"p.{name} IS NULL", ())), (name, (f"p.{name} < ?", (day,)))] for name, day in days if day]
    found = []
    for way in product(*each):
        never = (name for name, (_, days_) in way if not days_)
        found.append((next(never, way[0][0]), [condition for _, condition in way]))
    return found


def together(conditions: Iterable[Condition]) -> str:
    return " AND ".join(sql for sql, _ in conditions)


def bound(conditions: Iterable[Condition]) -> list[str]:
    return [value for _, each in conditions for value in each]


def run(conn: Connection, statement: str, values: Sequence[Any]) -> list[Hit]:
    """By the driver: a search asks several times, and SQLAlchemy would take longer than the database."""
    return [Hit(*row) for row in conn.exec_driver_sql(_marked(conn, statement), tuple(values)).all()]


def _marked(conn: Connection, statement: str) -> str:
    return statement if conn.dialect.paramstyle == "qmark" else statement.replace("?", "%s")


def _written(expression: Expression, both: str = " AND ", either: str = " OR ", quote: str = '"') -> str:
    """As an index is asked: SQLite's, without more. Tokens are letters and digits, so quotes hold them."""
    match expression:
        case All(inner):
            return f"({both.join(_written(one, both, either, quote) for one in inner)})"
        case Either(inner):
            return f"({either.join(_written(one, both, either, quote) for one in inner)})"
        case _:
            return f"{quote}{expression}{quote}"
