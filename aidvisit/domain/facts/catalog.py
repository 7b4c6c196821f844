"""What everybody shares: divisions, categories, items, places, teams and devices (stream `org`)."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from aidvisit.domain.facts.fields import (
    NOTE,
    Body,
    Contact,
    Identity,
    Many,
    Matching,
    OneOf,
    Part,
    Text,
    Whole,
    Why,
    code,
    division,
)
from aidvisit.domain.facts.kind import KindOf
from aidvisit.domain.facts.update import SetPaths, Update


class Division(Body):
    code = division(required=True)
    name = Text(required=True)
    parent = division()
    contact = Part(Contact)


class Category(Body):
    code = code()
    name = Text(required=True)
    level = OneOf("household", "person", required=True)
    synonyms = Many(Text(required=True), required=True)
    basis = Text(NOTE)


class Item(Body):
    """`value_fen`: worth of one unit. Cash is an item whose unit is `fen`."""

    code = code()
    name = Text(required=True)
    unit = Text(required=True)
    spec = Text()
    class_ = OneOf("food", "cash", "school", "health", "household_goods", "service", required=True, data_key="class")
    repeat_days = Whole()
    value_fen = Whole()


class DefinedPlace(Body):
    code = code()
    name = Text(required=True)
    kind = OneOf("warehouse", "fund", "donor", "held", required=True)
    division = division()
    holder = Part(Contact)


class Team(Body):
    """`level`: 1 to 3, 总队, 支队, 分队. A county in `divisions` stands for its towns."""

    name = Text(required=True)
    type = OneOf("team", "professional", "base", required=True)
    level = Whole(1, 3, required=True)
    parent = Identity()
    divisions = Many(division(required=True), required=True)


class TeamUpdate(Update):
    set = SetPaths(Team)


class Enrolled(Body):
    name = Text(required=True)
    public_key = Matching(
        "[A-Za-z0-9_-]{43}",
        "应为 32 字节公钥(base64url)。 / This must be a public key of 32 bytes in base64url.",
        required=True,
    )
    team = Identity(required=True)


class Renamed(Body):
    name = Text(required=True)


def division_subject(code: str) -> str:
    """The subject of a division's definitions, wherever they are made: UUIDv5 of a URN of its code."""
    return _subject("division", code)


def category_subject(code: str) -> str:
    return _subject("category", code)


def item_subject(code: str) -> str:
    return _subject("item", code)


def place_subject(code: str) -> str:
    return _subject("place", code)


def _subject(entity: str, code: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"urn:aidvisit:{entity}:{code}"))


def _kind(kind: str, schema: type[Body]) -> KindOf:
    return KindOf(kind=kind, stream="org", by="centre", schema=schema, entity=kind.partition(".")[0])


KINDS = (
    _kind("division.defined", Division),
    _kind("category.defined", Category),
    _kind("item.defined", Item),
    _kind("place.defined", DefinedPlace),
    _kind("team.defined", Team),
    _kind("team.updated", TeamUpdate),
    _kind("device.enrolled", Enrolled),
    _kind("device.renamed", Renamed),
    _kind("device.revoked", Why),
)
