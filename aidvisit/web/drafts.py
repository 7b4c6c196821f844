"""What is typed into a form on a laptop is kept every two seconds, and brought back after a crash."""

from __future__ import annotations

import re

from flask import redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from aidvisit.services import draft, sync
from aidvisit.services.draft import Draft
from aidvisit.web import auth

NOT_KEPT = re.compile(r"csrf_token|photo_data.*|do")
"""A photo is too large to be kept each time; it is chosen again."""


def taken(form: str) -> ResponseReturnValue | None:
    """Answers what a script sends to be kept (`do=draft`), and the wish to begin again (`do=forget`); else None."""
    if request.method != "POST":
        return None
    match request.form.get("do"):
        case "draft":
            if sync.current_settings().role == "field":
                sent = ((name, value) for name, value in request.form.items(multi=True) if not NOT_KEPT.fullmatch(name))
                draft.keep(auth.actor(), form, sent)
            return "", 204
        case "forget":
            draft.drop(auth.actor(), form)
            return redirect(request.full_path.rstrip("?"), 303)
    return None


def kept(form: str) -> Draft | None:
    return draft.kept(auth.actor(), form)


def sent(held: Draft | None) -> MultiDict[str, str]:
    """The form as it was; nothing without a draft."""
    return MultiDict(held.fields if held else ())


def done(form: str) -> None:
    """It was saved."""
    draft.drop(auth.actor(), form)
