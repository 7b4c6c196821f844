"""What households are found by follows what is known of them: tokens, where they are counted, the last dates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from zlib import crc32

from sqlalchemy import Connection, func, select, text, update

from aidvisit.domain import search
from aidvisit.store.apply.rows import Values, replace
from aidvisit.store.tables import (
    Delivery,
    Household,
    HouseholdCategory,
    HouseholdCount,
    HouseholdSearch,
    Member,
    Visit,
)
from sync.rows import among

STEP = 500
_BITS = 0xFFFF_FFFF_FFFF
MERGED = "x"
"""Before the tokens of a household that was merged into another: found by its own, and shown as the other."""


def index(
    conn: Connection,
    subjects: Collection[str],
    households: Sequence[Values],
    categories: Iterable[Values],
    members: Iterable[Values],
) -> None:
    """The subjects are found by these rows from now on; those of which there is none no more."""
    places = _divisions(conn, subjects) | {one["division"] for one in households}
    held = dict(tokens(households, categories, members))
    rows = [row(conn, one, held[one["id"]]) for one in households]
    replace(conn, HouseholdSearch, HouseholdSearch.household, subjects, rows)
    numbers = select(HouseholdSearch.household, HouseholdSearch.n)
    if rows:
        found = conn.execute(numbers.where(among(conn, HouseholdSearch.household, [row["household"] for row in rows])))
        fill(conn, {row.household: row.n for row in found}, held)
        dates(conn, [row["household"] for row in rows])
    count(conn, places)


def fill(conn: Connection, numbers: Mapping[str, int], held: Mapping[str, Collection[str]]) -> None:
    """Tokens of households that have a row and none yet."""
    if conn.dialect.name == "sqlite":
        values = [{"n": numbers[one], "tokens": " ".join(sorted(found))} for one, found in held.items()]
        statement = text("INSERT INTO household_index (rowid, tokens) VALUES (:n, :tokens)")
    else:
        values = [{"n": numbers[one], "tokens": sorted(found)} for one, found in held.items()]
        statement = text(
            "INSERT INTO household_index (n, household, division, village_group, name, tokens)"
            " SELECT n, household, division, village_group, name, array_to_tsvector(:tokens)"
            " FROM household_search WHERE n = :n"
        )
    conn.execute(statement, values)


def tokens(
    households: Iterable[Values], categories: Iterable[Values], members: Iterable[Values]
) -> Iterator[tuple[str, set[str]]]:
    """By household, what it is found by."""
    codes: dict[str, list[str]] = {}
    people: dict[str, list[Values]] = {}
    for category in categories:
        codes.setdefault(category["household"], []).append(category["code"])
    for member in members:
        people.setdefault(member["household"], []).append(member)
    for one in households:
        found = search.tokens(one, codes.get(one["id"], ()), people.get(one["id"], ()))
        yield one["id"], found if one["into"] is None else {MERGED + token for token in found}


def verify(conn: Connection) -> Iterator[str]:
    """Households whose tokens in the index are not those that their rows give."""
    held = _held(conn)
    numbers = {row.household: row.n for row in conn.execute(select(HouseholdSearch.household, HouseholdSearch.n))}
    households, categories, members = (
        (dict(row) for row in conn.execute(select(model.__table__), execution_options={"yield_per": STEP}).mappings())
        for model in (Household, HouseholdCategory, Member)
    )
    for household, expected in tokens(households, categories, members):
        if held.pop(numbers.get(household, 0), 0) != _sum(expected):
            yield f"household_index {household}: tokens differ from the log"
    for n in sorted(held):
        yield f"household_index {n}: the row is not in the log"


def _held(conn: Connection) -> dict[int, int]:
    """By `n`, the sum of its tokens."""
    found: dict[int, int] = {}
    if conn.dialect.name == "postgresql":
        rows = conn.execute(text("SELECT n, tsvector_to_array(tokens) AS tokens FROM household_index"))
        return {row.n: _sum(row.tokens) for row in rows}
    conn.exec_driver_sql("CREATE VIRTUAL TABLE temp.household_token USING fts5vocab(main, household_index, instance)")
    for token, n in conn.exec_driver_sql("SELECT term, doc FROM temp.household_token"):
        found[n] = (found.get(n, 0) + crc32(token.encode())) & _BITS
    conn.exec_driver_sql("DROP TABLE temp.household_token")
    return found


def _sum(found: Iterable[str]) -> int:
    return sum(crc32(token.encode()) for token in found) & _BITS


def dates(conn: Connection, households: Collection[str]) -> None:
    """The last visit at which somebody was met, and the last delivery that counts, of each of these."""
    if not households:
        return
    own = HouseholdSearch.household
    visit = select(func.max(Visit.date)).where(
        Visit.household == own, Visit.outcome == "met", Visit.void_reason.is_(None)
    )
    delivery = select(func.max(Delivery.date)).where(Delivery.household == own, Delivery.counts)
    values = {"last_visit": visit.scalar_subquery(), "last_delivery": delivery.scalar_subquery()}
    conn.execute(update(HouseholdSearch).where(among(conn, own, households)).values(values))


def count(conn: Connection, divisions: Collection[str]) -> None:
    """How many there are in these divisions, without those that were merged into others."""
    living = select(Household.division, Household.stream, func.count().label("households"))
    living = living.where(among(conn, Household.division, divisions), Household.into.is_(None))
    rows = conn.execute(living.group_by(Household.division, Household.stream)).mappings()
    replace(conn, HouseholdCount, HouseholdCount.division, divisions, [dict(row) for row in rows])


def _divisions(conn: Connection, households: Collection[str]) -> set[str]:
    held = select(HouseholdSearch.division).where(among(conn, HouseholdSearch.household, households))
    return set(conn.execute(held.distinct()).scalars())


def row(conn: Connection, household: Values, found: Collection[str]) -> Values:
    """Of `household_search`, with what it is found by, before it has dates."""
    same = {name: household[name] for name in ("stream", "division", "village_group")}
    name = search.plain(household["name"])
    # Who was merged into another is found by tokens only, as the other.
    marked = conn.dialect.name == "postgresql" and household["into"] is None
    marks = search.marks(name, found) if marked else None
    return {
        "household": household["id"],
        **same,
        "name": name,
        "last_visit": None,
        "last_delivery": None,
        "marks": marks,
    }
