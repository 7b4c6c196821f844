"""What everybody shares: divisions, hardship categories, items, places. By the centre."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from aidvisit.domain.facts import category_subject, division_subject, item_subject, place_subject
from aidvisit.services.bodies import filled
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.ledger import Fact
from sync.log import Entry

ORG = "org"


def define_division(*, actor: str, code: str, name: str, parent: str | None = None) -> Entry:
    """A province (2 digits) down to a village (12). The last definition of a code is the one that counts."""
    return _define(actor, _division(filled(code=code, name=name, parent=parent)))


def define_category(*, actor: str, code: str, name: str, level: str, synonyms: list[str]) -> Entry:
    """A hardship category; `level`: `household` or `person`; `synonyms`: what lists call it."""
    return _define(actor, _category({"code": code, "name": name, "level": level, "synonyms": synonyms}))


def define_item(
    *,
    actor: str,
    code: str,
    name: str,
    unit: str,
    class_: str,
    spec: str | None = None,
    repeat_days: int | None = None,
    value_fen: int | None = None,
) -> Entry:
    """A thing that is given; `repeat_days`: how long a household waits before it gets the same again."""
    more = filled(spec=spec, repeat_days=repeat_days, value_fen=value_fen)
    return _define(actor, item_fact({"code": code, "name": name, "unit": unit, "class": class_, **more}))


def define_place(*, actor: str, code: str, name: str, kind: str, division: str | None = None) -> Entry:
    """A warehouse, a fund, a donor, or where goods are left in custody (`held`)."""
    return _define(actor, _place(filled(code=code, name=name, kind=kind, division=division)))


def seed(*, actor: str, around: str = "") -> int:
    """What a new centre starts with, in one transaction; the number of facts.

    `around`: only divisions that this one lies in, and those that lie in it.
    """
    with transaction() as conn:
        return len(ledger.record(conn, actor, *_seeds(around)))


def _seeds(around: str) -> Iterator[Fact]:
    data = files("aidvisit").joinpath("data")
    for row in csv.DictReader(data.joinpath("divisions.csv").read_text(encoding="utf-8").splitlines()):
        if around.startswith(row["code"]) or row["code"].startswith(around):
            yield _division(filled(**row))
    catalogue = tomllib.loads(data.joinpath("catalogue.toml").read_text(encoding="utf-8"))
    for table, make in (("category", _category), ("item", item_fact), ("place", _place)):
        yield from map(make, catalogue[table])


def _define(actor: str, fact: Fact) -> Entry:
    with transaction() as conn:
        return ledger.record(conn, actor, fact)[0]


def _division(body: Mapping[str, Any]) -> Fact:
    return Fact(ORG, "division.defined", division_subject(body["code"]), dict(body))


def _category(body: Mapping[str, Any]) -> Fact:
    return Fact(ORG, "category.defined", category_subject(body["code"]), dict(body))


def item_fact(body: Mapping[str, Any]) -> Fact:
    """The definition of an item, for a transaction that records more than that."""
    return Fact(ORG, "item.defined", item_subject(body["code"]), dict(body))


def _place(body: Mapping[str, Any]) -> Fact:
    return Fact(ORG, "place.defined", place_subject(body["code"]), dict(body))
