"""Finding households by what somebody types: the one search, of pages on both sides and of whatever else looks for one.

The index gives numbers of rows; they are put in order here, a page at a time. Nothing is scanned.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, null, select, union_all

from aidvisit.domain import id_number, person
from aidvisit.domain import search as words
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.search import Expression, Term, every
from aidvisit.store.queries import hits as index
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.called import NEWEST, Names, names
from aidvisit.store.queries.dated import dated
from aidvisit.store.queries.hits import NO_FILTERS, Hit
from aidvisit.store.queries.hits import Filters as Filters
from aidvisit.store.queries.ranked import ranked
from aidvisit.store.tables import Household, HouseholdCategory, HouseholdCount, HouseholdSearch, Member
from sync.rows import one_of

CAP = 200
"""Households that a search tells of: who sees more says more."""
PAGE = 20
WORST = 3
"""The rank of a household that is found by another's name, or by no name."""
LAST = 3
"""The level that is asked for where the others fill no page: what letters may mean besides (domain/search)."""


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

    @property
    def villages(self) -> list[list[FoundHousehold]]:
        """The page, village by village."""
        return [list(households) for _, households in groupby(self.found, key=attrgetter("division"))]


def search(
    conn: Connection,
    typed: str,
    *,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
    after: str | None = None,
) -> SearchResult:
    """Households that have every word, the best first, village by village; nothing for no word and no filter.

    A word is part of a name, its pinyin or initials, a phone or its first or last digits, an ID number or its last 4,
    the village group, or the name of a village, town or county. Merged households are found as what they are now.
    """
    held, state = _begun(conn, scope, "generic" if typed.split() else "custom")
    known = names(conn, state)
    terms = words.terms(typed, known.places)
    if (not terms and not filters) or not (scope.everything or scope.divisions):
        return SearchResult([], 0, held, False)
    ordered = _ordered(_hits(conn, terms, scope, filters).values())
    shown, more = ordered[:CAP], len(ordered) > CAP
    start = next((i + 1 for i, hit in enumerate(shown) if hit.household == after), 0)
    page = shown[start : start + PAGE]
    following = page[-1].household if page and start + PAGE < len(shown) else None
    return SearchResult(_found(conn, known, terms, page), len(shown), held, more, following)


def searched(conn: Connection, scope: Scope = EVERYTHING) -> int:
    """How many households there are to find."""
    return int(conn.execute(_counted(_HELD, scope)).scalar_one())


_HELD = select(func.coalesce(func.sum(HouseholdCount.households), 0))
_HELD_AND_NEWEST = _HELD.add_columns(NEWEST.scalar_subquery())
_PLANS = func.set_config("plan_cache_mode", bindparam("plans"), True)
_BEGUN = {"sqlite": _HELD_AND_NEWEST, "postgresql": _HELD_AND_NEWEST.add_columns(_PLANS)}


def _begun(conn: Connection, scope: Scope, plans: str) -> tuple[int, str | None]:
    """How many there are to find, and what names are known by.

    PostgreSQL is told in passing how to plan the statements of this transaction. Whichever words are looked for, it is
    done in one way, that need not be thought of again each time; dates and a place alone differ in how many pass.
    """
    named = {"plans": f"force_{plans}_plan"} if conn.dialect.name == "postgresql" else {}
    held, state, *_ = conn.execute(_counted(_BEGUN[conn.dialect.name], scope), named).one()
    return int(held), state


def _counted(query: Select[Any], scope: Scope) -> Select[Any]:
    return query if scope.everything else query.where(within.places(HouseholdCount.division.expression, scope))


# --- hits --------------------------------------------------------------------------------------------------------


def _hits(conn: Connection, terms: Sequence[Term], scope: Scope, filters: Filters) -> dict[str, Hit]:
    """By household, all, or the best: not many more than there may be shown."""
    again = index.seen_as_another(conn, filters)
    wanted = CAP + 1 + len(again)
    some = bool(terms) and not (filters.dated and not aliases(conn).into)  # with dates, aliases are known already
    merged = index.of_merged(every(*(term.levels[-1] for term in terms))) if some else None
    if not terms and filters.dated and not filters.category:
        longest = index.by_date(conn, filters, scope, wanted)
        return {hit.household: hit for hit in longest if hit.household not in again}
    levels = _levels(terms, index.bounds(scope, filters))
    told = index.decides(scope, filters) and not any(term.check for term in terms)
    if told and levels and conn.dialect.name == "postgresql":
        first = [one for one in levels if one[0] < LAST]
        living, others = ranked(conn, first, wanted, merged)
        if len(first) < len(levels) and len(living) < PAGE:
            living, others = ranked(conn, levels, wanted, merged)
        found = {hit.household: _named(hit, terms) for hit in living}
        return {hit.household: hit for hit in _merged(conn, others, scope, filters)} | found
    others = _matched(conn, terms, merged, index.ALL) if merged else []  # seldom any
    exact = levels and not any(term.check for term in terms)
    few = dated(conn, terms, levels, wanted, scope, filters) if exact else None
    if few is not None:
        found = {hit.household: _named(hit, terms) for hit in few if hit.household not in again}
        return {hit.household: hit for hit in _merged(conn, others, scope, filters)} | found
    found = {}
    for level, expression in levels:
        if level == LAST and len(found) >= PAGE:
            break
        for hit in _matched(conn, terms, expression, wanted, scope, filters):
            if hit.household not in found and hit.household not in again:
                found[hit.household] = _named(hit._replace(rank=level), terms)
        if len(found) > CAP:
            break
    return {hit.household: hit for hit in _merged(conn, others, scope, filters)} | found


def _named(hit: Hit, terms: Sequence[Term]) -> Hit:
    """With the last rank, if it is found by another's name."""
    by_name = hit.rank < 2 or all(term.text in hit.name for term in terms)
    return hit if by_name else hit._replace(rank=WORST)


def _levels(terms: Sequence[Term], bounds: Sequence[Expression]) -> list[tuple[int, Expression]]:
    """What finds the best, the good, the rest and all, by rank; once where they are the same."""
    levels = [every(*(term.levels[level] for term in terms), *bounds) for level in range(4)]
    return [(level, one) for level, one in enumerate(levels) if one not in levels[:level] and words.possible(one)]


def _matched(
    conn: Connection,
    terms: Sequence[Term],
    expression: Expression,
    wanted: int,
    scope: Scope = EVERYTHING,
    filters: Filters = NO_FILTERS,
) -> list[Hit]:
    """Those that have the words and pass, all of them or so many; wherever they stand among those with the tokens."""
    check = any(term.check for term in terms)
    told = index.decides(scope, filters)
    for number in index.portions(conn, wanted, check=check, told=told and not check):
        hits = index.match(conn, expression, number if check else wanted, filters, scope, number)
        read, hits = len(hits), _checked(conn, terms, hits) if check else hits
        if (
            len(hits) >= wanted
            or (told and index.all_read(read, number))
            or not index.more_than(conn, expression, number)
        ):
            break
    return hits


def _merged(conn: Connection, hits: Sequence[Hit], scope: Scope, filters: Filters) -> list[Hit]:
    """Of those that were merged into another, and have the words: as that other, if it passes the filters."""
    if not hits:
        return []
    alias = aliases(conn)
    stands = {alias.of(hit.household): hit for hit in hits}
    rows = index.rows(conn, stands)
    lost = {min(alias.others[target]): hit for target, hit in stands.items() if target not in rows}
    rows |= index.rows(conn, lost)
    shown = {**stands, **lost}
    passing = _passing(conn, list(rows.values()), scope, filters)
    return [hit._replace(rank=WORST, under=shown[hit.household].household) for hit in passing]


def _passing(conn: Connection, hits: Iterable[Hit], scope: Scope, filters: Filters) -> list[Hit]:
    """What scope and filters ask, of a few rows."""
    found = [hit for hit in hits if scope.place(hit.division) and hit.division.startswith(filters.place or "")]
    again = index.seen_as_another(conn, filters)
    again |= index.seen_since(conn, [hit.household for hit in found], filters)
    found = [hit for hit in found if hit.household not in again]
    return [hit for hit in found if not filters.category or _in_category(conn, hit.household, filters)]


def _in_category(conn: Connection, household: str, filters: Filters) -> bool:
    """Whether the household or one of its members has the category, or is old enough for it."""
    own = conn.execute(select(HouseholdCategory.code).where(HouseholdCategory.household == household)).scalars()
    row, *members = (
        dict(one)
        for query in (
            select(Household.__table__).where(Household.id == household),
            select(Member.__table__).where(Member.household == household),
        )
        for one in conn.execute(query).mappings()
    )
    held = words.tokens(row, own, members)
    asked = index.bounds(EVERYTHING, Filters(category=filters.category, born_by=filters.born_by))
    return all(words.holds(one, held) for one in asked)


def _checked(conn: Connection, terms: Sequence[Term], hits: Sequence[Hit]) -> list[Hit]:
    """Those that really have the words that tokens only hint at."""
    asked = [term for term in terms if term.check]
    every_one = [hit.household for hit in hits]
    if all(term.text.isascii() for term in asked):
        held = _numbers(conn, every_one)
    else:
        held = {one: [*words.texts(*each)] for one, each in _people(conn, every_one, every_one).items()}
    return [hit for hit in hits if all(words.meets(term, hit.division, held[hit.household]) for term in asked)]


Held = tuple[Mapping[Any, Any], list[Mapping[Any, Any]]]


_own, _member, _category = Household.__table__.c, Member.__table__.c, HouseholdCategory.__table__.c
_CODES = select(func.aggregate_strings(_category.code, "\n")).where(_category.household == _own.id).scalar_subquery()
_HOUSEHOLDS = select(
    _own.id, _own.name, _own.head_name, _own.head_phone, _own.head_id_number, _own.village_group, _own.closed_reason
).where(one_of(_own.id, "ids"))
_NUMBERS = union_all(
    select(_member.household, _member.phone, _member.id_number, _member.guardian).where(
        one_of(_member.household, "ids")
    ),
    select(_own.id, _own.head_phone, _own.head_id_number, null()).where(one_of(_own.id, "ids")),
)
_SHOWN = _HOUSEHOLDS.add_columns(_CODES.label("codes"), HouseholdSearch.last_visit, HouseholdSearch.last_delivery)
_SHOWN = _SHOWN.join(HouseholdSearch, HouseholdSearch.household == _own.id)
_MEMBERS = select(_member.household, _member.name, _member.phone, _member.id_number, _member.guardian).where(
    one_of(_member.household, "ids")
)


def _people(
    conn: Connection, households: Sequence[str], with_members: Collection[str], query: Select[Any] = _HOUSEHOLDS
) -> dict[str, Held]:
    """By household, its row; and its members' where they are wanted."""
    rows = conn.execute(query, {"ids": [*households]}).all() if households else ()
    found: dict[str, Held] = {row.id: (row._mapping, []) for row in rows}
    for row in conn.execute(_MEMBERS, {"ids": [*with_members]}).all() if with_members else ():
        found[row.household][1].append(row._mapping)
    return found


def _numbers(conn: Connection, households: Sequence[str]) -> dict[str, list[str]]:
    """By household, phones and documents' numbers of everybody, as they are compared."""
    found: dict[str, list[str]] = {one: [] for one in households}
    for household, *own, guardian in conn.execute(_NUMBERS, {"ids": [*households]}) if households else ():
        theirs = (guardian.get("phone"), guardian.get("id_number")) if guardian else ()
        found[household] += [words.plain(number) for number in (*own, *theirs) if number]
    return found


# --- the answer --------------------------------------------------------------------------------------------------


def _ordered(hits: Collection[Hit]) -> list[Hit]:
    """The villages of the best first; within a village the best, then by group and name."""
    best: dict[str, int] = {}
    for hit in hits:
        best[hit.division] = min(hit.rank, best.get(hit.division, WORST))
    return sorted(
        hits,
        key=lambda one: (best[one.division], one.division, one.rank, one.village_group or "", one.name, one.household),
    )


def _found(conn: Connection, known: Names, terms: Sequence[Term], page: Sequence[Hit]) -> list[FoundHousehold]:
    shown = [hit.household for hit in page]
    others = [hit.household for hit in page if hit.rank == WORST and not hit.under]
    held = _people(conn, shown + [hit.under for hit in page if hit.under], others, _SHOWN)
    tags = _tags(known.categories, {household: held[household][0]["codes"] for household in shown})
    found = []
    for hit in page:
        own, _ = held[hit.household]
        found.append(
            FoundHousehold(
                hit.household,
                own["name"],
                hit.village_group or "",
                hit.division,
                known.place(hit.division),
                person.mask_phone(own["head_phone"] or ""),
                id_number.last4(own["head_id_number"] or ""),
                tags[hit.household],
                own["closed_reason"],
                held[hit.under][0]["name"]
                if hit.under
                else (hit.rank == WORST and _because(terms, *held[hit.household])) or None,
                own["last_visit"],
                own["last_delivery"],
            )
        )
    return found


def _because(terms: Sequence[Term], household: Mapping[str, Any], members: Sequence[Mapping[str, Any]]) -> str | None:
    """The first other name of the household that fits a word which its own does not."""
    missing = [term for term in terms if not words.fits(term, household["name"])]
    people = [household["head_name"], *(one["name"] for one in members)]
    people += [one["guardian"].get("name", "") for one in members if one["guardian"]]
    others = [name for name in people if name and name != household["name"]]
    return next((name for term in missing for name in others if words.fits(term, name)), None)


def _tags(known: Mapping[str, str], codes: Mapping[str, str | None]) -> dict[str, list[str]]:
    """By household, the names of its categories, in the catalogue's order. `codes`: a line each."""
    each = {household: set((held or "").splitlines()) for household, held in codes.items()}
    return {
        household: [known[code] for code in known if code in held] + sorted(held - known.keys())
        for household, held in each.items()
    }
