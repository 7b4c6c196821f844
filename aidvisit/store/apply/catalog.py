"""division, category, item and place .defined → one row for each code: of all definitions the greatest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from aidvisit.domain.facts import check, known
from aidvisit.store.apply.rows import Values, order_key, upsert
from aidvisit.store.tables import Category, Division, Item, Place
from sync.log import Entry, iterate
from sync.op import Op

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


def apply(conn: Connection, entry: Entry) -> None:
    _define(conn, [entry])


def replay(conn: Connection, subject: str, entries: Sequence[Entry]) -> None:
    """A code may be defined under several subjects, so its other definitions are looked for in the whole stream."""
    for kind, (noun, _) in NOUNS.items():
        codes = set(conn.execute(select(noun.code).where(noun.subject == subject)).scalars())
        codes |= {entry.op.body["code"] for entry in entries if entry.op.kind == kind}
        if codes:
            conn.execute(delete(noun).where(noun.code.in_(codes)))
            _define(conn, [entry for entry in iterate(conn, "org") if _defines(entry.op, kind, codes)])


def _defines(op: Op, kind: str, codes: set[str]) -> bool:
    """Not every op that is held can be read by this version."""
    if op.kind != kind or op.body.get("code") not in codes or not known(kind, op.v):
        return False
    return not check(kind, op.v, op.stream, op.subject, op.body)


def _define(conn: Connection, entries: Iterable[Entry]) -> None:
    for entry in entries:
        noun, own = NOUNS[entry.op.kind]
        body = entry.op.body
        row: Values = {
            "code": body["code"],
            "stream": entry.op.stream,
            "subject": entry.op.subject,
            "name": body["name"],
            "order_key": order_key(entry),
            **own(body),
        }
        upsert(conn, noun, [row], _all, lambda new, noun=noun: new.order_key > noun.order_key)


def _all(new: Any) -> dict[str, Any]:
    return {column.name: column for column in new if not column.primary_key}
