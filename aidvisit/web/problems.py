"""Every refusal as a page in words: what happened, what to do, and nothing that was typed is lost."""

from __future__ import annotations

import logging
from contextlib import suppress

from flask import Flask, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from aidvisit.errors import Problem
from aidvisit.services.logs import without_words
from aidvisit.web import auth, frame
from aidvisit.web.api import sync as sync_api
from aidvisit.web.forms import SECRET
from aidvisit.web.i18n import language

logger = logging.getLogger(__name__)

KEPT_NOT = {"csrf_token", *SECRET}
APIS = ("/sync/v1/", "/api/v1/")
HTTP_NAMES = {404: "not-found", 405: "method-not-allowed"}


def init_app(app: Flask) -> None:
    app.register_error_handler(Problem, show)
    app.register_error_handler(CSRFError, _foreign_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)


def show(problem: Problem) -> ResponseReturnValue:
    """The page of a problem. What a form held is offered to be sent again."""
    if request.path.startswith(APIS):
        # Of a laptop's program the words are for its people, whichever language its requests may name.
        asked = language() if request.path.startswith("/api/v1/") else "zh"
        return sync_api.answer_problem(problem, asked)
    if _only_kept():
        return "", problem.status
    if problem.name == "signed-out" and request.method in ("GET", "HEAD"):
        return redirect(url_for("account.sign_in", next=request.full_path.rstrip("?")))
    if problem.name == "not-permitted" and request.path == "/" and (first := frame.first_page()):
        return redirect(first)  # the root leads to the first page that one may see
    if not hasattr(g, "user"):
        g.user = None
    return render_template("problem.html", problem=problem, typed=_typed()), problem.status


def _only_kept() -> bool:
    """Whether a script sent a draft: it needs no page, whose form would begin another session beside a sign-in."""
    with suppress(RequestEntityTooLarge):
        return request.method == "POST" and request.form.get("do") == "draft"
    return False


def _typed() -> list[tuple[str, str]]:
    """What the form held; nothing of one that is too large to be read, nor of one that another site's page sent.

    One click would else send again, as the reader's own, what somebody elsewhere filled in.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return []
    try:
        fields = request.form.items(multi=True)
    except RequestEntityTooLarge:
        return []
    return [(name, value) for name, value in fields if name not in KEPT_NOT]


def _foreign_form(_error: CSRFError) -> ResponseReturnValue:
    """Its token is nobody's of now: mostly because its session ended, and then signing in comes first."""
    ended = request.endpoint in auth.ROUTES and auth.signed_in() is None
    return show(Problem("signed-out" if ended else "csrf-expired"))


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status in (301, 302, 303, 307, 308):
        return error
    if status == 413:
        return show(Problem("upload-too-large", max_bytes=request.max_content_length))
    refused = "bad-request" if request.path.startswith(auth.API_PATHS) else "not-found"
    answer = make_response(show(Problem(HTTP_NAMES.get(status, refused if status < 500 else "unexpected"))))
    if isinstance(error, MethodNotAllowed):
        answer.allow.update(error.valid_methods or ())
    return answer


def _bug(error: Exception) -> ResponseReturnValue:
    logger.error("unexpected\n%s", without_words(error))
    return show(Problem("unexpected"))
