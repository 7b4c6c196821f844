"""Saying of two households that they are one, or two; and taking it back."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from flask import current_app
from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.services.household import stream_of
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import household as households
from aidvisit.store.queries import pair as queries
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.pair import Pair
from aidvisit.store.queries.verdict import DIFFERENT, MAYBE_SAME, different, ordered

FOUND: Final = "pairs"
QUICK_S: Final = 0.2
KEPT: Final = 100
"""What took longer than `QUICK_S` to find is kept for so many times as long."""


@dataclass(frozen=True, slots=True)
class _Found:
    pairs: list[Pair]
    until: float


def likely(conn: Connection, scope: Scope = EVERYTHING) -> list[Pair]:
    """Pairs of a scope that may be one household and of which nobody has said anything; the likeliest first.

    With very many households it may be some minutes behind in what is found, not in what was said (what was taken back
    through another worker process is found with the rest): ask `queries.still` of those that are shown.
    """
    kept: dict[Scope, _Found] = current_app.extensions.setdefault(FOUND, {})
    found = kept.get(scope)
    if found is None or found.until < time.monotonic():
        began = time.monotonic()
        pairs = queries.pairs(conn, scope)
        took = time.monotonic() - began
        if took < QUICK_S:
            kept.pop(scope, None)
            return pairs
        found = kept[scope] = _Found(pairs, time.monotonic() + KEPT * took)
    alias = aliases(conn)
    apart = different(conn, {household for pair in found.pairs for household in pair.ids})
    return [pair for pair in found.pairs if pair.ids not in apart and alias.of(pair.first) != alias.of(pair.second)]


def merge(*, actor: str, household: str, into: str, reason: str, scope: Scope = EVERYTHING) -> bool:
    """One household becomes part of another; nothing is rewritten, nothing lost. False when it was one already.

    Raises: Problem `unknown-household` (also for one outside the scope), `invalid-body` (the reason), `not-permitted`.
    """
    with transaction() as conn:
        return _merge(conn, actor, household, into, reason, scope)


def merge_many(
    *, actor: str, chosen: Collection[tuple[str, str]], reason: str, scope: Scope = EVERYTHING
) -> tuple[int, int]:
    """Merge pairs (household, into) that are beyond doubt, each by a fact of its own, all of them in one transaction.

    Returns how many were merged, and how many were left because they are not beyond doubt any more. Raises: as `merge`.
    """
    with transaction() as conn:
        sure = {pair.ids for pair in queries.still(conn, {ordered(*each) for each in chosen}, scope) if pair.sure}
        right = [each for each in chosen if ordered(*each) in sure]
        merged = [_merge(conn, actor, household, into, reason, scope) for household, into in right]
    return sum(merged), len(chosen) - sum(merged)


def unmerge(*, actor: str, household: str, reason: str, scope: Scope = EVERYTHING) -> bool:
    """A household is one of its own again, with everything as it was; false when it was not merged.

    Raises: as `merge`.
    """
    with transaction() as conn:
        view = households.household(conn, household, scope)
        if view is None:
            raise Problem("unknown-household", id=household)
        if view.into is None:
            return False
        ledger.record(conn, actor, Fact(view.stream, "household.unmerged", household, {"reason": reason}))
        _show_again(conn, household, view.into)
        return True


def tell_apart(*, actor: str, one: str, other: str, scope: Scope = EVERYTHING) -> None:
    """They are two: nobody is asked again. Raises: Problem `unknown-household`, `not-permitted`."""
    _say(DIFFERENT, actor, one, other, scope)


def take_back(*, actor: str, one: str, other: str, scope: Scope = EVERYTHING) -> None:
    """Nobody has said that they are two. Raises: as `tell_apart`."""
    _say(MAYBE_SAME, actor, one, other, scope)
    with reading() as conn:
        _show_again(conn, one, other)


def _show_again(conn: Connection, one: str, other: str) -> None:
    """What is kept was perhaps found while these two were one, or told apart: then it lacks them."""
    kept: dict[Scope, _Found] = current_app.extensions.get(FOUND, {})
    for scope, found in list(kept.items()):
        known = {pair.ids for pair in found.pairs}
        back = [pair for pair in queries.still(conn, [ordered(one, other)], scope) if pair.ids not in known]
        kept[scope] = _Found(sorted([*found.pairs, *back], key=attrgetter("place")), found.until)


def _merge(conn: Connection, actor: str, household: str, into: str, reason: str, scope: Scope) -> bool:
    alias = aliases(conn)
    one, other = _known(conn, alias.of(household), scope), _known(conn, alias.of(into), scope)
    if one == other:
        return False
    body = {"into": other, "reason": reason}
    ledger.record(conn, actor, Fact(stream_of(conn, one), "household.merged", one, body))
    return True


def _say(what: str, actor: str, one: str, other: str, scope: Scope) -> None:
    with transaction() as conn:
        ids = ordered(_known(conn, one, scope), _known(conn, other, scope))
        if (ids in different(conn, [ids[0]])) != (what == DIFFERENT):
            audit.record(actor, what, conn=conn, household=ids[0], detail=ids[1])


def _known(conn: Connection, household: str, scope: Scope) -> str:
    if households.household(conn, household, scope) is None:
        raise Problem("unknown-household", id=household)
    return household
