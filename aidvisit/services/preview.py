"""Before pushing: what the centre will make of the unsent facts, said while the team still remembers the visit."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import unsent
from aidvisit.store.queries.duplicate import Duplicate, DuplicateSide, duplicates
from aidvisit.store.queries.held import Held, some
from aidvisit.store.queries.unsent import Expected
from sync import clock, log, pause

logger = logging.getLogger(__name__)

REMEMBERED = timedelta(hours=36)
"""As long as a team remembers a visit."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to look at. `name`: of the household, None where this laptop does not hold it (any more).

    `duplicate`: both sides, of a duplicate. `path`: of a conflict. `held`: what will be held for review, and why.
    `sent`: whether the centre has it already.
    """

    rule: str
    kind: str
    subject: str
    seq: int
    household: str | None
    name: str | None
    duplicate: Duplicate | None
    path: str | None
    held: Held | None
    sent: bool

    @property
    def other(self) -> DuplicateSide | None:
        """Of a duplicate, the delivery that is not the one that this is about."""
        pair = self.duplicate
        return None if pair is None else pair.second if pair.first.delivery == self.subject else pair.first


def look() -> None:
    """Of a sync, between pull and push. Nothing that goes wrong here keeps a record from being sent."""
    try:
        _look()
    except Exception:
        logger.exception("the preview failed")


def _look() -> None:
    with reading() as conn:
        state, before = log.state(conn), log.recall(conn, "preview", {})
        if state.waiting == 0:
            return  # what was found before is shown for as long as a team remembers
        mark = unsent.mark(conn, state)
        if before.get("mark") == mark:
            return
        found = unsent.expected(conn, state)
    now = clock.wall()
    known = {_key(one): one for one in before.get("found", []) if _is_fresh(one, now)}
    kept = [one for one in known.values() if one["seq"] <= state.through]
    new = [{"at": now.isoformat()} | _plain(one) for one in found]
    with transaction() as conn:
        log.remember(conn, preview={"mark": mark, "found": kept + [known.get(_key(one), one) for one in new]})


def _plain(one: Expected) -> dict[str, Any]:
    return {**asdict(one), "about": list(one.about)}


def _key(one: dict[str, Any]) -> tuple[Any, ...]:
    return (one["subject"], one["seq"], one["rule"], *one["about"])


def _is_fresh(one: dict[str, Any], now: datetime) -> bool:
    return abs(now - datetime.fromisoformat(one["at"])) < REMEMBERED


def notices(conn: Connection) -> list[Notice]:
    """What was found and is still so; what the centre holds for review since is told by its answer instead."""
    now = clock.wall()
    found = [one for one in log.recall(conn, "preview", {}).get("found", []) if _is_fresh(one, now)]
    if not found:
        return []
    state = log.state(conn)
    households = {one["household"] for one in found if one["household"]}
    names = unsent.names(conn, households)
    pairs = _pairs(conn, {one["household"] for one in found if one["rule"] == "duplicate"})
    fields = unsent.conflicting(conn, {one["subject"] for one in found if one["rule"] == "conflict"})
    held = _held(conn, state.device, {one["seq"]: one["problem"] for one in found if one["rule"] == "held"})
    shown = []
    for one in found:
        about, sent = one["about"], one["seq"] <= state.through
        pair = pairs.get((one["subject"], *about)) if one["rule"] == "duplicate" else None
        path = about[0] if one["rule"] == "conflict" and (one["subject"], about[0]) in fields else None
        waits = held.get(one["seq"]) if one["rule"] == "held" and not sent else None
        if pair or path or waits:
            known = {name: one[name] for name in ("rule", "kind", "subject", "seq", "household")}
            name = names.get(one["household"])
            shown.append(Notice(**known, name=name, duplicate=pair, path=path, held=waits, sent=sent))
    return shown


def _held(conn: Connection, device: str, problems: dict[int, dict[str, Any]]) -> dict[int, Held]:
    """By seq, as the centre will show them."""
    found = some(conn, EVERYTHING, [(device, seq) for seq in problems]) if problems else []
    reasons = {seq: str(problem["type"]).rpartition(":")[2] for seq, problem in problems.items()}
    return {one.seq: replace(one, problem=problems[one.seq], reason=reasons[one.seq]) for one in found}


def _pairs(conn: Connection, households: set[str]) -> dict[tuple[str, str, str], Duplicate]:
    """(one delivery, the other, item) → the pair, either way round."""
    found = duplicates(conn, households=households) if households else []
    ways = [(pair, pair.first.delivery, pair.second.delivery) for pair in found]
    ways += [(pair, second, first) for pair, first, second in ways]
    return {(one, other, pair.item): pair for pair, one, other in ways}


def pause_pushing() -> None:
    """先停一停: nothing is pushed until somebody resumes, 24 hours at most."""
    with transaction() as conn:
        pause.begin(conn, clock.wall())


def resume_pushing() -> None:
    with transaction() as conn:
        pause.end(conn)
