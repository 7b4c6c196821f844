"""Who is asking. Closed by default: what is not on the short open list needs a signed-in user."""

from __future__ import annotations

import secrets
import time
from hashlib import sha256

from flask import Blueprint, Flask, g, request, session
from werkzeug.wrappers import Response

from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.store.database import reading
from aidvisit.store.queries import account
from aidvisit.store.queries.account import UserRow

OPEN = {"static", "account.sign_in", "account.language"}
OPEN_BLUEPRINTS = {"sync_api"}  # devices show their token there
ASKED_BY_ITSELF = {"sync.chip"}  # an open page asks for it, whether or not anybody sits there
KEPT_OVER_SIGN_IN = ("language",)


def init_app(app: Flask, *apis: Blueprint) -> None:
    """Ask before every request. `apis` authenticate by themselves."""
    assert {api.name for api in apis} <= OPEN_BLUEPRINTS
    app.before_request(require_user)


def require_user() -> Response | None:
    """Raises: Problem `signed-out`."""
    g.user = current_user()
    if g.user is None and request.endpoint not in OPEN and request.blueprint not in OPEN_BLUEPRINTS:
        raise Problem("signed-out")
    return None


def current_user() -> UserRow | None:
    """The user of this session, if still active, with the same password, and not away for too long."""
    identity = session.get("user")
    if identity is None:
        return None
    with reading() as conn:
        user = account.user(conn, identity)
    idle_s = sync.current_settings().idle_minutes * 60
    now = int(time.time())
    if user is None or not user.active or session.get("mark") != _mark(user) or now - session.get("at", 0) > idle_s:
        forget()
        return None
    if now - session["at"] > 30 and request.endpoint not in ASKED_BY_ITSELF:
        session["at"] = now
    return user


def remember(user: UserRow) -> None:
    """A session of its own for who signs in now: nothing of the one before goes on but the language."""
    forget()
    session.update(user=user.id, mark=_mark(user), at=int(time.time()), salt=secrets.token_hex(8))


def forget() -> None:
    kept = {key: session[key] for key in KEPT_OVER_SIGN_IN if key in session}
    session.clear()
    session.update(kept)


def _mark(user: UserRow) -> str:
    """Changes with the password, and with it every session that began before."""
    return sha256(f"{user.id}:{user.password_hash}".encode()).hexdigest()[:16]


def actor() -> str:
    """Id of the signed-in user."""
    user: UserRow = g.user
    return user.id
