"""A household received items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.text import tidied
from aidvisit.errors import Problem
from aidvisit.services.bodies import checked, filled, quantities
from aidvisit.services.household import stream_of
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import delivery as deliveries
from aidvisit.store.queries import household as households
from aidvisit.store.queries.warning import warnings
from sync import log
from sync.blobs import put as keep_blob
from sync.log import Entry

Blob = tuple[str, str, bytes]
"""(SHA-256, media type, the bytes)."""


def record_delivery(
    *,
    actor: str,
    delivery: str,
    household: str,
    trip: str | None,
    date: str,
    lines: Mapping[str, int],
    received_by: Mapping[str, str],
    proofs: Sequence[Mapping[str, Any]],
    blobs: Sequence[Blob] = (),
    handed_by: Sequence[str] = (),
    witness: Mapping[str, str] | None = None,
    reasons: Mapping[str, str] | None = None,
    note: str | None = None,
    from_: str | None = None,
    member: str | None = None,
    method: str | None = None,
    at: Mapping[str, int] | None = None,
    replaces: str | None = None,
) -> Entry:
    """Save a delivery with its signature, or say what is odd about it.

    `delivery` is the id that the form was made with: sent again, it is saved once. `lines`: item code → quantity.
    `reasons`: rule → why a person goes on all the same. `member`: whom it is for, where it is not for all. `method`:
    `cash` or `transfer`. `at`: lat, lon (1e-7 degrees), accuracy_m. `replaces`: the delivery that this one corrects.
    Raises: Problem `unknown-household`; `invalid-form` (`errors`: path → messages); `needs-reason` (`warnings`: rule,
    item, members of its words) unless every rule has a reason; `subject-exists`.
    """
    check_form(lines, received_by, proofs)
    body = filled(household=household, for_=member, trip=trip, date=date, from_=from_, method=method, note=note)
    body |= filled(at=dict(at or {}), replaces=replaces)
    body |= {"lines": quantities(lines), "received_by": filled(**received_by), "proofs": [dict(p) for p in proofs]}
    body |= filled(handed_by=list(handed_by), witness=filled(**(witness or {})))
    with transaction() as conn:
        return save(conn, actor=actor, delivery=delivery, body=body, blobs=blobs, reasons=reasons or {})


def save(
    conn: Connection,
    *,
    actor: str,
    delivery: str,
    body: dict[str, Any],
    blobs: Sequence[Blob] = (),
    reasons: Mapping[str, str],
) -> Entry:
    """The same for a transaction that records more than that, of a body that is filled in. Raises: as
    `record_delivery`.
    """
    fact = checked(Fact(stream_of(conn, body["household"]), "delivery.recorded", delivery, body))
    before = _saved_before(conn, delivery, body)
    if before is not None:
        return before
    overrides = _overrides(conn, body, reasons)
    for name, media_type, data in blobs:
        keep_blob(conn, name, media_type, data)
    fact = replace(fact, body=body | filled(overrides=overrides))
    return ledger.record(conn, actor, fact)[0]


def void(*, actor: str, household: str, delivery: str, reason: str, scope: Scope = EVERYTHING) -> Entry:
    """A delivery that was not, or not so; final. The goods are where they were before. A second time changes nothing.

    Raises: Problem `unknown-household`, `unknown-delivery`, `invalid-form`.
    """
    with transaction() as conn:
        if households.household(conn, household, scope) is None:
            raise Problem("unknown-household", id=household)
        return voided(conn, actor=actor, delivery=delivery, reason=reason, scope=scope, household=household)


def voided(
    conn: Connection, *, actor: str, delivery: str, reason: str, scope: Scope, household: str | None = None
) -> Entry:
    """The same for a transaction that records more than that; without a `household` it is the delivery's own."""
    home = household or deliveries.household_of(conn, delivery)
    if home is None or households.household(conn, home, scope) is None:
        raise Problem("unknown-delivery", id=delivery)
    found = deliveries.delivery(conn, home, delivery)
    if found is None:
        raise Problem("unknown-delivery", id=delivery)
    fact = checked(Fact(found.stream, "delivery.voided", delivery, filled(reason=reason)))
    before = log.entries_of(conn, delivery, {"delivery.voided"})
    if before:
        return before[-1]
    return ledger.record(conn, actor, fact)[0]


def check_form(lines: Mapping[str, int], received_by: Mapping[str, str], proofs: Sequence[Mapping[str, Any]]) -> None:
    """What a fact's own schema does not ask. Raises: Problem `invalid-form` (`errors`: path → messages)."""
    errors: dict[str, list[str]] = {}
    if not any(lines.values()):
        errors["lines"] = [
            "至少要发一样物资;一样都没发,请记“不在家…”。 / Nothing is delivered: record a visit instead."
        ]
    if any(quantity < 0 for quantity in lines.values()):
        errors["lines"] = ["数量不能小于 0。 / A quantity cannot be below 0."]
    if not received_by.get("name", "").strip():
        errors["received_by.name"] = ["请写明谁签收。 / Say who received it."]
    if received_by.get("as") == "proxy" and not received_by.get("relation", "").strip():
        errors["received_by.relation"] = ["请写明代领人与户主的关系。 / Say how the proxy is related."]
    if not proofs:
        errors["proofs"] = [
            "请签名,或选“签在纸上”,或写明没有凭证的原因。 / Sign, choose “on paper”, or say why there is no proof."
        ]
    if any(proof.get("as") == "none" and not str(proof.get("reason", "")).strip() for proof in proofs):
        errors["proofs"] = ["没有签收凭证时,请写明原因。 / Say why there is no proof."]
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)


def _saved_before(conn: Connection, delivery: str, body: dict[str, Any]) -> Entry | None:
    """The entry of a form that is sent a second time; what only the first saving added is not compared."""
    for entry in log.entries_of(conn, delivery, {"delivery.recorded"}):
        kept = {key: value for key, value in entry.op.body.items() if key not in ("salt", "overrides")}
        if kept == tidied(body):
            return entry
    return None


def _overrides(conn: Connection, body: Mapping[str, Any], reasons: Mapping[str, str]) -> list[dict[str, str]]:
    wanted = {line["item"]: line["quantity"] for line in body["lines"]}
    found = warnings(conn, body["household"], wanted, body["date"], body.get("trip"), replaces=body.get("replaces"))
    rules = list(dict.fromkeys(warning.rule for warning in found))
    if any(not reasons.get(rule, "").strip() for rule in rules):
        raise Problem("needs-reason", count=len(found), warnings=[asdict(warning) for warning in found])
    return [{"rule": rule, "reason": reasons[rule].strip()} for rule in rules]
