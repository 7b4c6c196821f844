"""PostgreSQL, where few pass the dates: those are known first, by an index that knows their characters, too.

Whoever has a word is found by another index, which knows no dates: of everybody with a common surname the date would be
looked up, one by one, for the few who pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain import search as words
from aidvisit.domain.rights import Scope
from aidvisit.domain.search import Term
from aidvisit.store.queries import hits
from aidvisit.store.queries.hits import Condition, Filters, Hit
from aidvisit.store.queries.once import once
from aidvisit.store.queries.ranked import Levels

ASKED = 200
"""Households by which it is estimated how many pass."""
FEW = 6
"""Of those: where no more pass, all who do are gone through."""


def dated(
    conn: Connection, terms: Sequence[Term], levels: Levels, limit: int, scope: Scope, filters: Filters
) -> list[Hit] | None:
    """The best so many of those who pass and have the words, by tokens; None where another way is quicker."""
    marks = words.marked(levels[-1][1])
    if not marks or conn.dialect.name != "postgresql" or not filters.dated or not _few(conn, filters):
        return None
    conditions: list[Condition] = [("strpos(p.marks, ?) > 0", (mark,)) for mark in sorted(marks)]
    lies = [hits.lying(codes) for codes in hits.untold(scope, filters)]
    parts, values = list[str](), list[Any]()
    for _, way in hits.ranges(filters):
        told = [*way, *conditions, *lies]
        parts.append(f"SELECT p.n, p.marks FROM household_search p WHERE {hits.together(told)}")  # noqa: S608
        values += hits.bound(told)
    has, tokens = hits.has(levels[-1][1])
    told = [*hits.passing(filters), *lies, (f"(SELECT {has} FROM household_index WHERE n = p.n)", tuple(tokens))]  # noqa: S608
    crowded = f"SELECT p.n, p.name || '|' FROM household_search p WHERE p.marks = '{words.CROWDED}'"  # noqa: S608
    parts.append(f"{crowded} AND {hits.together(told)}")
    values += hits.bound(told)
    last = levels[-1][1]
    if isinstance(last, str) and len(last) == 2 and len(levels) > 1:
        before, best, more = _of_a_character(last[1:], levels, limit, [*hits.passing(filters), *lies])
    else:
        before, best, more = "", *_best(terms, levels)
    statement = (
        f"WITH few AS MATERIALIZED ({' UNION ALL '.join(parts)}){before},"  # noqa: S608
        f" best AS MATERIALIZED ({best} LIMIT {limit}) SELECT {hits.COLUMNS}, i.rank FROM best AS i"
        " CROSS JOIN LATERAL (SELECT * FROM household_search WHERE n = i.n OFFSET 0) AS s"
    )
    return hits.run(conn, statement, [*values, *more])


def _of_a_character(
    character: str, levels: Levels, limit: int, passing: Sequence[Condition]
) -> tuple[str, str, list[str]]:
    """Of the few, by marks alone, which tell all of a character: read until those whose names begin so are enough.

    Those who are called so, without more, are asked of the index: seldom any, and all the few would have to be read.
    """
    (exact, called), (begun, _), (rest, _) = levels
    has, tokens = hits.has(called)
    before = (
        f", e AS MATERIALIZED (SELECT n FROM household_index WHERE {has}), e0 AS MATERIALIZED (SELECT e.n FROM e"  # noqa: S608
        " CROSS JOIN LATERAL (SELECT * FROM household_search WHERE n = e.n OFFSET 0) AS p"
        f" WHERE {hits.together(passing)} LIMIT {limit}),"
        " e1 AS MATERIALIZED (SELECT n FROM few"
        f" WHERE starts_with(marks, ?) AND NOT starts_with(marks, ?) LIMIT {limit}),"
        " e2 AS MATERIALIZED (SELECT n FROM few"
        f" WHERE NOT starts_with(marks, ?) AND (SELECT count(*) FROM e1) < {limit} LIMIT {limit})"
    )
    ranks = ((exact, "e0"), (begun, "e1"), (rest, "e2"))
    best = " UNION ALL ".join(f"SELECT n, {rank} AS rank FROM {found}" for rank, found in ranks)  # noqa: S608
    return before, f"{best} ORDER BY rank", [*tokens, *hits.bound(passing), character, f"{character}|", character]


def _best(terms: Sequence[Term], levels: Levels) -> tuple[str, list[str]]:
    """Those of the few who have the words, with their ranks, the best first."""
    *better, (widest, last) = levels
    rank, values = "", list[str]()
    for each_rank, expression in better:
        has, tokens = hits.has(expression)
        rank, values = f"{rank} WHEN {has} THEN {each_rank}", [*values, *tokens]
    order, after = "", " ORDER BY rank"
    if len(terms) == 1:  # how well it fits is known by the name: the list is full before all are looked at
        order, after = " ORDER BY starts_with(marks, ?) DESC, starts_with(marks, ?) DESC", ""
        values += [f"{terms[0].text}|", terms[0].text]
    has, tokens = hits.has(last)
    statement = (
        f"SELECT e.n, CASE{rank} WHEN true THEN {widest} END AS rank FROM (SELECT n FROM few{order} OFFSET 0) AS e"  # noqa: S608
        f" CROSS JOIN LATERAL (SELECT tokens FROM household_index WHERE n = e.n OFFSET 0) AS t WHERE {has}{after}"
    )
    return statement, [*values, *tokens]


def _few(conn: Connection, filters: Filters) -> bool:
    def asked() -> bool:
        told = hits.passing(filters)
        alone = "set_config('max_parallel_workers_per_gather', '0', true)"  # others would start later than this ends
        statement = (
            f"SELECT count(*), {alone} FROM generate_series(1, {ASKED}) AS i"  # noqa: S608
            " CROSS JOIN LATERAL (SELECT FROM household_search p"
            f" WHERE p.n = i * (SELECT max(n) FROM household_search) / {ASKED}"
            f"{''.join(f' AND {sql}' for sql, _ in told)} OFFSET 0) AS p"
        )
        values = tuple(value for _, each in told for value in each)
        return int(conn.exec_driver_sql(statement.replace("?", "%s"), values).scalar_one()) <= FEW

    return once(conn, ("few dated", filters.not_visited_since, filters.not_served_since), asked)
