"""What a laptop passes on for somebody who changes their own password there (docs/protocol.md section 7)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from aidvisit.errors import Problem
from aidvisit.services import people
from aidvisit.store.database import transaction
from aidvisit.web.api import sync
from sync import enrolment
from sync.op import is_text, loads, malformed

blueprint = Blueprint("password_api", __name__, url_prefix="/api/v1")

MOST = 1000  # characters


@blueprint.post("/password")
def change() -> Response:
    """`{login, old, new}` with the token of a laptop; `{}` when it is done.

    Raises: Problem `unauthorized`, `device-revoked`, `malformed`, `wrong-password`, `too-many-sign-ins`,
    `weak-password`.
    """
    with transaction() as conn:
        team = enrolment.device_of_token(conn, sync.token()).team
    asked = _read(loads(sync.body()))
    people.change_password(asked["login"], asked["old"], asked["new"], request.remote_addr, at_team=team)
    return sync.answer(200, {})


def _read(document: Any) -> dict[str, str]:
    names = ("login", "old", "new")
    asked = {name: document.get(name) for name in names} if isinstance(document, dict) else {}
    texts = {
        name: text for name, text in asked.items() if isinstance(text, str) and 0 < len(text) <= MOST and is_text(text)
    }
    if len(texts) < len(names):
        raise malformed(f"{', '.join(names)}: texts of 1 to {MOST} characters expected")
    return texts


@blueprint.errorhandler(Problem)
def refused(problem: Problem) -> Response:
    return sync.answer_problem(problem)
