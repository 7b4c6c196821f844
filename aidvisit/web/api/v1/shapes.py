"""Shapes of what comes and goes: the schemas of the facts, made to refuse what they do not know."""

from __future__ import annotations

import copy
from functools import cache
from types import new_class
from typing import Any

from marshmallow import INCLUDE, RAISE, Schema, fields

from aidvisit.domain.facts.fields import Body, Identity, Many, Part, Text

_UNKNOWN = {"unknown": "没有这个字段。 / There is no such field."}


class Exact(Schema):
    """Refuses fields that it does not know."""

    class Meta:
        unknown = RAISE

    error_messages = _UNKNOWN


@cache
def closed(schema: type[Body], name: str, *without: str) -> type[Body]:
    """A fact's schema as another system may send it: without some fields, and with none that it does not know.

    A fact keeps what a later version may have added; who writes here writes for this version.
    """
    inner = {key: _closed(field) for key, field in schema._declared_fields.items()}
    more = {
        "Meta": type("Meta", (), {"unknown": RAISE, "exclude": without}),
        "error_messages": {**schema.error_messages, **_UNKNOWN},
        "__doc__": schema.__doc__,
    }
    return new_class(name, (schema,), exec_body=lambda namespace: namespace.update(inner | more))


def _closed(field: fields.Field[Any]) -> fields.Field[Any]:
    made = copy.copy(field)
    if isinstance(made, Many):
        made.inner = _closed(made.inner)
    elif isinstance(made, Part):
        inner = made.nested
        assert isinstance(inner, type)
        assert issubclass(inner, Body)
        made.nested = closed(inner, f"New{inner.__name__}")
    return made


def whole(value: Any) -> Any:
    """A JSON value whose numbers without a fraction are whole numbers: JSON knows only one kind of number."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Made(Schema):
    """What a write left behind: the id of what it is about, and the op that says so (docs/protocol.md, section 1)."""

    id = Identity(required=True, metadata={"description": "Of what the write is about"})
    op = Text(metadata={"description": "`<device>/<seq>` of the op; absent when there was nothing to change"})


class ProblemDocument(Schema):
    """RFC 9457. `type` is `urn:aidvisit:problem:<name>`; members beyond these depend on it."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "Of `invalid-form` and `invalid-body`: messages by path of the field"},
    )
