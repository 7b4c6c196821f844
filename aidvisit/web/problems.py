"""Every refusal as a page in words: what happened, what to do, and nothing that was typed is lost."""

from __future__ import annotations

import logging

from flask import Flask, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from aidvisit.errors import Problem
from aidvisit.web.api import sync as sync_api

logger = logging.getLogger(__name__)

KEPT_NOT = {"csrf_token", "password"}
HTTP_NAMES = {404: "not-found", 405: "method-not-allowed"}


def init_app(app: Flask) -> None:
    app.register_error_handler(Problem, show)
    app.register_error_handler(CSRFError, lambda _error: show(Problem("csrf-expired")))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)


def show(problem: Problem) -> ResponseReturnValue:
    """The page of a problem. What a form held is offered to be sent again."""
    if request.path.startswith("/sync/v1"):
        return sync_api.answer_problem(problem)
    if problem.name == "signed-out" and request.method in ("GET", "HEAD"):
        return redirect(url_for("account.sign_in", next=request.full_path.rstrip("?")))
    typed = [(key, value) for key, value in request.form.items(multi=True) if key not in KEPT_NOT]
    if not hasattr(g, "user"):
        g.user = None
    page = render_template("problem.html", problem=problem, typed=typed if request.method == "POST" else [])
    return page, problem.status


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status in (301, 302, 303, 307, 308):
        return error
    if status == 413:
        return show(Problem("upload-too-large", max_bytes=request.max_content_length))
    return show(Problem(HTTP_NAMES.get(status, "not-found" if status < 500 else "unexpected")))


def _bug(error: Exception) -> ResponseReturnValue:
    logger.exception("unexpected", exc_info=error)
    return show(Problem("unexpected"))
