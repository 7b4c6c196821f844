"""How writes are asked and answered: a key that makes them safe to send again, a version that an edit is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, g, jsonify, request
from marshmallow import Schema, fields, validate

from aidvisit.errors import Problem
from aidvisit.services.once import once
from aidvisit.web.api.v1.shapes import whole
from sync.log import Entry

Document = dict[str, Any]


def sent() -> Any:
    """The body, as its schema has read it."""
    return whole(request.get_json())


class KeyHeader(Schema):
    key = fields.String(
        required=True,
        data_key="Idempotency-Key",
        validate=[
            validate.Length(1, 255, error="应为 1 到 255 个字符。 / This must have 1 to 255 characters."),
            validate.Regexp(r"[!-~]+\Z", error="只能用 ASCII 字符。 / This must be ASCII."),
        ],
        metadata={"description": "Of your choosing, new for each write; the same again gets the same answer"},
    )


class VersionHeader(Schema):
    version = fields.String(
        data_key="If-Match",
        metadata={"description": "The `ETag` that was read. Without it: 428; of an older version: 412"},
    )


def written(headers: dict[str, Any], work: Callable[[], Document], where: str = "") -> Response:
    """201 with what was made, the same each time. `where`: the address of the list that it is in.

    Raises: Problem `key-reused`, and what the work raises.
    """
    asked = [request.method, request.path, sent()]
    done = once(g.bearer.token.id, headers["key"], asked, work)
    response: Response = jsonify(done.said)
    response.status_code = 201
    if where:
        response.headers["Location"] = f"{where}/{done.said['id']}"
    if done.again:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def made(identity: str, entry: Entry | None) -> Document:
    """What a write left behind; an edit that changes nothing has no op."""
    return {"id": identity} | ({"op": entry.name} if entry else {})


def match(headers: dict[str, Any], version: str) -> None:
    """Whether an edit is of this version. Raises: Problem `precondition-required`, `precondition-failed`."""
    asked = headers.get("version")
    if asked is None:
        raise Problem("precondition-required")
    if version not in {tag.strip().strip('"') for tag in asked.split(",")} and asked.strip() != "*":
        raise Problem("precondition-failed")
