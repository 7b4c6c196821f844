"""One's own password, at either end: it is changed at the centre, and a laptop passes both words on while online."""

from __future__ import annotations

from aidvisit.errors import Problem
from aidvisit.services import people, sync
from aidvisit.services.account import check_password
from aidvisit.store.database import reading
from aidvisit.store.queries.account import UserRow
from sync import log

PATH = "/api/v1/password"


def change(user: UserRow, old: str, new: str, address: str | None = None) -> bool:
    """Change it; whether the new one counts here already. On a laptop that takes a sync before and one after.

    `address`: from where it is asked.
    Raises: Problem `weak-password`, `wrong-old-password`, `too-many-sign-ins`; on a laptop also `needs-line` (nothing
    has changed), `password-unclear` (the line broke while the centre was asked), and what stops a sync for good.
    """
    check_password(new, user.login)
    try:
        return _change(user, old, new, address)
    except Problem as problem:
        # Whoever asks is signed in: it is the password alone that can be wrong.
        raise (Problem("wrong-old-password") if problem.name == "wrong-password" else problem) from problem


def _change(user: UserRow, old: str, new: str, address: str | None) -> bool:
    if sync.current_settings().role == "central":
        people.change_password(user.login, old, new, address)
        return True
    try:
        sync.sync_now()  # with this the line is there, and nothing was asked of the centre yet
    except Problem as problem:
        raise (Problem("needs-line", problem.detail) if problem.kind.retry else problem) from problem
    with reading() as conn:
        token = log.recall(conn, "token")
    try:
        sync.link(sync.current_settings()).call(PATH, {"login": user.login, "old": old, "new": new}, token)
    except Problem as problem:
        unclear = problem.kind.retry and problem.name != "too-many-sign-ins"
        raise (Problem("password-unclear", problem.detail) if unclear else problem) from problem
    try:
        sync.sync_now()
    except Problem:
        return False
    return True
