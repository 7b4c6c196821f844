"""Reads around one delivery: what the form starts with, and what was saved a moment ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from aidvisit.store.queries.alias import of_one
from aidvisit.store.queries.catalog import Quantity, items, quantities
from aidvisit.store.tables import Delivery, DeliveryLine, Household, Visit


@dataclass(frozen=True, slots=True)
class Hands:
    """Who handed over (user ids) and who saw it, as last recorded on a day: entered once, kept all day."""

    handed_by: list[str]
    witness_name: str
    witness_role: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What was just saved for whom. Of a visit: its outcome, and no lines."""

    name: str
    group: str
    lines: list[Quantity]
    outcome: str | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A delivery as a form needs it to take it back or to correct it; `lines`: quantity by item code."""

    id: str
    stream: str
    household: str
    date: str
    trip: str | None
    member: str | None
    from_place: str | None
    method: str | None
    received_as: str
    received_by: str
    relation: str | None
    id_last4: str | None
    handed_by: list[str]
    witness: dict[str, Any]
    note: str | None
    void_reason: str | None
    replaced: bool
    counts: bool
    lines: list[Quantity]
    proofs: list[dict[str, Any]]

    @property
    def paper(self) -> dict[str, Any]:
        """The signed sheet that it stands on: as its proof has it; empty of one that was signed otherwise."""
        return next((proof for proof in self.proofs if proof.get("as") == "paper"), {})


def delivery(conn: Connection, household: str, identity: str) -> DeliveryView | None:
    """A delivery to a household, or to one merged into it."""
    ids = of_one(conn, household).all(household)
    row = conn.execute(select(Delivery.__table__).where(Delivery.id == identity, Delivery.household.in_(ids))).first()
    if row is None:
        return None
    amounts = select(DeliveryLine.item, DeliveryLine.quantity).where(DeliveryLine.delivery == identity)
    lines = quantities(items(conn), {line.item: line.quantity for line in conn.execute(amounts)})
    return DeliveryView(
        row.id, row.stream, row.household, row.date, row.trip, row.member, row.from_place, row.method,
        row.received_as, row.received_by, row.received_relation, row.received_id_last4, list(row.handed_by or []),
        row.witness or {}, row.note, row.void_reason, row.replaced, row.counts, lines, list(row.proofs or []),
    )  # fmt: skip


def household_of(conn: Connection, identity: str) -> str | None:
    """Whose a delivery is, as it was recorded."""
    return conn.execute(select(Delivery.household).where(Delivery.id == identity)).scalar_one_or_none()


def hands_of_day(conn: Connection, device: str, on: str) -> Hands | None:
    """From the last delivery that this device recorded for a day (YYYY-MM-DD); None before the first."""
    query = select(Delivery.handed_by, Delivery.witness).where(Delivery.date == on, Delivery.device == device)
    row = conn.execute(query.order_by(Delivery.order_key.desc()).limit(1)).first()
    if row is None:
        return None
    witness: dict[str, Any] = row.witness or {}
    return Hands(list(row.handed_by or []), witness.get("name", ""), witness.get("role", ""))


def saved(conn: Connection, identity: str) -> Saved | None:
    """A delivery or visit by its id, for the line that confirms it."""
    for model in (Delivery, Visit):
        query = select(model, Household.head_name, Household.name, Household.village_group)
        row = conn.execute(query.join(Household, Household.id == model.household).where(model.id == identity)).first()
        if row is None:
            continue
        amounts = select(DeliveryLine.item, DeliveryLine.quantity).where(DeliveryLine.delivery == identity)
        lines = {line.item: line.quantity for line in conn.execute(amounts)} if model is Delivery else {}
        outcome = row.outcome if model is Visit else None
        return Saved(row.name or row.head_name or "", row.village_group or "", quantities(items(conn), lines), outcome)
    return None
