"""Register a household, correct what is known of it, close it; see its numbers in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain.edit import changes
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.stream import town_of
from aidvisit.errors import Problem
from aidvisit.services import audit, sync
from aidvisit.services.bodies import filled
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import household as households
from aidvisit.store.queries.edit import HouseholdEdit, household_edit
from aidvisit.store.queries.importing import field_heads, household_stream
from aidvisit.store.queries.received import latest
from sync import blobs
from sync.log import Entry


def register(*, actor: str, household: str, body: Mapping[str, Any]) -> Entry:
    """`household` is the new id; `body` as docs/facts.md has it for `household.registered`.

    Raises: Problem `invalid-body`, `subject-exists`.
    """
    with transaction() as conn:
        return ledger.record(conn, actor, registered(household, body))[0]


def move(*, actor: str, household: str, body: Mapping[str, Any], continues: str, scope: Scope = EVERYTHING) -> Entry:
    """Register a household that came from another town, where it was `continues`, with the last delivery of each item.

    Raises: Problem `unknown-household` for the one that it was, `invalid-body`, `subject-exists`.
    """
    with transaction() as conn:
        in_view(conn, continues, scope)
        more = filled(continues=continues, brought=latest(conn, continues))
        return ledger.record(conn, actor, registered(household, {**body, **more}))[0]


def registered(household: str, body: Mapping[str, Any]) -> Fact:
    """The fact that a household is registered, for a transaction that records more than that."""
    return Fact(town_of(body["division"]), "household.registered", household, dict(body))


def update(
    *,
    actor: str,
    household: str,
    set_: Mapping[str, Any],
    base: Mapping[str, Sequence[str]] | None = None,
    add: Mapping[str, Sequence[Any]] | None = None,
    remove: Mapping[str, Sequence[str]] | None = None,
    reason: str | None = None,
) -> Entry:
    """Correct fields. `base`: path → names of the ops whose values the author had in view (those of now if None).

    Raises: Problem `unknown-household`, `invalid-body`.
    """
    with transaction() as conn:
        fact = updated(conn, household, set_, base=base, add=add, remove=remove, reason=reason)
        return ledger.record(conn, actor, fact)[0]


def updated(
    conn: Connection,
    household: str,
    set_: Mapping[str, Any],
    *,
    base: Mapping[str, Sequence[str]] | None = None,
    **more: Any,
) -> Fact:
    """The fact of an update, for a transaction that records more than that."""
    in_view = field_heads(conn, household) if base is None else base
    body = filled(set_=dict(set_), base={path: list(in_view.get(path, ())) for path in set_}, **more)
    return Fact(stream_of(conn, household), "household.updated", household, body)


def edit(
    *, actor: str, household: str, seen: str, wanted: Mapping[str, Any], scope: Scope = EVERYTHING
) -> Entry | None:
    """Make a household what a form says, by an edit of what its author changed; None when that is nothing.

    `seen`: of the form (`HouseholdEdit.seen`); `wanted`: a body as for registering. What somebody else changed
    meanwhile stays; where both changed one field, both values are kept as a conflict.
    Raises: Problem `unknown-household`, `form-stale`, `invalid-body`.
    """
    with transaction() as conn:
        held = in_view(conn, household, scope)
        then = held.at(seen)
        if then is None:
            raise Problem("form-stale")
        body = changes(then, wanted, held.now)
        if not body:
            return None
        return ledger.record(conn, actor, Fact(held.stream, "household.updated", household, body))[0]


def settle(
    *,
    actor: str,
    household: str,
    path: str,
    heads: Sequence[str],
    reason: str,
    keep: str | None = None,
    value: Any = None,
    scope: Scope = EVERYTHING,
) -> Entry:
    """Settle a conflict of one field: an edit whose base names both. `keep`: the op whose value is right, else `value`.

    `heads`: the ops whose values whoever settles had in view. Raises: Problem `unknown-household`, `form-stale`,
    `invalid-body`.
    """
    with transaction() as conn:
        held = in_view(conn, household, scope)
        said = held.said(path)
        if not heads or not {*heads, keep or heads[0]} <= said.keys():
            raise Problem("form-stale")
        settled = said[keep] if keep else value
        body = {"set": {path: settled}, "base": {path: list(heads)}, "reason": reason}
        return ledger.record(conn, actor, Fact(held.stream, "household.updated", household, body))[0]


def in_view(conn: Connection, household: str, scope: Scope = EVERYTHING) -> HouseholdEdit:
    """What an edit of a household has in view. Raises: Problem `unknown-household`."""
    found = household_edit(conn, household)
    if found is None or not scope.place(found.now.body["division"]):
        raise Problem("unknown-household", id=household)
    return found


def close(
    *, actor: str, household: str, reason: str, date: str, to: str | None = None, scope: Scope = EVERYTHING
) -> Entry:
    """It gets nothing any more. Raises: Problem `unknown-household`, `invalid-body`."""
    with transaction() as conn:
        body = filled(reason=reason, date=date, to=to)
        fact = Fact(in_view(conn, household, scope).stream, "household.closed", household, body)
        return ledger.record(conn, actor, fact)[0]


def reopen(*, actor: str, household: str, reason: str, scope: Scope = EVERYTHING) -> Entry:
    """It gets again: the closing was a mistake, or is over. Raises: Problem `unknown-household`, `invalid-body`."""
    with transaction() as conn:
        fact = Fact(in_view(conn, household, scope).stream, "household.reopened", household, {"reason": reason})
        return ledger.record(conn, actor, fact)[0]


def reveal(*, actor: str, household: str, scope: Scope = EVERYTHING) -> None:
    """Write down that somebody asks for the full ID numbers and phones of one household, before they are shown.

    Durable when this returns; else nothing may be shown. Raises: Problem `unknown-household`, `not-permitted`,
    `disk-full`, `database-locked`.
    """
    with transaction() as conn:
        if households.household(conn, household, scope) is None:
            raise Problem("unknown-household", id=household)
        audit.record(actor, audit.REVEAL, conn=conn, household=household)


def stream_of(conn: Connection, household: str) -> str:
    """The stream a household was registered in. Raises: Problem `unknown-household`."""
    stream = household_stream(conn, household)
    if stream is None:
        raise Problem("unknown-household", id=household)
    return stream


def proof(sha256: str) -> tuple[str, bytes]:
    """(media type, bytes) of a photo or signature; a laptop fetches what another one recorded, if there is a line.

    Raises: Problem `proof-at-centre`, `proof-on-laptop`.
    """
    found = _held(sha256)
    if found is None and sync.current_settings().role == "field":
        try:
            there = sync.fetch_blob(sha256)
        except Problem as problem:
            raise Problem("proof-at-centre") from problem
        found = _held(sha256) if there else None
    if found is None:
        raise Problem("proof-on-laptop")
    return found


def _held(sha256: str) -> tuple[str, bytes] | None:
    with reading() as conn:
        return blobs.get(conn, sha256)
