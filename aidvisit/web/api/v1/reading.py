"""How reads are answered: a mark of what was read, and nothing at all where that is known already."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flask import Response, jsonify, request

from aidvisit import __version__


def shown(document: dict[str, Any], version: str = "") -> Response:
    """A document; `version`: of the one thing that it shows, where an edit may ask for it."""
    response: Response = jsonify(document)
    if version:
        response.set_etag(version)
    return response


def version_of(*names: str) -> str:
    """Changes with the ops that something was made by, and with the program that shows it."""
    return sha256(" ".join((__version__, *names)).encode()).hexdigest()[:32]


def conditional(response: Response) -> Response:
    """304 where whoever asks has it already."""
    if request.method not in ("GET", "HEAD") or response.status_code != 200:
        return response
    if response.get_etag()[0] is None:
        response.set_etag(sha256(response.get_data()).hexdigest()[:32])
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response
