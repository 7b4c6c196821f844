"""Bodies of `*.updated`: set/base/add/remove over the fields of another body (docs/protocol.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from marshmallow import Schema, ValidationError, fields

from aidvisit.domain.facts.fields import NOTE, Body, Many, OpName, Part, Strict, Text, is_personal
from sync.op import is_uuid

_OP_NAMES = Many(OpName())


class ByPath(Strict):
    """An object whose keys are paths; what stands at each is read by `read_one`."""

    def read_one(self, path: str, value: Any) -> None:
        raise NotImplementedError(path)

    def read(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError("应为一组字段(对象)。 / This must be an object.")
        errors: dict[str, Any] = {}
        for path, inner in value.items():
            try:
                self.read_one(path, inner)
            except ValidationError as error:
                errors[path] = error.messages
        if errors:
            raise ValidationError(errors)
        return value


class BasePaths(ByPath):
    """By path, the ops whose values the author had in view."""

    def read_one(self, path: str, value: Any) -> None:  # noqa: ARG002
        _OP_NAMES.deserialize(value)


class SetPaths(ByPath):
    """New values of leaves: `head.phone`, `members.<id>.phone`. Unknown paths are kept, null clears."""

    def __init__(self, of: type[Body], **rest: Any) -> None:
        super().__init__(**rest)
        self.of = of

    def read_one(self, path: str, value: Any) -> None:
        leaf = leaf_at(self.of, path)
        if leaf is None or (value is None and leaf.clearable):
            return
        if is_group(leaf.field):
            raise ValidationError(
                "这是一组字段,请逐个修改,或用 add、remove。"
                " / This is a group of fields: set each by itself, or use add and remove."
            )
        leaf.field.deserialize(value)


class Update(Body):
    """What the edits of every noun have in common; a noun adds its own `set`."""

    base = BasePaths()
    reason = Text(NOTE)


def elements(of: type[Body], by: str, **rest: Any) -> Many:
    """A list that is a set: each element is named by its `by` and changed with add and remove."""
    return Many(Part(of), metadata={"elements": by}, **rest)


def whole(of: type[Body], **rest: Any) -> Part:
    """An object that is set as one value."""
    return Part(of, metadata={"whole": True}, **rest)


def is_group(field: fields.Field[Any]) -> bool:
    """Whether a field is no leaf: its parts are edited, not itself."""
    return "elements" in field.metadata or (isinstance(field, Part) and "whole" not in field.metadata)


@cache
def fields_of(of: type[Schema]) -> Mapping[str, fields.Field[Any]]:
    """The fields of a body by the names that they have in JSON."""
    return {field.data_key or name: field for name, field in of().fields.items()}


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where a path leads. What a body may leave out, an edit may clear. `personal`: it, or what it is a part of."""

    field: fields.Field[Any]
    clearable: bool
    personal: bool


def leaf_at(of: type[Body], path: str) -> Leaf | None:
    """The field that a path leads to; None when this version does not know the path.

    In a set of elements with ids, the next step is the element's id: `members.<id>.phone`.
    """
    first, *steps = path.split(".")
    field = fields_of(of).get(first)
    optional, personal = False, field is not None and is_personal(field)
    while steps and field is not None and is_group(field):
        step = steps.pop(0)
        if isinstance(field, Part):
            optional = optional or not field.required
            field = fields_of(type(field.schema)).get(step)
        elif field.metadata["elements"] == "id" and isinstance(field, Many) and is_uuid(step):
            element = field.inner
            assert isinstance(element, Part)
            field = fields_of(type(element.schema)).get(steps.pop(0)) if steps else element
        else:
            field = None
        personal = personal or (field is not None and is_personal(field))
    return None if steps or field is None else Leaf(field, optional or not field.required, personal)
