"""What everybody shares: divisions, hardship categories, items, places. By the centre."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain.division import parent
from aidvisit.domain.facts import category_subject, division_subject, item_subject, place_subject
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.text import tidied
from aidvisit.errors import Problem
from aidvisit.services.bodies import filled
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import catalog
from aidvisit.store.queries.catalog import Defined, Noun
from aidvisit.store.queries.importing import category_words
from sync import log

ORG = "org"


def define(
    noun: Noun, body: Mapping[str, Any], *, actor: str, seen: str | None = None, scope: Scope = EVERYTHING
) -> bool:
    """Add a category, item or place, or change one: its whole value by its code. Whether anything was recorded.

    `seen`: the definition that whoever changes it had in view (`Defined.seen`); None: the code is to be a new one.
    Raises: Problem `code-taken`, `unknown-code`, `everybodys`, `place-outside`, `changed-meanwhile`, `word-taken`,
    `unit-in-use`, `unknown-division`, `invalid-body`.
    """
    body = {name: value for name, value in tidied(dict(body)).items() if value not in (None, "")}
    with transaction() as conn:
        log.lock_device(conn, log.own(conn))
        before = catalog.definition(conn, noun, body["code"])
        if before is not None and seen is not None and not may_change(noun, before.body, scope):
            raise Problem("everybodys", held=before.name)
        if noun == "place" and not may_change(noun, body, scope):
            raise Problem("place-outside", code=body.get("division", "—"))
        _new_or_seen(body["code"], before, seen)
        CHECKS[noun](conn, body, before)
        if before is not None and before.body == body:
            return False
        ledger.record(conn, actor, MAKE[noun](body))
        return True


def may_change(noun: Noun, body: Mapping[str, Any], scope: Scope) -> bool:
    """What stands in a place is changed by who answers for there, what is everybody's by who answers for everything.

    A category or an item that nobody has yet may be added by any office (docs/security.md, "Who may do what").
    """
    return scope.everything or (noun == "place" and scope.place(body.get("division", "")))


def _new_or_seen(code: str, before: Any, seen: str | None) -> None:
    if seen is None and before is not None:
        raise Problem("code-taken", code=code, held=before.name)
    if seen is not None and before is None:
        raise Problem("unknown-code", code=code)
    if seen is not None and seen != before.seen:
        raise Problem("changed-meanwhile")


def _check_category(conn: Connection, body: Mapping[str, Any], _before: Defined | None) -> None:
    """No word may mean two categories: lists are read by it."""
    for word in (body["name"], *body["synonyms"]):
        code = category_words(conn).get(word, body["code"])
        if code != body["code"]:
            held = catalog.definition(conn, "category", code)
            raise Problem("word-taken", word=word, held=held.name if held else code)


def _check_item(conn: Connection, body: Mapping[str, Any], before: Defined | None) -> None:
    """What was counted in bags is not suddenly boxes."""
    old = (before.body["unit"], before.body["class"] == "cash") if before else None
    if old not in (None, (body["unit"], body["class"] == "cash")) and catalog.item_used(conn, body["code"]):
        raise Problem("unit-in-use", code=body["code"], unit=before.body["unit"] if before else "")


def _check_place(conn: Connection, body: Mapping[str, Any], _before: Defined | None) -> None:
    code = body.get("division")
    if code and not catalog.own_names(conn, [code]):
        raise Problem("unknown-division", code=code)


def seed(*, actor: str, around: str = "") -> int:
    """What a new centre starts with, in one transaction; the number of facts.

    `around`: only divisions that this one lies in, and those that lie in it.
    """
    with transaction() as conn:
        return len(ledger.record(conn, actor, *_seeds(around)))


def _seeds(around: str) -> Iterator[Fact]:
    data = files("aidvisit").joinpath("data")
    for row in csv.DictReader(data.joinpath("towns.csv").read_text(encoding="utf-8").splitlines()):
        if around.startswith(row["code"]) or row["code"].startswith(around):
            yield division_fact(row)
    catalogue = tomllib.loads(data.joinpath("catalogue.toml").read_text(encoding="utf-8"))
    for table, make in (("category", _category), ("item", item_fact), ("place", _place)):
        yield from map(make, catalogue[table])


def division_fact(body: Mapping[str, Any]) -> Fact:
    """The definition of a division; what it lies in follows from its code."""
    code = body["code"]
    return Fact(ORG, "division.defined", division_subject(code), filled(**body) | filled(parent=parent(code)))


def _category(body: Mapping[str, Any]) -> Fact:
    return Fact(ORG, "category.defined", category_subject(body["code"]), dict(body))


def item_fact(body: Mapping[str, Any]) -> Fact:
    """The definition of an item, for a transaction that records more than that."""
    return Fact(ORG, "item.defined", item_subject(body["code"]), dict(body))


def _place(body: Mapping[str, Any]) -> Fact:
    return Fact(ORG, "place.defined", place_subject(body["code"]), dict(body))


MAKE: dict[Noun, Callable[[Mapping[str, Any]], Fact]] = {"category": _category, "item": item_fact, "place": _place}
CHECKS: dict[Noun, Callable[[Connection, Mapping[str, Any], Defined | None], None]] = {
    "category": _check_category,
    "item": _check_item,
    "place": _check_place,
}
