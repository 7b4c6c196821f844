"""Bundles by page: a laptop's onto a stick, and the answer from it; the centre takes one, and gives the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from flask import Blueprint, Response, g, redirect, render_template, request, send_file, session, url_for
from flask.typing import ResponseReturnValue

from aidvisit.errors import Problem
from aidvisit.services import bundle as service
from aidvisit.services import upload
from aidvisit.services.sync import own_device
from aidvisit.web import auth
from aidvisit.web.pages import sync
from sync.bundle import MAX_FILE, MEDIA_TYPE

field = Blueprint("stick", __name__, url_prefix="/sync")
central = Blueprint("bundles", __name__, url_prefix="/bundles")


@contextmanager
def _sent() -> Iterator[BinaryIO]:
    """The file that a form brought, whole or in parts before. Raises: Problem `bundle-missing`."""
    if parts := request.form.get("parts"):
        with upload.whole(_key(), _number(parts)) as file:
            yield file
        return
    chosen = request.files.get("bundle")
    if chosen is None or not chosen.filename:
        raise Problem("bundle-missing")
    yield cast(BinaryIO, chosen.stream)


def _key() -> str:
    return str(session[auth.SESSION])


def _part() -> ResponseReturnValue:
    """A piece of a file that is too large for one request."""
    upload.append(_key(), _number(request.args.get("at", "")), request.get_data(), MAX_FILE)
    return Response(status=204)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 12:
        raise Problem("bundle-missing")
    return int(text)


# --- on a laptop ---------------------------------------------------------------------------------------------


@field.post("/bundle", endpoint="give")
def give() -> ResponseReturnValue:
    """What waits, as a file. It is not noted as sent: only an answer says what arrived."""
    try:
        file = service.written()
    except Problem as problem:
        return sync.page(problem), problem.status
    return send_file(file, mimetype=MEDIA_TYPE, as_attachment=True, download_name=service.name_of(own_device()))


@field.post("/answer", endpoint="bring")
def bring() -> ResponseReturnValue:
    """The centre's answer, from the stick."""
    try:
        with _sent() as file:
            learned = service.read(file)
    except Problem as problem:
        if problem.name == "device-revoked":
            raise
        return sync.page(problem), problem.status
    address = url_for(
        "sync.page", through=learned.through, pulled=learned.pulled, older=1 if learned.older else None,
        again=1 if learned.stopped is not None else None, _anchor="stick",
    )  # fmt: skip
    return redirect(address, 303)


@field.post("/answer/part", endpoint="part")
def answer_part() -> ResponseReturnValue:
    return _part()


# --- at the centre -------------------------------------------------------------------------------------------


@central.get("", endpoint="page")
def page(problem: Problem | None = None) -> str:
    return render_template("bundle/page.html", outcomes=service.outcomes(g.scope), problem=problem)


@central.post("", endpoint="take")
def take() -> ResponseReturnValue:
    """One bundle. What became of it stands on the page, beside the answer to bring back."""
    try:
        with _sent() as file:
            outcome = service.take(file, actor=auth.actor(), scope=g.scope)
    except Problem as problem:
        return page(problem), problem.status
    return redirect(url_for("bundles.page", taken=outcome.device, _anchor=outcome.device), 303)


@central.post("/part", endpoint="part")
def bundle_part() -> ResponseReturnValue:
    return _part()


@central.get("/<device>/answer", endpoint="answer")
def answer(device: str) -> ResponseReturnValue:
    """The last answer for a laptop, as often as one likes. Raises: Problem `unknown-device`, `not-found`."""
    path = service.answer_of(device, g.scope)
    return send_file(path, mimetype=MEDIA_TYPE, as_attachment=True, download_name=f"answer-{path.name[-18:]}")
