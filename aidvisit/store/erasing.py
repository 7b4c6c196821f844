"""What an erasure covers, and what of it goes: of the log what the domain says, of what lies beside it all of it.

An op is covered by what it says (`household`) or is about, never by when or how it came: what arrives later about an
erased household is reduced before it is kept. Source: docs/adr/0023-what-an-erasure-leaves.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from aidvisit.domain.facts import KINDS
from aidvisit.domain.facts.erased import remainder, without
from aidvisit.store import inbox, uploads
from aidvisit.store.apply.erasure import KIND
from aidvisit.store.tables import Access, Delivery, Erasure, Settlement, Visit
from sync import erasing, log, tables
from sync.log import Entry, Place
from sync.op import Body, is_uuid
from sync.rows import among

STEP = 500
RECORDING = ("delivery.recorded", "visit.recorded")
_RECORDED: dict[str, type[Delivery] | type[Visit]] = {"delivery": Delivery, "visit": Visit}


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased of one household. `whole`: all of it. `ops`: facts whose free texts name one of the `members`."""

    whole: bool
    members: frozenset[str]
    ops: frozenset[str]


def of(conn: Connection, households: Collection[str]) -> dict[str, Erased]:
    """By id, those of these households of which something was erased."""
    columns = Erasure.household, Erasure.members, Erasure.ops
    found: dict[str, Erased] = {}
    for row in conn.execute(select(*columns).where(among(conn, Erasure.household, households))):
        held = found.get(row.household, Erased(False, frozenset(), frozenset()))
        found[row.household] = Erased(
            held.whole or not row.members, held.members | set(row.members), held.ops | set(row.ops)
        )
    return found


def remainders(conn: Connection, entries: Sequence[Entry]) -> dict[Place, Body]:
    """Of those of these ops that an erasure covers, by place the body that may be kept."""
    homes = _homes(conn, entries)
    known = of(conn, {home for each in homes.values() for home in each}) if homes else {}
    found: dict[Place, Body] = {}
    for entry in entries if known else ():
        place = _place(entry)
        covering = [known[home] for home in homes.get(place, ()) if home in known]
        if covering:
            found[place] = _left(entry, covering)
    return found


def _left(entry: Entry, covering: Sequence[Erased]) -> Body:
    kind, body = entry.op.kind, entry.op.body
    for erased in covering:
        if erased.whole:
            return remainder(kind, body)
        if kind in KINDS and KINDS[kind].entity in ("household", "visit", "delivery"):
            body = without(kind, body, erased.members, named=entry.name in erased.ops)
    return body


def _homes(conn: Connection, entries: Sequence[Entry]) -> dict[Place, set[str]]:
    """By place, the households that an op is about; of what is about none, nothing."""
    found: dict[Place, set[str]] = {}
    voids: dict[str, set[str]] = {}
    told: set[Place] = set()
    for entry in entries:
        op = entry.op
        entity = KINDS[op.kind].entity if op.kind in KINDS else ""
        if op.kind == KIND or entity in ("trip", "stock", "notice", "user", "team", "device", "item", "category"):
            continue
        said = {one for one in (op.body.get("household"),) if is_uuid(one)}
        if entity == "household" or not entity:
            said.add(op.subject)
        elif op.kind.endswith(".voided"):
            voids.setdefault(entity, set()).add(op.subject)
        elif entity == "duplicate":
            voids.setdefault("delivery", set()).update(_deliveries(op.body))
        elif entity == "op":
            told.add(_named(op.body))
        found[_place(entry)] = {str(one) for one in said}
    recorded = {row.id: row.household for each in voids.items() for row in _recorded(conn, *each)}
    recorded |= {e.op.subject: one for e in entries for one in found.get(_place(e), ()) if e.op.kind in RECORDING}
    judged = log.at(conn, told) if told else {}
    inner = _homes(conn, [entry for entry in judged.values() if not entry.op.kind.startswith("op.")]) if judged else {}
    for entry in entries:
        op, place = entry.op, _place(entry)
        if place in found:
            subjects = [op.subject, *_deliveries(op.body)] if recorded else []
            found[place] |= {recorded[one] for one in subjects if one in recorded}
            found[place] |= inner.get(_named(op.body), set()) if op.kind.startswith("op.") else set()
    return {place: homes for place, homes in found.items() if homes}


def _place(entry: Entry) -> Place:
    return entry.op.device, entry.op.seq


def _named(body: Mapping[str, Any]) -> Place:
    """The op that a release or dismissal is of."""
    seq = body.get("seq")
    return str(body.get("device")), seq if isinstance(seq, int) else 0


def _deliveries(body: Mapping[str, Any]) -> list[str]:
    said = body.get("deliveries")
    return [one for one in said if is_uuid(one)] if isinstance(said, list) else []


def _recorded(conn: Connection, entity: str, ids: Collection[str]) -> Sequence[sa.Row[Any]]:
    model = _RECORDED[entity]
    return conn.execute(select(model.id, model.household).where(among(conn, model.id, ids))).all()


def covered(conn: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """What these ops, just applied, may have put under an erasure, of all that is held."""
    households = {str(entry.op.body.get("household")) for entry in entries if entry.op.kind == KIND}
    # A void or a verdict may have come before the delivery that says whose it is.
    late = {e.op.subject for e in entries if e.erased and e.op.kind in KINDS and KINDS[e.op.kind].creates}
    subjects = households | late
    if households:
        for model in (Delivery, Visit, Access):
            subjects |= set(conn.execute(select(model.id).where(among(conn, model.household, households))).scalars())
    if subjects:
        settled = conn.execute(select(Settlement.id, Settlement.deliveries)).all()
        subjects |= {row.id for row in settled if subjects & set(row.deliveries)}
    return erasing.about(conn, subjects, households) if subjects else []


def verify(conn: Connection) -> Iterator[str]:
    """Findings in words, none when nothing is held that an erasure covers."""
    if conn.execute(select(sa.func.count()).select_from(Erasure)).scalar_one() == 0:
        return
    op = tables.op.c
    rows = conn.execute(select(tables.op).where(op.body.is_not(None)), execution_options={"yield_per": STEP})
    entries = (log.to_entry(row) for row in rows)
    while step := list(islice(entries, STEP)):
        for entry in erasing.still_whole(conn, remainders, step):
            yield f"{entry.name}: holds personal data that were erased"


# --- what lies beside the log ----------------------------------------------------------------------------------


def clear(conn: Connection, entries: Sequence[Entry]) -> None:
    """What somebody typed, brought or wrote about those whom these ops, as they were, are about."""
    homes = {home for each in _homes(conn, entries).values() for home in each}
    words = homes | {word for entry in entries for word in _words(entry.op.body)}
    _clear_drafts(conn, words)
    uploads.forget_all(conn)
    inbox.forget_words(conn, homes | {entry.op.subject for entry in entries})


def _words(value: Any, key: str = "") -> Iterator[str]:
    """Names and numbers of people, wherever a body has them."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _words(inner, name.rpartition(".")[2])
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner, key)
    elif isinstance(value, str) and key in ("name", "id_number", "phone") and len(value) > 1:
        yield value


def _clear_drafts(conn: Connection, words: Collection[str]) -> None:
    held = log.recall_all(conn, "draft:")
    gone = {key for key, said in held.items() if any(word in key or _said(said, word) for word in words)}
    forms = {}
    for actor, kept in log.recall_all(conn, "drafts:").items():
        forms[f"drafts:{actor}"] = [form for form in kept if f"{actor}:{form}" not in gone] or None
    if gone:
        log.remember(conn, **{f"draft:{key}": None for key in gone}, **forms)


def _said(draft: Mapping[str, Any], word: str) -> bool:
    return any(word in str(value) for _, value in draft.get("fields", ()))
