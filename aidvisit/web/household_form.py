"""The form of a household: a body as fields of a form, and what was typed as a body again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from werkzeug.datastructures import MultiDict

from aidvisit.domain import mask
from aidvisit.domain.category import too_young
from aidvisit.domain.edit import FIELDS, OF_MEMBER
from aidvisit.domain.facts import KINDS, check
from aidvisit.domain.person import Finding, checks, completed
from aidvisit.domain.stream import town_of
from aidvisit.domain.text import tidy
from sync.op import is_uuid

Typed = MultiDict[str, str]
Shown = Callable[[str, Any], Any]
Errors = dict[str, list[str]]

KINDS_OF = ("household", "institution")
DETAILS = ("since", "until", "grade", "certificate")
DEGREE = 10_000_000
_SQUEEZED = ("id_number", "phone")
_DAY = re.compile(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})\D?")


class UnreadError(Exception):
    """What is wrong with a field that cannot be read."""


def fields_of(body: Mapping[str, Any], shown: Shown = mask.field) -> Typed:
    """A body as the form shows it: one field a path, members by their id in `member`, categories ticked by code.

    An empty `member` and an empty `categories` say that the form has them, also when there is none.
    """
    typed: Typed = MultiDict({"kind": body.get("kind", "household"), "member": ""})
    for path in FIELDS:
        _put(typed, path, _at(body, path), shown)
    _put_categories(typed, "", body.get("categories", []))
    for member in body.get("members", []):
        prefix = f"members.{member['id']}."
        typed.add("member", member["id"])
        for path in OF_MEMBER:
            if path == "categories":
                _put_categories(typed, prefix, member.get("categories", []))
            elif path != "guardian.member":
                _put(typed, prefix + path, _at(member, path), shown)
    return typed


def read(typed: Typed, then: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], Errors]:
    """What was typed as a body, and what is wrong with it by field.

    `then`: the body that the form was made from. What was shown masked and is unchanged stays as it was, and so does
    what the form did not show: it is not in `typed` at all.
    """
    before, errors = then or {}, Errors()
    reader = _Reader(typed, errors)
    body: dict[str, Any] = {"kind": typed.get("kind") if typed.get("kind") in KINDS_OF else "household", "head": {}}
    for path in FIELDS:
        value = reader.value(path, _at(before, path))
        if value is not None:
            parent, _, name = path.rpartition(".")
            (body[parent] if parent else body)[name] = value
    body["head"] = _by_number(body["head"], before.get("head", {}))
    body["categories"] = reader.categories("", before.get("categories", []))
    held = {member["id"]: member for member in before.get("members", [])}
    ids = [one for one in dict.fromkeys(typed.getlist("member")) if is_uuid(one)] if "member" in typed else held
    people = [reader.member(one, held.get(one, {})) for one in ids]
    for member in people:
        _guarded(member, held.get(member["id"], {}), people)
    body |= {"members": people} if people else {}
    return body, errors


def faults(body: Mapping[str, Any], subject: str) -> Errors:
    """What a fact would be refused for, by field of the form."""
    division = body.get("division") or ""
    found = check("household.registered", KINDS["household.registered"].v, town_of(division), subject, dict(body))
    found.pop("stream", None)  # said of the village
    return {_field(path, body): messages for path, messages in found.items()}


def odd(body: Mapping[str, Any], then: Mapping[str, Any] | None, on: str) -> dict[str, list[Finding]]:
    """By field, what is odd about the people of a household and was not before."""
    before = _people(then or {})
    found: dict[str, list[Finding]] = {}
    for prefix, person in _people(body).items():
        known = set(_findings(prefix, before.get(prefix, {}), on))
        for path, finding in _findings(prefix, person, on):
            if (path, finding) not in known:
                found.setdefault(path, []).append(finding)
    return found


def _people(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """By the beginning of their fields; the head has the categories of the household."""
    head = {**body.get("head", {}), "categories": body.get("categories", [])}
    return {"head.": head} | {f"members.{one['id']}.": one for one in body.get("members", [])}


def _findings(prefix: str, person: Mapping[str, Any], on: str) -> Iterator[tuple[str, Finding]]:
    yield from ((prefix + finding.field, finding) for finding in checks(person, on))
    codes = [one["code"] for one in person.get("categories", [])]
    for code, finding in too_young(codes, person.get("born"), on):
        yield f"{prefix.removeprefix('head.')}categories.{code}", finding


def one_value(path: str, text: str, before: Any = None) -> Any:
    """What was typed into one field, None for nothing. Raises: UnreadError."""
    text = _plain(text)
    return _READERS.get(path.rpartition(".")[2], _same)(text, before) if text else None


def squeezed(text: str) -> str:
    """A number as people write it (full width, blanks in between) as it is kept."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


class _Reader:
    def __init__(self, typed: Typed, errors: Errors) -> None:
        self.typed, self.errors = typed, errors

    def value(self, path: str, before: Any) -> Any:
        """The value of one field, None when it is empty."""
        if path not in self.typed:
            return before
        text = _plain(self.typed.get(path, ""))
        if before is not None and text == _plain(_words(path, before, mask.field)):
            return before
        try:
            return one_value(path, text, before)
        except UnreadError as wrong:
            self.errors.setdefault(path, []).append(str(wrong))
            return before

    def categories(self, prefix: str, before: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Those that are ticked, in the order that they had, new ones last."""
        held = {one["code"]: dict(one) for one in before}
        if prefix + "categories" not in self.typed:
            return list(held.values())
        ticked = dict.fromkeys(code for code in self.typed.getlist(prefix + "categories") if code)
        found = []
        for code in sorted(ticked, key=lambda one: list(held).index(one) if one in held else len(held)):
            one = held.get(code, {"code": code})
            for name in DETAILS:
                value = self.value(f"{prefix}categories.{code}.{name}", one.get(name))
                one = (
                    {key: inner for key, inner in one.items() if key != name} if value is None else one | {name: value}
                )
            found.append(one)
        return found

    def member(self, identity: str, before: Mapping[str, Any]) -> dict[str, Any]:
        prefix = f"members.{identity}."
        known = {name for path in OF_MEMBER for name in path.split(".")[:1]}
        person = {"id": identity} | {name: value for name, value in before.items() if name not in known}
        guardian: dict[str, Any] = {}
        for path in OF_MEMBER:
            if path in ("categories", "guardian.member"):
                continue
            value = self.value(prefix + path, _at(before, path))
            if value is not None:
                name = path.removeprefix("guardian.")
                (guardian if name != path else person)[name] = value
        if guardian:
            person["guardian"] = guardian
        categories = self.categories(prefix, before.get("categories", []))
        if categories or before.get("categories") == []:
            person["categories"] = categories
        return _by_number(person, before)


def _by_number(person: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """A number that was just typed says birth date and sex where they are empty."""
    return person if person.get("id_number") == before.get("id_number") else completed(person)


def _guarded(member: dict[str, Any], before: Mapping[str, Any], people: list[dict[str, Any]]) -> None:
    """A guardian who is named like one other person of the household is that person."""
    guardian, held = member.get("guardian"), before.get("guardian") or {}
    if not guardian:
        return
    if guardian.get("name") == held.get("name"):
        found = [held["member"]] if "member" in held else []
    else:
        found = [one["id"] for one in people if one is not member and one.get("name") == guardian.get("name")]
    if len(found) == 1:
        guardian["member"] = found[0]


def _at(body: Mapping[str, Any], path: str) -> Any:
    value: Any = body
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _put(typed: Typed, path: str, value: Any, shown: Shown) -> None:
    typed[path] = "" if value is None else _words(path, value, shown)


def _put_categories(typed: Typed, prefix: str, held: Iterable[Mapping[str, Any]]) -> None:
    typed.add(prefix + "categories", "")
    for one in held:
        typed.add(prefix + "categories", one["code"])
        for name in DETAILS:
            _put(typed, f"{prefix}categories.{one['code']}.{name}", one.get(name), mask.field)


def _words(path: str, value: Any, shown: Shown) -> str:
    if path in ("lat", "lon"):
        return f"{Decimal(value) / DEGREE:f}"
    return str(shown(path, value))


def _plain(text: str) -> str:
    return tidy(text.replace("\r\n", "\n"))


def _same(text: str, _before: Any) -> Any:
    return text


def _number_text(text: str, _before: Any) -> Any:
    return squeezed(text).upper()


def _note(text: str, before: Any) -> Any:
    return mask.restored(text, before) if before else text


def day(text: str, _before: Any = None) -> str:
    """A day as people write it: 1949-12-31, 1949.12.31, 19491231, 1949年12月31日. Raises: UnreadError."""
    found = _DAY.fullmatch(squeezed(text))
    try:
        return date(*map(int, found.groups())).isoformat() if found else _raise()
    except (ValueError, UnreadError):
        raise UnreadError("请填真实的日期,如 1949-12-31。 / Give a real date like 1949-12-31.") from None


def _raise() -> str:
    raise UnreadError


def _whole(text: str, _before: Any) -> int:
    digits = squeezed(text)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise UnreadError("请填 0 或更大的整数。 / A whole number of 0 or more.")
    return int(digits)


def _degrees(text: str, _before: Any) -> int:
    try:
        value = Decimal(squeezed(text)) * DEGREE
        if value.is_finite() and value == int(value):
            return int(value)
        return int(value.to_integral_value())
    except (InvalidOperation, ValueError, OverflowError):
        raise UnreadError("请填度数,如 23.1170000。 / Give degrees, like 23.1170000.") from None


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "id_number": _number_text,
    "phone": lambda text, _before: squeezed(text) if any(map(str.isdigit, text)) else text,
    "born": day,
    "since": day,
    "until": day,
    "size": _whole,
    "lat": _degrees,
    "lon": _degrees,
    "note": _note,
}

_PLACES = {"categories": "code", "members": "id"}


def _field(path: str, body: Mapping[str, Any]) -> str:
    """`members.0.name` is `members.<id>.name` in the form, and so are categories by their code."""
    at: Any = body
    found: list[str] = []
    for step in path.split("."):
        if isinstance(at, list) and step.isdigit() and int(step) < len(at):
            at = at[int(step)]
            found.append(at.get(_PLACES.get(found[-1], ""), step))
        else:
            at = at.get(step, {}) if isinstance(at, Mapping) else {}
            found.append(step)
    return ".".join(found)
