"""The photo of a form: shrunk by the browser into a field, or a file as it is; cleaned here whichever way it came."""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from typing import Any

from flask import g, request

from aidvisit.domain import photo
from aidvisit.errors import Problem
from aidvisit.services.delivery import Blob

Photo = Blob
FIELD, FILE = "photo_data", "photo"
MOST_KEPT = 700 * 1024
"""Bytes of a photo that a refused form still holds: a field has no more than 1 MiB, in base64."""


def chosen(which: str = "") -> Photo | None:
    """The form's photo, with nothing beside the picture; None without one. `which`: of several, as `.2`.

    Raises: Problem `invalid-form`, at `photo` and which.
    """
    data = _sent(which)
    if not data:
        return None
    try:
        clean = named(*photo.cleaned(data))
    except Problem as problem:
        raise _at(which, problem) from problem
    g.photos = g.get("photos", {}) | {which: clean[2]}
    return clean


def kept(which: str = "") -> str:
    """What a refused form holds of its photo, in base64; nothing of one that was no photo."""
    data = _held(which)
    return base64.b64encode(data).decode("ascii") if len(data) <= MOST_KEPT else ""


def lost(which: str = "") -> bool:
    """Whether a photo came that a refused form cannot hold."""
    return len(_held(which)) > MOST_KEPT


def _held(which: str) -> bytes:
    held: dict[str, bytes] = g.get("photos", {})
    return held.get(which, b"")


def _at(which: str, problem: Problem) -> Problem:
    """The refusal of a photo at its own field."""
    errors = problem.members.get("errors", {})
    at = {name + which: said for name, said in errors.items()}
    return Problem("invalid-form", **problem.members | {"errors": at})


def named(media_type: str, data: bytes) -> Blob:
    """What is kept under its hash."""
    return sha256(data).hexdigest(), media_type, data


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 176"><path d="{path}" fill="none" stroke="#000" '
    'stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)


def drawn(strokes: str) -> Blob:
    """A signature as a small drawing (static/sign.js makes its path)."""
    return named("image/svg+xml", SVG.format(path=strokes).encode())


def proof(as_: str, blob: Blob) -> dict[str, Any]:
    """How a fact names it."""
    return {"as": as_, "sha256": blob[0], "bytes": len(blob[2]), "media_type": blob[1]}


def _sent(which: str) -> bytes:
    field = request.form.get(FIELD + which, "")
    file = request.files.get(FILE + which)
    if file is not None and file.filename:  # chosen last, where no script shrank it
        return bytes(file.read())
    try:
        return base64.b64decode(field, validate=True)
    except (binascii.Error, ValueError) as error:
        words = "照片没有传完整,请再选一次。 / Choose the photo again."
        raise Problem("invalid-form", count=1, errors={FILE + which: [words]}) from error
