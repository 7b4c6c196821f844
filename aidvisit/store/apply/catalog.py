"""division, category, item and place .defined → one row for each code: of all definitions the greatest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from aidvisit.domain.facts import check, known
from aidvisit.store.apply.rows import Histories, Values, order_key, upsert
from aidvisit.store.tables import Category, Division, Item, Place
from sync.log import Entry, iterate
from sync.op import Op
from sync.rows import among

Noun = type[Division] | type[Category] | type[Item] | type[Place]
Body = dict[str, Any]


def _division(body: Body) -> Body:
    return {"parent": body.get("parent"), "contact": body.get("contact")}


def _category(body: Body) -> Body:
    return {"level": body["level"], "synonyms": body["synonyms"], "basis": body.get("basis")}


def _item(body: Body) -> Body:
    return {
        "unit": body["unit"],
        "spec": body.get("spec"),
        "item_class": body["class"],
        "repeat_days": body.get("repeat_days"),
        "value_fen": body.get("value_fen"),
    }


def _place(body: Body) -> Body:
    return {"kind": body["kind"], "division": body.get("division"), "holder": body.get("holder")}


NOUNS: dict[str, tuple[Noun, Callable[[Body], Body]]] = {
    "division.defined": (Division, _division),
    "category.defined": (Category, _category),
    "item.defined": (Item, _item),
    "place.defined": (Place, _place),
}


def apply(conn: Connection, entries: Sequence[Entry]) -> None:
    by_kind: dict[str, list[Entry]] = {}
    for entry in entries:
        by_kind.setdefault(entry.op.kind, []).append(entry)
    for kind, defined in by_kind.items():
        noun, own = NOUNS[kind]
        rows = [_row(entry, own) for entry in defined]
        upsert(conn, noun, rows, _all, lambda new, noun=noun: new.order_key > noun.order_key)


def replay(conn: Connection, histories: Histories) -> None:
    """A code may be defined under several subjects, so its other definitions are looked for in the whole stream."""
    codes_of = {kind: _codes(conn, kind, histories) for kind in NOUNS}
    codes_of = {kind: codes for kind, codes in codes_of.items() if codes}
    for kind, codes in codes_of.items():
        noun, _ = NOUNS[kind]
        conn.execute(delete(noun).where(among(conn, noun.code, codes)))
    if codes_of:
        apply(conn, [entry for entry in iterate(conn, "org") if _defines(entry.op, codes_of.get(entry.op.kind, set()))])


def _codes(conn: Connection, kind: str, histories: Histories) -> set[str]:
    noun, _ = NOUNS[kind]
    held = conn.execute(select(noun.code).where(among(conn, noun.subject, histories))).scalars()
    said = {entry.op.body["code"] for entries in histories.values() for entry in entries if entry.op.kind == kind}
    return {*held, *said}


def _defines(op: Op, codes: set[str]) -> bool:
    """Not every op that is held can be read by this version."""
    if op.body.get("code") not in codes or not known(op.kind, op.v):
        return False
    return not check(op.kind, op.v, op.stream, op.subject, op.body)


def _row(entry: Entry, own: Callable[[Body], Body]) -> Values:
    body = entry.op.body
    return {
        "code": body["code"],
        "stream": entry.op.stream,
        "subject": entry.op.subject,
        "name": body["name"],
        "order_key": order_key(entry),
        **own(body),
    }


def _all(new: Any) -> dict[str, Any]:
    return {column.name: column for column in new if not column.primary_key}
