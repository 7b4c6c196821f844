"""Tokens by which other systems ask the API: each acts as a user, with some of their rights, in some places."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from aidvisit.domain import rights
from aidvisit.domain.division import is_code
from aidvisit.domain.rights import EVERYTHING, FOR_TOKENS, Scope
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.services.account import doors
from aidvisit.services.reach import user_within
from aidvisit.store import tokens
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import account
from aidvisit.store.queries.account import UserRow
from aidvisit.store.queries.scope import narrowed, scope_of
from aidvisit.store.tokens import Token
from sync import clock
from sync.op import uuid7

PREFIX: Final = "aidvisit_"
"""So that a token that strayed into a file or a log is known for one."""
MOST_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who asks: a token, the user that it acts as, and where."""

    token: Token
    user: UserRow
    scope: Scope

    def may(self, right: str) -> bool:
        return right in self.token.rights and rights.may(self.user.role, right)


def make(
    *,
    actor: str,
    name: str,
    user: str,
    wanted: Iterable[str],
    divisions: Sequence[str] = (),
    days: int = 90,
    scope: Scope = EVERYTHING,
) -> tuple[str, str]:
    """A new token: its id and, this once, the token itself. `wanted`: rights; no `divisions`: wherever the user may.

    Raises: Problem `unknown-user`, `invalid-form` (`errors` by field).
    """
    secret, now = PREFIX + secrets.token_urlsafe(32), clock.wall()
    with transaction() as conn:
        held = user_within(conn, scope, user)
        asked = frozenset(wanted)
        errors = _errors(name, asked, divisions, days, held)
        if errors:
            raise Problem("invalid-form", count=len(errors), errors=errors)
        expires = now + timedelta(days=days)
        made = Token(uuid7(), name.strip(), user, asked, tuple(divisions), actor, now, expires, None, None)
        tokens.keep(conn, made, _hash(secret))
        audit.record(actor, audit.TOKEN, conn=conn, detail=made.id)
    return made.id, secret


def _errors(
    name: str, wanted: frozenset[str], divisions: Sequence[str], days: int, user: UserRow
) -> dict[str, list[str]]:
    errors = {}
    if not 0 < len(name.strip()) <= 100:
        errors["name"] = ["请写明给哪个系统用,最多 100 字。 / Say which system it is for, in at most 100 characters."]
    if not wanted:
        errors["rights"] = ["请至少选一项权限。 / Choose at least one right."]
    elif not all(right in FOR_TOKENS and rights.may(user.role, right) for right in wanted):
        errors["rights"] = [
            "这个人没有其中一项权限,令牌也不能有。 / The person lacks one of these, so the token may not have it."
        ]
    if not all(map(is_code, divisions)):
        errors["divisions"] = [
            "行政区划代码应为 2、4、6、9 或 12 位数字。 / A division code has 2, 4, 6, 9 or 12 digits."
        ]
    if not 1 <= days <= MOST_DAYS:
        errors["days"] = [f"有效期应为 1 到 {MOST_DAYS} 天。 / It lasts 1 to {MOST_DAYS} days."]
    if not user.active:
        errors["user"] = ["这个人已停用。 / This person is active no more."]
    return errors


def revoke(*, actor: str, token: str, scope: Scope = EVERYTHING) -> None:
    """It opens nothing any more; once more changes nothing. Raises: Problem `unknown-token`."""
    with transaction() as conn:
        found = tokens.find(conn, token)
        user = account.user(conn, found.acts_as) if found else None
        if found is None or user is None or not scope.team(user.team):
            raise Problem("unknown-token")
        if found.revoked_at is None:
            tokens.revoke(conn, token, clock.wall())
            audit.record(actor, audit.TOKEN_REVOKED, conn=conn, detail=token)


@dataclass(frozen=True, slots=True)
class Listed:
    """A token with who it acts as, and whether it opens anything now."""

    token: Token
    user: UserRow
    holds: bool


def listed(scope: Scope) -> list[Listed]:
    """The tokens of people that somebody answers for, the newest first."""
    now = clock.wall()
    with reading() as conn:
        people = {user.id: user for user in account.users(conn) if scope.team(user.team)}
        found = [token for token in tokens.every(conn) if token.acts_as in people]
    return [Listed(one, people[one.acts_as], one.holds(now) and people[one.acts_as].active) for one in found]


def bearer(shown: str | None, address: str) -> Bearer:
    """Who shows this token. A wrong one is braked by address; a right one costs no write but the time of its last
    use, and a line of the audit for its first of a day.

    Raises: Problem `token-invalid`, `too-many-sign-ins` (`retry_after` in seconds).
    """
    now = clock.wall()
    found = _found(shown, now) if shown else None
    if found is None:
        if shown is None:
            raise Problem("token-invalid")
        with doors().guarded("token", address, address) as last_free:
            if last_free:
                audit.brake_closed(None)
            raise Problem("token-invalid")
    last = found.token.used_at
    if last is None or (now - last).total_seconds() >= tokens.USED_EVERY_S:
        with suppress(Problem), transaction() as conn:  # a full disk does not keep anybody from reading
            tokens.used(conn, found.token.id, now)
            if last is None or last.date() != now.date():
                audit.record(found.user.id, audit.TOKEN_USED, conn=conn, detail=found.token.id)
    return found


def _found(shown: str, now: datetime) -> Bearer | None:
    with reading() as conn:
        token = tokens.by_hash(conn, _hash(shown))
        user = account.user(conn, token.acts_as) if token and token.holds(now) else None
        if token is None or user is None or not user.active:
            return None
        return Bearer(token, user, narrowed(conn, scope_of(conn, user.team), token.divisions))


def _hash(secret: str) -> str:
    """A token is 256 random bits: nobody tries them through, so a plain hash does."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
