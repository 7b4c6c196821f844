"""PostgreSQL asked for the best, the good and everybody with the words at once: each statement takes as long as a page.

Its index gives nothing before it has gone through everybody with a word. The first households have an index of their
own, and the next, too: what is common fills the list from there. How many of the first have the words tells what
follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection

from aidvisit.domain.search import Expression
from aidvisit.store.queries import hits
from aidvisit.store.queries.hits import ALL, Hit
from aidvisit.store.tables.search import FIRST_HOUSEHOLDS, NEXT_HOUSEHOLDS

Levels = Sequence[tuple[int, Expression]]
"""Ranks, the best first, with what finds them: each finds those of the rank before, too."""
MERGED_RANK: Final = -1
RARE = 12
"""What no more than these of the first households have, some 240 of a million have: all of them can be listed."""
COMMON = 50
"""What so many of the first households have fills the list from the next, most often."""
_RANK = attrgetter("rank")


@dataclass(frozen=True, slots=True)
class _Part:
    """What is asked for a rank, of those with `after < n <= until`; as soon as it gives `limit`, no worse is asked."""

    rank: int
    expression: Expression
    limit: int
    until: int = ALL
    after: int = 0


def ranked(conn: Connection, levels: Levels, wanted: int, merged: Expression | None) -> tuple[list[Hit], list[Hit]]:
    """Those whose tokens are so, each with the first rank that finds it; and all that `merged` finds.

    All of them, or the best so many.
    """
    first, following = FIRST_HOUSEHOLDS, FIRST_HOUSEHOLDS + NEXT_HOUSEHOLDS
    parts = [_Part(rank, one, wanted, until=first) for rank, one in levels]
    asked = _asked(conn, [_Part(MERGED_RANK, merged, ALL), *parts] if merged else parts)
    others = [hit for hit in asked if hit.rank == MERGED_RANK]
    found = [hit for hit in asked if hit.rank != MERGED_RANK]
    held = [_count(found, rank) for rank, _ in levels]
    if len(levels) > 1 and held[-1] <= RARE:
        few = _of_few(conn, levels, 2 * wanted)
        if len(few) < 2 * wanted:
            return few, others
    enough = next((i for i, number in enumerate(held) if number >= wanted), len(levels))
    parts = [
        _Part(rank, one, wanted - number, following, first) if number >= COMMON else _Part(rank, one, wanted)
        for (rank, one), number in zip(levels[:enough], held, strict=False)
    ]
    while parts:
        found = _best([*_asked(conn, parts), *found], wanted)
        # Those that were asked of the next households only, and have not filled the list; up to the first that has.
        full = next((i for i, part in enumerate(parts) if _count(found, part.rank) >= wanted), len(parts))
        parts = [_Part(part.rank, part.expression, wanted) for part in parts[:full] if part.until != ALL]
    return found, others


def _count(found: Sequence[Hit], rank: int) -> int:
    return sum(hit.rank <= rank for hit in found)


def _best(found: Iterable[Hit], wanted: int) -> list[Hit]:
    """The best so many, each once."""
    best = {hit.n: hit for hit in sorted(found, key=_RANK, reverse=True)}
    return sorted(best.values(), key=_RANK)[:wanted]


def _asked(conn: Connection, parts: Sequence[_Part]) -> list[Hit]:
    """All that were merged, and of the others each once, with the best rank of those that were asked."""
    with_, values, full, before = list[str](), list[Any](), list[str](), list[str]()
    for place, part in enumerate(parts):
        told, tokens = hits.has(part.expression)
        told += f" AND n > {part.after}" if part.after else ""
        told += f" AND n <= {part.until}" if part.until != ALL else ""
        others = [*full, f"n NOT IN ({' UNION ALL '.join(before)})"] if full else []
        still = f" WHERE {' AND '.join(others)}" if full else ""
        # Materialized: else, in the hope of a few soon, it reads the table from the beginning.
        with_.append(f"h{place} AS MATERIALIZED (SELECT {hits.INDEXED} FROM household_index WHERE {told})")  # noqa: S608
        with_.append(f"l{place} AS MATERIALIZED (SELECT * FROM h{place}{still} LIMIT {part.limit})")  # noqa: S608
        values += tokens
        if part.limit != ALL:
            full.append(f"(SELECT count(*) FROM l{place}) < {part.limit}")  # noqa: S608
            before.append(f"SELECT n FROM l{place}")  # noqa: S608
    ranks = [f"SELECT *, {part.rank} FROM l{place}" for place, part in enumerate(parts)]  # noqa: S608
    return hits.run(conn, f"WITH {', '.join(with_)} {' UNION ALL '.join(ranks)}", values)


def _of_few(conn: Connection, levels: Levels, limit: int) -> list[Hit]:
    """Those whom the last level finds, each looked at for its rank: all households are gone through once."""
    *better, (widest, last) = levels
    ranks, values = "", list[str]()
    for rank, expression in better:
        told, tokens = hits.has(expression)
        ranks, values = f"{ranks} WHEN {told} THEN {rank}", [*values, *tokens]
    told, tokens = hits.has(last)
    statement = (
        f"WITH held AS MATERIALIZED (SELECT {hits.INDEXED}, tokens FROM household_index WHERE {told})"  # noqa: S608
        f" SELECT {hits.INDEXED}, CASE{ranks} ELSE {widest} END FROM held LIMIT {limit}"
    )
    return hits.run(conn, statement, [*tokens, *values])
