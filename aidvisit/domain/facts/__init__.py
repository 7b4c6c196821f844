"""Every kind of fact: its body, its stream, who may author it. Each noun registers its kinds here."""

from __future__ import annotations

from functools import cache
from typing import Any

from aidvisit.domain.facts import account, catalog, delivery, household, ledger, office, stock, trip, visit
from aidvisit.domain.facts.catalog import category_subject, division_subject, item_subject, place_subject
from aidvisit.domain.facts.fields import Body
from aidvisit.domain.facts.kind import Errors, KindOf, Reference
from aidvisit.domain.facts.quick import fits
from aidvisit.domain.stream import StreamType, stream_type

__all__ = [
    "KINDS",
    "Errors",
    "KindOf",
    "Reference",
    "StreamType",
    "category_subject",
    "check",
    "division_subject",
    "item_subject",
    "known",
    "only_centre",
    "place_subject",
    "references",
    "stream_type",
]

KINDS: dict[str, KindOf] = {
    row.kind: row
    for noun in (ledger, catalog, office, account, trip, stock, household, visit, delivery)
    for row in noun.KINDS
}


def known(kind: str, v: int) -> bool:
    """Whether this version can read that kind of body; else it is `unknown-kind`."""
    return kind in KINDS and 1 <= v <= KINDS[kind].v


def only_centre(kind: str, stream: str) -> bool:
    """Whether only the central server may author this kind in this stream; else it is `not-allowed`."""
    return KINDS[kind].only_centre(stream)


def check(kind: str, v: int, stream: str, subject: str, body: dict[str, Any]) -> Errors:
    """Judge a body, unchanged, against its kind, stream and subject; empty when all is right.

    Raises: KeyError for a kind that is not `known`.
    """
    if not known(kind, v):
        raise KeyError(f"{kind} v{v}")
    row = KINDS[kind]
    errors = {} if fits(row.schema, body) else flat(_schema(row.schema).validate(body))
    if not row.fits(stream):
        errors["stream"] = [f"这种记录不在 {stream} 里。 / This kind of record does not belong in {stream}."]
    return errors or row.rule(stream, subject, body)


def references(kind: str, stream: str, subject: str, body: dict[str, Any]) -> list[Reference]:
    """The households and trips that a valid fact is about or names and that its own stream must hold.

    A household may be merged into one of another town, not held here: the caller lets that one pass.
    Source: docs/protocol.md section 2, `unknown-subject`.
    """
    return KINDS[kind].names(stream, subject, body)


def flat(messages: Any, path: str = "") -> Errors:
    """marshmallow's nested messages by dotted path (`lines.0.quantity`); the body itself is ""."""
    if isinstance(messages, dict):
        found: Errors = {}
        for key, inner in messages.items():
            step = path if key == "_schema" else f"{path}.{key}".strip(".")
            for where, said in flat(inner, step).items():
                found.setdefault(where, []).extend(said)
        return found
    return {path: list(messages) if isinstance(messages, list) else [str(messages)]}


@cache
def _schema(of: type[Body]) -> Body:
    return of()
