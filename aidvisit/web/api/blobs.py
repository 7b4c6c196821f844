"""Blobs over HTTP (docs/protocol.md section 3): what is here of one, bytes that come, bytes that go."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.http import parse_range_header

from aidvisit.errors import Problem
from aidvisit.store.database import transaction
from aidvisit.store.ledger import House
from aidvisit.web.api.sync import answer_problem, body, signed, token
from sync import clock, uploads
from sync.op import malformed
from sync.uploads import Held
from sync.wire import MAX_BLOB, too_large

blueprint = Blueprint("blob_api", __name__, url_prefix="/sync/v1/blobs")

# What a browser shows as a picture; anything else that a device calls its blob travels as bytes.
PICTURES = {"image/jpeg", "image/png", "image/webp", "image/svg+xml"}


@blueprint.patch("/<name>")
def append(name: str) -> Response:
    shown = token()
    uploads.admit(transaction, shown, name)
    offset, length = _header("Upload-Offset"), _header("Upload-Length")
    if length > MAX_BLOB:
        raise too_large(MAX_BLOB)
    data = body(MAX_BLOB)
    return _told(204, uploads.append(transaction, shown, name, offset, length, data, clock.wall()))


@blueprint.get("/<name>")
def read(name: str) -> Response:
    if request.method == "HEAD":
        return _told(200, uploads.state(transaction, House(), token(), name))
    media_type, data = uploads.read(transaction, House(), token(), name)
    asked = parse_range_header(request.headers.get("Range"))
    part, status, size = data, 200, len(data)
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{name}"'}
    # Several ranges at once may be answered by the whole (RFC 9110, 14.2).
    if asked is not None and asked.units == "bytes" and len(asked.ranges) == 1:
        found = asked.range_for_length(size)
        if found is None:
            raise Problem("range-not-satisfiable", size=size)
        part, status = data[found[0] : found[1]], 206
        headers["Content-Range"] = f"bytes {found[0]}-{found[1] - 1}/{size}"
    shown = media_type if media_type in PICTURES else "application/octet-stream"
    return signed(Response(part, status, headers, content_type=shown), part)


def _header(name: str) -> int:
    """A header that is a whole number of 0 or more. Raises: Problem `malformed`."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise malformed(f"{name} is not a number of bytes")
    return int(text)


def _told(status: int, held: Held) -> Response:
    response = Response(status=status)
    response.headers["Upload-Offset"] = str(held.offset)
    if held.length is not None:
        response.headers["Upload-Length"] = str(held.length)
    if held.whole:
        response.headers["Upload-Complete"] = "?1"
    return signed(response, b"")


@blueprint.errorhandler(Problem)
def refused(problem: Problem) -> Response:
    response = answer_problem(problem)
    if problem.name == "offset-mismatch":
        response.headers["Upload-Offset"] = str(problem.members["offset"])
        if problem.members.get("complete"):
            response.headers["Upload-Complete"] = "?1"
    if problem.name == "range-not-satisfiable":
        response.headers["Content-Range"] = f"bytes */{problem.members['size']}"
    return response
