"""Pages of a list: so many rows, and an opaque cursor for those after them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from marshmallow import fields, validate

from aidvisit.errors import Problem
from aidvisit.web.api.v1.shapes import Exact
from sync.op import is_text

MOST = 200
USUAL = 50
LONGEST = 600


class PageQuery(Exact):
    """What every list may be asked with."""

    limit = fields.Integer(
        load_default=USUAL, validate=validate.Range(1, MOST), metadata={"description": "Rows of a page"}
    )
    cursor = fields.String(
        validate=validate.Length(1, LONGEST),
        metadata={"description": "`next` of the page before; only what came from there"},
    )


def after(query: dict[str, Any], parts: int = 1) -> list[str] | None:
    """The key that a page begins after. Raises: Problem `invalid-form` for a cursor that is none of this list's."""
    text = query.get("cursor")
    if text is None:
        return None
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        key = json.loads(raw)
    except (binascii.Error, UnicodeError, ValueError, RecursionError):
        key = None
    right = isinstance(key, list) and len(key) == parts and all(isinstance(one, str) and is_text(one) for one in key)
    if not right:
        words = "不是上一页给的 next。 / This is not the next of a page before."
        raise Problem("invalid-form", count=1, errors={"cursor": [words]})
    return list(key)


def page(
    rows: Sequence[Any], query: dict[str, Any], key: Callable[[Any], Sequence[str]], show: Callable[[Any], Any]
) -> dict[str, Any]:
    """The document of a page, from its rows and one more if there is one."""
    shown = rows[: query["limit"]]
    more = len(rows) > len(shown) and bool(shown)
    return {"data": [show(row) for row in shown], "next": cursor(key(shown[-1])) if more else None}


def sliced(
    rows: Iterable[Any], query: dict[str, Any], key: Callable[[Any], Sequence[str]], show: Callable[[Any], Any]
) -> dict[str, Any]:
    """As `page`, of rows that are all there: figures have as many as there are days, villages or teams."""
    every = sorted(rows, key=lambda row: tuple(key(row)))
    last = after(query, len(key(every[0]))) if every else None
    left = [row for row in every if last is None or tuple(key(row)) > tuple(last)]
    return page(left[: query["limit"] + 1], query, key, show)


def cursor(key: Sequence[str]) -> str:
    """A key as an opaque text. It holds ids, codes and days, never a name."""
    raw = json.dumps(list(key), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
