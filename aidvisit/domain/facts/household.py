"""Who receives: households and institutions, and what became of them (stream of their town)."""

from __future__ import annotations

from typing import Any

from aidvisit.domain.facts.delivery import name_household
from aidvisit.domain.facts.fields import (
    ADDRESS,
    BLANKED,
    NOTE,
    PERSONAL,
    STAYS,
    Body,
    Date,
    Identity,
    Many,
    OneOf,
    OpName,
    Part,
    Text,
    Whole,
    Why,
    code,
    division,
)
from aidvisit.domain.facts.kind import Errors, KindOf, Names, Reference, Rule, name_subject, no_names, no_rule
from aidvisit.domain.facts.update import SetPaths, Update, elements
from aidvisit.domain.stream import town_of

CLOSING_REASONS = ("moved", "died", "no-longer-eligible", "duplicate", "other")


class Head(Body):
    name = Text(required=True)
    id_number = Text()
    phone = Text()
    born = Date(metadata=PERSONAL)
    sex = Text()


class HeldCategory(Body):
    """A hardship category that the household or person is in."""

    code = code()
    since = Date()
    until = Date()
    grade = Text()
    certificate = Text()


class Guardian(Body):
    """Who answers for a child; `member` when that is somebody of the household."""

    name = Text(required=True)
    relation = Text()
    phone = Text()
    member = Identity()


class Member(Body):
    id = Identity(required=True)
    name = Text(required=True)
    relation = Text()
    id_number = Text()
    born = Date(metadata=PERSONAL)
    sex = Text()
    phone = Text()
    guardian = Part(Guardian, metadata=PERSONAL)
    categories = Many(Part(HeldCategory))


class Brought(Body):
    """The last delivery of an item in the town that the household came from."""

    item = code()
    date = Date(required=True)
    quantity = Whole(1, required=True)


class Household(Body):
    """`lat`, `lon`: 1e-7 degrees. `continues`: the id that it had in another town."""

    kind = OneOf("household", "institution", required=True)
    name = Text(metadata=BLANKED)
    head = Part(Head, required=True)
    division = division(12, required=True)
    address = Text(ADDRESS)
    group = Text()
    size = Whole()
    categories = elements(HeldCategory, "code", required=True)
    members = elements(Member, "id")
    lat = Whole(-900_000_000, 900_000_000, metadata=PERSONAL)
    lon = Whole(-1_800_000_000, 1_800_000_000, metadata=PERSONAL)
    note = Text(NOTE)
    continues = Identity()
    brought = Many(Part(Brought))


class Added(Body):
    categories = Many(Part(HeldCategory))
    members = Many(Part(Member))


class Removed(Body):
    categories = Many(code())
    members = Many(Identity(required=True))


class HouseholdUpdate(Update):
    set = SetPaths(Household)
    add = Part(Added)
    remove = Part(Removed)


class Closed(Body):
    reason = OneOf(*CLOSING_REASONS, required=True)
    date = Date(required=True)
    to = Text(ADDRESS)


class Merged(Body):
    into = Identity(required=True)
    reason = Text(NOTE, required=True)


class Erased(Body):
    """Without `members` it is the whole household. `ops`: facts whose free texts name one of these members.

    `sig`: the centre's, so that a centre that was restored believes it when a laptop gives it back.
    """

    household = Identity(required=True)
    members = Many(Identity(required=True))
    ops = Many(OpName(required=True))
    reason = Text(NOTE, required=True, metadata=STAYS)
    sig = Text(metadata=STAYS)


def _of_this_town(stream: str, division: Any, path: str) -> Errors:
    if division is None or town_of(division) == stream:
        return {}
    return {path: ["不属于这个乡镇。 / This village is not in the town of this stream."]}


def _registered(stream: str, _subject: str, body: dict[str, Any]) -> Errors:
    errors = _of_this_town(stream, body["division"], "division")
    if body["kind"] == "institution" and not body.get("name", "").strip():
        errors["name"] = ["单位必须有名称。 / An institution must have a name."]
    return errors


def _updated(stream: str, _subject: str, body: dict[str, Any]) -> Errors:
    return _of_this_town(stream, body.get("set", {}).get("division"), "set.division")


def _both(_stream: str, subject: str, body: dict[str, Any]) -> list[Reference]:
    return [("household", subject), ("household", body["into"])]


def _kind(kind: str, schema: type[Body], names: Names, rule: Rule = no_rule, *, creates: bool = False) -> KindOf:
    return KindOf(
        kind=kind,
        stream="town",
        schema=schema,
        entity="household",
        personal=True,
        creates=creates,
        names=names,
        rule=rule,
    )


_ITSELF = name_subject("household")

KINDS = (
    _kind("household.registered", Household, no_names, _registered, creates=True),
    _kind("household.updated", HouseholdUpdate, _ITSELF, _updated),
    _kind("household.closed", Closed, _ITSELF),
    _kind("household.reopened", Why, _ITSELF),
    _kind("household.merged", Merged, _both),
    _kind("household.unmerged", Why, _ITSELF),
    KindOf(
        kind="personal-data.erased",
        stream="town",
        schema=Erased,
        entity="erasure",
        by="centre",
        names=name_household,
    ),
)
