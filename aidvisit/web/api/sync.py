"""The central end of the sync protocol over HTTP (docs/protocol.md section 3): bytes in, one call, bytes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from aidvisit import __version__
from aidvisit.errors import Problem
from aidvisit.services.sync import sign_answer
from aidvisit.store.database import transaction
from aidvisit.store.ledger import House
from sync import clock, dictionary, enrolment, server
from sync.op import loads
from sync.problem import MEDIA_TYPE
from sync.proof import NONCE, SIGNATURE, is_nonce
from sync.wire import MAX_BYTES, pack, too_large, unpack

blueprint = Blueprint("sync_api", __name__, url_prefix="/sync/v1")

# The protocol knows one name for a centre that cannot just now; what ails it is the centre's business.
PASSING = {"database-locked", "disk-full"}
RETRY_S = 10


def token() -> str | None:
    """What the asking device shows."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return shown.strip() if scheme.lower() == "bearer" and shown.strip() else None


def body(limit: int = MAX_BYTES) -> bytes:
    """The decoded body, never more of it than the protocol allows."""
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    raw = request.stream.read(limit + 1)
    return unpack(raw, request.headers.get("Content-Encoding"), limit)


def answer(status: int, document: dict[str, Any], media_type: str = "application/json") -> Response:
    """A document, packed as the asking device reads it."""
    data = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    # Whoever packs with a dictionary reads what is packed with it. Nobody keeps an answer to a POST: no Vary.
    known = dictionary.number_of(request.headers.get("Content-Encoding", "")) or 0
    packed, encoding = pack(data, request.headers.get("Accept-Encoding"), known)
    response = Response(packed, status, content_type=media_type)
    if encoding:
        response.headers["Content-Encoding"] = encoding
    return signed(response, data)


def signed(response: Response, data: bytes) -> Response:
    """With our word for it, where the asking device wants that; `data`: the body before it was packed."""
    nonce = request.headers.get(NONCE, "")
    seen = b"" if request.method == "HEAD" else data
    if is_nonce(nonce) and (signature := sign_answer(nonce, seen)) is not None:
        response.headers[SIGNATURE] = signature
    return response


def answer_problem(problem: Problem, language: str = "zh") -> Response:
    """A refusal as RFC 9457 says it, in words of this language."""
    if problem.name in PASSING:
        problem = Problem("unavailable", retry_after=RETRY_S)
    said = {"detail": problem.detail or problem.words(language)}
    response = answer(problem.status, problem.to_dict() | said, MEDIA_TYPE)
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _authorised(work: Callable[[str | None, bytes], dict[str, Any]]) -> Response:
    """The token is checked before a single byte of the body is looked at."""
    shown = token()
    with transaction() as conn:
        enrolment.device_of_token(conn, shown)
    return answer(200, work(shown, body()))


@blueprint.post("/enrol")
def enrol() -> Response:
    address = request.remote_addr or "unknown"
    document = enrolment.enrol(transaction, House(), loads(body()), token(), address, clock.wall())
    return answer(201, document)


@blueprint.post("/push")
def push() -> Response:
    return _authorised(lambda token, raw: server.push(transaction, House(), token, raw, clock.wall()))


@blueprint.post("/pull")
def pull() -> Response:
    return _authorised(lambda token, raw: server.pull(transaction, House(), token, raw, clock.wall(), __version__))


@blueprint.errorhandler(Problem)
def refused(problem: Problem) -> Response:
    return answer_problem(problem)
