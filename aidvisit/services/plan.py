"""Decide a plan: who gets what by rules or by hand, then lock it, approve it by a second person, release it to laptops.

Nothing blocks a correction after the approval: the approval then counts no more (store/queries/plan.py, `Approval`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain import allotment
from aidvisit.domain.allotment import Line, Rule
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.stream import trip_stream
from aidvisit.errors import Problem
from aidvisit.services import trip as facts
from aidvisit.services.bodies import checked, filled
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import plan as queries
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.edit import view
from aidvisit.store.queries.plan import Plan
from sync import log


def update(
    *, actor: str, trip: str, values: Mapping[str, Any], seen: str | None = None, today: str, scope: Scope = EVERYTHING
) -> None:
    """Change fields of the plan itself: title, starts, ends, team, divisions, tour, distance_km, note; None clears one.

    `seen`: what whoever decides had in view of them (`in_view`); absent: whatever is there.
    Raises: Problem `unknown-trip`, `trip-is-closed`, `changed-meanwhile`, `invalid-form`.
    """
    with transaction() as conn:
        _open(conn, trip, today, scope)
        held = view(conn, "trip", trip)
        assert held is not None
        if seen is not None and seen != held.seen(values):
            raise Problem("changed-meanwhile")
        changes = held.changed(values)
        if changes:
            fact = Fact(held.stream, "trip.updated", trip, held.edit(changes))
            ledger.record(conn, actor, checked(fact))


def in_view(trip: str, paths: Iterable[str]) -> str:
    """What somebody who reads these fields of a trip now has in view, for `seen`. Raises: Problem `unknown-trip`."""
    with reading() as conn:
        held = view(conn, "trip", trip)
    if held is None:
        raise Problem("unknown-trip")
    return held.seen(paths)


def change(*, actor: str, trip: str, lines: Iterable[Line], today: str, scope: Scope = EVERYTHING) -> int:
    """Set what households are to get, where that differs. Returns how many lines were recorded.

    Raises: Problem `unknown-trip`, `trip-is-closed`, `invalid-body`, `unknown-subject`.
    """
    with transaction() as conn:
        present = _present(_open(conn, trip, today, scope))
        new = [line for line in lines if present.get(line[:2], 0) != line[2]]
        if new:
            ledger.record(conn, actor, *facts.allotted(trip, _alone(conn, trip, new)))
        return len(new)


def _alone(conn: Connection, trip: str, lines: Iterable[Line]) -> Iterator[Line]:
    """Lines of a household that others were merged into stand for those as well: theirs go."""
    alias, held = aliases(conn), queries.lines(conn, trip)
    for household, item, quantity in lines:
        yield household, item, quantity
        yield from ((other, item, 0) for other in alias.all(household)[1:] if (other, item) in held)


def rules(trip: str) -> list[Rule]:
    """Those that were used last for this trip on this machine."""
    with reading() as conn:
        return [Rule(**each) for each in log.recall(conn, _key(trip), [])]


def by_rules(*, trip: str, rules: Sequence[Rule], replace: bool, today: str, scope: Scope = EVERYTHING) -> list[Line]:
    """The lines that these rules would change, and the rules are remembered.

    `replace`: also where something is set already; then a line of an item of the rules that no rule asks for goes.
    Raises: Problem `unknown-trip`, `trip-is-closed`.
    """
    with transaction() as conn:
        plan = _open(conn, trip, today, scope)
        log.remember(conn, **{_key(trip): [asdict(rule) for rule in rules]})
        wanted = allotment.by_rules(queries.entitled(conn, plan.trip.divisions, today, scope), rules)
    named = {rule.item for rule in rules}
    present = {key: quantity for key, quantity in _present(plan).items() if key[1] in named}
    if replace:
        return allotment.changes(present, wanted)
    return [line for line in wanted if not present.get(line[:2])]


def lock(*, actor: str, trip: str, today: str, scope: Scope = EVERYTHING) -> None:
    """The allotment is final: it may be approved.

    Raises: Problem `unknown-trip`, `trip-is-closed`, `nothing-allotted`.
    """
    with transaction() as conn:
        if not _open(conn, trip, today, scope).households:
            raise Problem("nothing-allotted")
        _say(conn, actor, trip, "trip.locked", {})


def approve(*, actor: str, trip: str, today: str, note: str | None = None, scope: Scope = EVERYTHING) -> None:
    """By somebody else than who locked it.

    Raises: Problem `unknown-trip`, `trip-is-closed`, `not-locked`, `own-lock`.
    """
    with transaction() as conn:
        approval = _open(conn, trip, today, scope).approval
        if approval.locked_by is None:
            raise Problem("not-locked")
        if approval.locked_by == actor:
            raise Problem("own-lock")
        _say(conn, actor, trip, "trip.approved", filled(note=note))


def release(
    *, actor: str, trip: str, devices: Mapping[str, Sequence[str]], today: str, scope: Scope = EVERYTHING
) -> None:
    """Give it to laptops, each household to exactly one: device id → village groups, none for all. At the centre.

    Raises: Problem `unknown-trip`, `trip-is-closed`, `not-approved` (`changed`), `invalid-form` (`errors`: `devices`).
    """
    with transaction() as conn:
        plan = _open(conn, trip, today, scope)
        if not plan.approval.stands:
            raise Problem("not-approved", changed=plan.approval.changed)
        errors = _divided(plan, devices)
        if errors:
            raise Problem("invalid-form", count=len(errors), errors={"devices": errors})
        ledger.record(conn, actor, facts.released_fact(trip, devices))


def _divided(plan: Plan, devices: Mapping[str, Sequence[str]]) -> list[str]:
    """What is wrong with how the groups are divided among the laptops."""
    if not devices:
        return ["请至少选一台笔记本。 / Choose at least one laptop."]
    carried = [group for groups in devices.values() for group in (groups or plan.groups)]
    errors = []
    for group in plan.groups:
        name, english = group or "未分组", group or "without a group"
        if carried.count(group) > 1:
            errors.append(f"{name}分给了两台以上。 / {english} is on more than one laptop.")
        elif group not in carried:
            errors.append(f"{name}没有分给任何一台。 / {english} is on no laptop.")
    return errors


def _open(conn: Connection, trip: str, today: str, scope: Scope) -> Plan:
    found = queries.plan(conn, trip, today, scope)
    if found is None:
        raise Problem("unknown-trip")
    if found.trip.status == "closed":
        raise Problem("trip-is-closed")
    return found


def _present(plan: Plan) -> dict[tuple[str, str], int]:
    return {(one.id, item): quantity for one in plan.households for item, quantity in one.allotted.items()}


def _say(conn: Connection, actor: str, trip: str, kind: str, body: dict[str, object]) -> None:
    ledger.record(conn, actor, Fact(trip_stream(trip), kind, trip, body))


def _key(trip: str) -> str:
    return f"allotment-rules:{trip}"
