"""Backups at both ends: the last good one, those that are kept, one now, and the key that opens them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import backup as service
from aidvisit.services import keeper
from aidvisit.services.sync import current_settings
from aidvisit.web import auth

blueprint = Blueprint("backups", __name__, url_prefix="/backups")
central = Blueprint("backup_key", __name__, url_prefix="/backups/key")


@blueprint.get("", endpoint="page")
def page() -> str:
    """How old the last good one is, why a later one failed, and the files of this node."""
    return _page()


@blueprint.post("", endpoint="now")
def now() -> ResponseReturnValue:
    """Begin one, in the background. Raises: Problem `no-backup-key`, `backup-running`."""
    try:
        service.said(auth.actor())
        keeper.begin(current_settings())
    except Problem as problem:
        if problem.name not in ("no-backup-key", "backup-running"):
            raise
        return _page(problem), problem.status
    return redirect(url_for("backups.page"), 303)


@central.post("", endpoint="make")
def key() -> ResponseReturnValue:
    """The key is in the answer, not behind a redirect: it is kept nowhere. Raises: Problem `backup-key-there`."""
    try:
        if service.state().recipient and request.form.get("sure") != "yes":
            raise Problem("backup-key-there")
        made, _recipient = service.new_key(auth.actor())
    except Problem as problem:
        if problem.name != "backup-key-there":
            raise
        return _page(problem), problem.status
    return _page(secret=made)


def _page(problem: Problem | None = None, **more: Any) -> str:
    settings, state = current_settings(), service.state()
    return render_template(
        "backup/page.html", state=state, files=service.kept(), settings=settings, problem=problem,
        failed=Problem.from_dict(state.failed) if state.failed else None,
        late=service.is_late(state), has_key=service.has_key(), **more,
    )  # fmt: skip
