"""What stays of a fact when the personal data in it are erased: codes, quantities, dates, and who recorded it.

The schemas say it field by field (`fields.is_personal`); what they do not know goes, for it may be anything. What stays
fits its schema again, so that every reader of facts can read it.
Source: docs/facts.md, "Erasing"; docs/adr/0023-what-an-erasure-leaves.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields

from aidvisit.domain.facts import KINDS
from aidvisit.domain.facts.fields import NOTE, Body, IdOrText, Many, Part, Strict, Text, is_personal
from aidvisit.domain.facts.household import Member
from aidvisit.domain.facts.update import BasePaths, SetPaths, fields_of, leaf_at
from sync.op import is_uuid

BLANK: Final = "已清除"
"""In the place of a name or reason that a fact must have. A word and no gap: lists, papers and files stay readable."""

_GONE: Final = object()
_PATH = re.compile(r"[a-z_]+(\.[0-9a-z_-]+)*")
Json = dict[str, Any]


def remainder(kind: str, body: Mapping[str, Any]) -> Json:
    """The body of a fact without personal data; of one that this version cannot read, nothing. Once more: the same."""
    return _object(KINDS[kind].schema, body) if kind in KINDS else {}


def without(kind: str, body: Mapping[str, Any], members: Collection[str], *, named: bool = False) -> Json:
    """The body of a fact of a household without what it says of these members.

    What is about one of them alone becomes its remainder. `named`: its free texts name one of them and go, too.
    """
    if kind not in KINDS:
        return {}
    if kind.startswith(("visit.", "delivery.")):
        about = {body.get("member"), body.get("for")} & set(members)
        return remainder(kind, body) if about or named else dict(body)
    left = dict(body)
    if "members" in left:
        left["members"] = _people(left["members"], members)
    if isinstance(left.get("add"), dict) and "members" in left["add"]:
        left["add"] = left["add"] | {"members": _people(left["add"]["members"], members)}
    if isinstance(left.get("set"), dict):
        left["set"] = _edits(KINDS[kind].schema, left["set"], members, named=named)
    if named:
        left = {name: value for name, value in left.items() if name not in _notes(KINDS[kind].schema)}
        left |= {name: BLANK for name in ("reason",) if _required(KINDS[kind].schema, name)}
    if left != body:
        left.pop("salt", None)  # with it, who has the digest could try names until one fits
    return left


def _object(of: type[Schema], body: Any) -> Json:
    found = {}
    for name, field in fields_of(of).items():
        if isinstance(body, dict) and name in body:
            left = _left(field, body[name])
            if left is not _GONE:
                found[name] = left
    return found


def _left(field: fields.Field[Any], value: Any) -> Any:
    """What stays of one field; `_GONE` for nothing. What does not fit may be anything, and goes."""
    if isinstance(field, SetPaths):
        return {path: left for path in value if (left := _set(field, path, value[path])) is not _GONE}
    if isinstance(field, BasePaths):
        return {path: names for path, names in value.items() if _PATH.fullmatch(path)} if _fits(field, value) else _GONE
    if is_personal(field):
        kept = isinstance(field, IdOrText) and is_uuid(value)
        blanked = isinstance(field, Text) and (field.required or "blanked" in field.metadata)
        return value if kept else BLANK if blanked else _GONE
    if isinstance(field, Part):
        return _object(type(field.schema), value)
    if isinstance(field, Many):
        parts = [_left(field.inner, one) for one in value] if isinstance(value, list) else []
        return [part for part in parts if part is not _GONE]
    return value if _fits(field, value) else _GONE


def _fits(field: fields.Field[Any], value: Any) -> bool:
    try:
        field.deserialize(value)
    except ValidationError:
        return False
    return isinstance(field, Strict)


def _set(field: SetPaths, path: str, value: Any) -> Any:
    """What stays of an edit of one field: a personal one is cleared, or has the word that stands for what went."""
    leaf = leaf_at(field.of, path)
    if leaf is None:
        return _GONE
    if leaf.personal:
        named = not leaf.clearable or "blanked" in leaf.field.metadata
        return BLANK if named and value is not None else None
    left = value if value is None else _left(leaf.field, value)
    return None if left is _GONE and leaf.clearable else left


def _people(people: Any, members: Collection[str]) -> Any:
    return [_person(one, members) for one in people] if isinstance(people, list) else people


def _person(one: Any, members: Collection[str]) -> Any:
    if not isinstance(one, dict):
        return one
    if one.get("id") in members:
        return _object(Member, one)
    guardian = one.get("guardian")
    if isinstance(guardian, dict) and guardian.get("member") in members:
        return {name: value for name, value in one.items() if name != "guardian"}
    return one


def _edits(of: type[Body], set_: Json, members: Collection[str], *, named: bool) -> Json:
    field = fields_of(of)["set"]
    assert isinstance(field, SetPaths)
    guarded = {path.rpartition(".")[0] for path, value in set_.items() if path.endswith(".member") and value in members}
    left = {}
    for path, value in set_.items():
        leaf = leaf_at(field.of, path)
        note = named and leaf is not None and isinstance(leaf.field, Text) and leaf.field.longest >= NOTE
        gone = path.split(".")[1:2] and path.split(".")[0] == "members" and path.split(".")[1] in members
        if gone or note or path.rpartition(".")[0] in guarded:
            value = _set(field, path, value)
        if value is not _GONE:
            left[path] = value
    return left


def _notes(of: type[Body]) -> set[str]:
    """The free texts of a fact that are no names."""
    return {name for name, field in fields_of(of).items() if isinstance(field, Text) and field.longest >= NOTE}


def _required(of: type[Body], name: str) -> bool:
    return name in fields_of(of) and bool(fields_of(of)[name].required)
