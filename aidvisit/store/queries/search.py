"""Finding households by what somebody types: the one search, of pages on both sides and of whatever else looks for one.

The index gives numbers of rows; they are put in order here, a page at a time. Nothing is scanned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select, text

from aidvisit.domain import id_number, person
from aidvisit.domain import search as words
from aidvisit.domain.division import LEVELS
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.search import All, Either, Expression, Term, every, some
from aidvisit.store.apply.search import MERGED
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.called import names
from aidvisit.store.queries.catalog import categories, names_of
from aidvisit.store.tables import Household, HouseholdCategory, HouseholdCount, HouseholdSearch, Member
from sync.rows import among

CAP = 200
"""Households that a search tells of: who sees more says more."""
PAGE = 50
TRIED = 3 * CAP
"""Rows that are looked into where tokens alone do not tell."""


@dataclass(frozen=True, slots=True)
class Filters:
    """`category`, `place`: codes. Dates (YYYY-MM-DD): not visited, or not served, on that day or since."""

    category: str | None = None
    place: str | None = None
    not_visited_since: str | None = None
    not_served_since: str | None = None

    def __bool__(self) -> bool:
        return any((self.category, self.place, self.not_visited_since, self.not_served_since))


@dataclass(frozen=True, slots=True)
class FoundHousehold:
    """A line of the answer; `tags`: names of its categories; `place`: county, town, village.

    `because`: whose name was looked for, where the household goes by another; also the one it had before a merge.
    """

    id: str
    name: str
    group: str
    division: str
    place: list[str]
    phone_masked: str
    id_last4: str
    tags: list[str]
    closed: str | None
    because: str | None
    last_visit: str | None
    last_delivery: str | None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A page. `count`: of all pages, at most 200; `more`: there are others, narrow it down.

    `searched`: how many households there are to find. `after`: what the next page is asked with, None on the last.
    """

    found: list[FoundHousehold]
    count: int
    searched: int
    more: bool
    after: str | None = None


class _Hit(NamedTuple):
    """`under`: the name of a household that was merged into this one, by which it was found."""

    n: int
    household: str
    division: str
    village_group: str | None
    name: str
    last_visit: str | None
    last_delivery: str | None
    under: str | None = None


def search(
    conn: Connection,
    typed: str,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = Filters(),
    after: str | None = None,
) -> SearchResult:
    """Households that have every word, the best first, village by village; nothing for no word and no filter.

    A word is part of a name, its pinyin or initials, a phone or its first or last digits, an ID number or its last 4,
    the village group, or the name of a village, town or county. Merged households are found as what they are now.
    """
    held = searched(conn, scope)
    terms = words.terms(typed, names(conn).places)
    if (not terms and not filters) or not (scope.everything or scope.divisions):
        return SearchResult([], 0, held, False)
    hits = {
        hit.household: hit for hit in (*_merged(conn, terms, scope, filters), *_living(conn, terms, scope, filters))
    }
    ordered = _ordered(terms, hits.values())
    shown, more = ordered[:CAP], len(ordered) > CAP
    start = next((i + 1 for i, hit in enumerate(shown) if hit.household == after), 0)
    page = shown[start : start + PAGE]
    following = page[-1].household if page and start + PAGE < len(shown) else None
    return SearchResult(_found(conn, terms, page), len(shown), held, more, following)


def searched(conn: Connection, scope: Scope = EVERYTHING) -> int:
    """How many households there are to find."""
    query = select(func.coalesce(func.sum(HouseholdCount.households), 0))
    return int(conn.execute(query.where(within.places(HouseholdCount.division.expression, scope))).scalar_one())


# --- hits --------------------------------------------------------------------------------------------------------


def _living(conn: Connection, terms: Sequence[Term], scope: Scope, filters: Filters) -> list[_Hit]:
    """Not more than there may be shown, and one; then those of the best that are among them."""
    bounds, lying = _bounds(scope, filters), _lying(scope, filters)
    again = _seen_as_another(conn, filters)
    if not terms and not bounds:
        return [hit for hit in _by_date(conn, filters, CAP + 1 + len(again)) if hit.household not in again]
    check = any(term.check for term in terms)
    limit = (TRIED if check else CAP + 1) + len(again)

    def level(number: int) -> list[_Hit]:
        found = _match(conn, every(*(term.levels[number] for term in terms), *bounds), filters, limit, lying)
        return [hit for hit in found if hit.household not in again]

    found = level(2)
    if len(found) > CAP and terms and not check:
        found = [*level(0), *level(1), *found]
    return _checked(conn, terms, found) if check else found


def _merged(conn: Connection, terms: Sequence[Term], scope: Scope, filters: Filters) -> list[_Hit]:
    """Those that were merged into another and have the words: as that other, if it passes the filters."""
    if not terms:
        return []
    hits = _match(conn, _of_merged(every(*(term.levels[2] for term in terms))), Filters(), CAP + 1)
    hits = _checked(conn, terms, hits) if any(term.check for term in terms) else hits
    if not hits:
        return []
    alias = aliases(conn)
    stands = {alias.of(hit.household): hit for hit in hits}
    rows = _rows(conn, stands)
    lost = {min(alias.others[target]): hit for target, hit in stands.items() if target not in rows}
    rows |= _rows(conn, lost)
    shown = {**stands, **lost}
    passing = _passing(conn, list(rows.values()), scope, filters)
    return [hit._replace(under=shown[hit.household].name) for hit in passing]


def _of_merged(expression: Expression) -> Expression:
    match expression:
        case All(of):
            return All(tuple(map(_of_merged, of)))
        case Either(of):
            return Either(tuple(map(_of_merged, of)))
        case _:
            return MERGED + expression


def _bounds(scope: Scope, filters: Filters) -> list[Expression]:
    bounds: list[Expression] = []
    bounds += [some(*map(words.division, codes)) for codes in _places(scope, filters)]
    if filters.category:
        bounds.append(words.category(filters.category))
    return bounds


def _places(scope: Scope, filters: Filters) -> list[tuple[str, ...]]:
    """Of each of these tuples, a household lies in one of the divisions."""
    return [codes for codes in (() if scope.everything else scope.divisions, (filters.place or "",)) if any(codes)]


def _lying(scope: Scope, filters: Filters) -> list[tuple[str, ...]]:
    """Those of `_places` that tokens alone do not tell, because a code is of no division."""
    return [codes for codes in _places(scope, filters) if any(len(code) not in LEVELS for code in codes)]


def _passing(conn: Connection, hits: Iterable[_Hit], scope: Scope, filters: Filters) -> list[_Hit]:
    """What `_bounds` and the dates ask, of a few rows."""
    found = [hit for hit in hits if scope.place(hit.division) and hit.division.startswith(filters.place or "")]
    again = _seen_as_another(conn, filters)
    found = [hit for hit in found if hit.household not in again and _not_since(hit, filters)]
    if filters.category and found:
        token = words.category(filters.category)
        assert isinstance(token, str)
        with_it = {hit.household for hit in found if token in _tokens(conn, hit.household)}
        found = [hit for hit in found if hit.household in with_it]
    return found


def _not_since(hit: _Hit, filters: Filters) -> bool:
    visited, served = filters.not_visited_since, filters.not_served_since
    return (not visited or (hit.last_visit or "") < visited) and (not served or (hit.last_delivery or "") < served)


def _tokens(conn: Connection, household: str) -> set[str]:
    own = conn.execute(select(HouseholdCategory.code).where(HouseholdCategory.household == household)).scalars()
    members = conn.execute(select(Member.categories).where(Member.household == household)).scalars()
    return {str(words.category(code)) for code in (*own, *(one["code"] for each in members for one in each))}


def _seen_as_another(conn: Connection, filters: Filters) -> set[str]:
    """Households that were visited or served since under the id of one that was merged into them."""
    found: set[str] = set()
    pairs = (
        (HouseholdSearch.last_visit, filters.not_visited_since),
        (HouseholdSearch.last_delivery, filters.not_served_since),
    )
    asked = [(column, since) for column, since in pairs if since]
    if not asked:
        return found
    alias = aliases(conn)
    others = [other for each in alias.others.values() for other in each]
    if others:
        for column, since in asked:
            rows = select(HouseholdSearch.household).where(among(conn, HouseholdSearch.household, others))
            found |= {alias.of(one) for one in conn.execute(rows.where(column >= since)).scalars()}
    return found


_COLUMNS = ", ".join(f"s.{name}" for name in _Hit._fields if name != "under")
_MATCH = {
    "sqlite": "household_index CROSS JOIN household_search s ON s.n = household_index.rowid"
    " WHERE household_index MATCH :tokens",
    "postgresql": "household_index JOIN household_search s ON s.n = household_index.n"
    " WHERE household_index.tokens @@ CAST(:tokens AS tsquery)",
}
_VISITED = "(s.last_visit IS NULL OR s.last_visit < :visited)"
_SERVED = "(s.last_delivery IS NULL OR s.last_delivery < :served)"


def _match(
    conn: Connection, expression: Expression, filters: Filters, limit: int, lying: Sequence[tuple[str, ...]] = ()
) -> list[_Hit]:
    of = conn.dialect.name
    values: dict[str, Any] = {"tokens": _written(expression, of), "limit": limit, **_days(filters)}
    conditions = _dated(filters)
    for i, codes in enumerate(lying):
        ranges = [f"s.division >= :code{i}_{j} AND s.division < :code{i}_{j} || ':'" for j in range(len(codes))]
        conditions.append(f"({' OR '.join(ranges)})")
        values |= {f"code{i}_{j}": code for j, code in enumerate(codes)}
    statement = f"SELECT {_COLUMNS} FROM {_MATCH[of]}"  # noqa: S608 - constants
    statement += "".join(f" AND {condition}" for condition in conditions) + " LIMIT :limit"
    return [_Hit(*row) for row in conn.execute(text(statement), values)]


def _by_date(conn: Connection, filters: Filters, limit: int) -> list[_Hit]:
    """With nothing but dates to go by: those that were never visited or served first, then the longest ago."""
    column = "last_visit" if filters.not_visited_since else "last_delivery"
    bound = "visited" if filters.not_visited_since else "served"
    halves = [
        f"SELECT * FROM (SELECT {_COLUMNS} FROM household_search s JOIN household h ON h.id = s.household"  # noqa: S608
        f' WHERE s.{column} {half} AND h."into" IS NULL'
        + "".join(f" AND {condition}" for condition in _dated(filters))
        + f" ORDER BY s.{column} LIMIT :limit) AS {name}"
        for name, half in (("never", "IS NULL"), ("before", f"< :{bound}"))
    ]
    statement = " UNION ALL ".join(halves) + " LIMIT :limit"
    return [_Hit(*row) for row in conn.execute(text(statement), {"limit": limit, **_days(filters)})]


def _dated(filters: Filters) -> list[str]:
    return [_VISITED] * bool(filters.not_visited_since) + [_SERVED] * bool(filters.not_served_since)


def _days(filters: Filters) -> dict[str, str]:
    days = {"visited": filters.not_visited_since, "served": filters.not_served_since}
    return {name: day for name, day in days.items() if day}


def _written(expression: Expression, of: str) -> str:
    """As the index is asked. Tokens are letters and digits, so quotes hold them."""
    both, either, quote = (" AND ", " OR ", '"') if of == "sqlite" else (" & ", " | ", "'")
    match expression:
        case All(inner):
            return f"({both.join(_written(one, of) for one in inner)})"
        case Either(inner):
            return f"({either.join(_written(one, of) for one in inner)})"
        case _:
            return f"{quote}{expression}{quote}"


def _rows(conn: Connection, households: Iterable[str]) -> dict[str, _Hit]:
    own = HouseholdSearch.__table__.c
    query = select(*(own[name] for name in _Hit._fields if name != "under"))
    wanted = list(households)
    found = conn.execute(query.where(among(conn, own.household, wanted))) if wanted else ()
    return {row.household: _Hit(*row) for row in found}


def _checked(conn: Connection, terms: Sequence[Term], hits: Sequence[_Hit]) -> list[_Hit]:
    """Those that really have the words that tokens only hint at."""
    asked = [term for term in terms if term.check]
    held = _people(conn, [hit.household for hit in hits])
    return [
        hit for hit in hits if all(words.meets(term, hit.division, words.texts(*held[hit.household])) for term in asked)
    ]


Held = tuple[Mapping[str, Any], list[Mapping[str, Any]]]


def _people(conn: Connection, households: Sequence[str]) -> dict[str, Held]:
    """By household, its row and its members'."""
    own, member = Household.__table__.c, Member.__table__.c
    one = select(
        own.id, own.name, own.head_name, own.head_phone, own.head_id_number, own.village_group, own.closed_reason
    )
    rows = conn.execute(one.where(among(conn, own.id, households))).mappings() if households else ()
    found: dict[str, Held] = {row["id"]: (dict(row), []) for row in rows}
    others = select(member.household, member.name, member.phone, member.id_number, member.guardian)
    if households:
        for row in conn.execute(others.where(among(conn, member.household, households))).mappings():
            found[row["household"]][1].append(dict(row))
    return found


# --- the answer --------------------------------------------------------------------------------------------------


def _ordered(terms: Sequence[Term], hits: Iterable[_Hit]) -> list[_Hit]:
    """The villages of the best first; within a village the best, then by group and name."""
    ranked = [(words.rank(terms, hit.name), hit) for hit in hits]
    best: dict[str, int] = {}
    for rank, hit in ranked:
        best[hit.division] = min(rank, best.get(hit.division, rank))
    ranked.sort(
        key=lambda one: (
            best[one[1].division], one[1].division, one[0], one[1].village_group or "", one[1].name, one[1].household
        )
    )  # fmt: skip
    return [hit for _, hit in ranked]


def _found(conn: Connection, terms: Sequence[Term], page: Sequence[_Hit]) -> list[FoundHousehold]:
    held = _people(conn, [hit.household for hit in page])
    places = names_of(conn, {hit.division for hit in page})
    tags = _tags(conn, [hit.household for hit in page])
    return [
        FoundHousehold(
            hit.household,
            hit.name,
            hit.village_group or "",
            hit.division,
            places[hit.division],
            person.mask_phone(held[hit.household][0]["head_phone"] or ""),
            id_number.last4(held[hit.household][0]["head_id_number"] or ""),
            tags.get(hit.household, []),
            held[hit.household][0]["closed_reason"],
            hit.under or _because(terms, *held[hit.household]),
            hit.last_visit,
            hit.last_delivery,
        )
        for hit in page
    ]


def _because(terms: Sequence[Term], household: Mapping[str, Any], members: Sequence[Mapping[str, Any]]) -> str | None:
    """The first other name of the household that fits a word which its own does not."""
    missing = [term for term in terms if words.rank([term], household["name"]) == words.WORST]
    people = [household["head_name"], *(one["name"] for one in members)]
    people += [one["guardian"].get("name", "") for one in members if one["guardian"]]
    others = [name for name in people if name and name != household["name"]]
    return next((name for term in missing for name in others if words.rank([term], name) < words.WORST), None)


def _tags(conn: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """By household, the names of its categories, in the catalogue's order."""
    query = select(HouseholdCategory.household, HouseholdCategory.code)
    rows: Iterable[Row[Any]] = conn.execute(query.where(among(conn, HouseholdCategory.household, ids))) if ids else ()
    codes: dict[str, set[str]] = {}
    for row in rows:
        codes.setdefault(row.household, set()).add(row.code)
    known = categories(conn)
    return {
        household: [known[code] for code in known if code in held] + sorted(held - known.keys())
        for household, held in codes.items()
    }
