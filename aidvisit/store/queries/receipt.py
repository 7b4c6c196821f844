"""What the first ops of a device's log say was given: the same at both ends, whatever else happened since."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from aidvisit.domain.delivery import Recorded, counting
from aidvisit.store.queries.catalog import Quantity, items, quantities
from sync import receipt, tables

MOST_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Slip:
    """Ops 1…`through` of a device. `code` vouches for all of it.

    `deliveries`, `sums` and the days leave out what these very ops void or replace: no later op changes a slip.
    `first`, `last`: the earliest and latest date on which something was given; `days`: how many such dates.
    `held`: how many of the ops wait for review, as far as it is known here and now.
    """

    device: str
    through: int
    code: str
    deliveries: int
    sums: list[Quantity]
    first: str | None
    last: str | None
    days: int
    held: int


def slip_of(conn: Connection, one: dict[str, Any]) -> Slip:
    """The slip of a receipt."""
    return _slip(conn, one["device"], one["through"], receipt.code_of(one))


def slip(conn: Connection, device: str, through: int) -> Slip | None:
    """The slip of a log's first ops; None where they are not held here."""
    code = receipt.code_at(conn, device, through)
    return None if code is None else _slip(conn, device, through, code)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the log here says to a slip that somebody holds. `slip`: as it must read; None: there is no such one.

    `right`: whether the code that was asked for is that slip's; None: only how far it reached was asked.
    """

    slip: Slip | None
    right: bool | None


def check(conn: Connection, device: str, *, through: str, code: str) -> Checked:
    """Compare an older slip, by the number that it reached to, its check code, or both, as somebody typed them."""
    if not through:
        until = receipt.find(conn, device, code)
    else:
        until = int(through) if through.isascii() and through.isdigit() and len(through) <= MOST_DIGITS else None
    found = None if until is None else slip(conn, device, until)
    if not code:
        return Checked(found, None)
    return Checked(found, found is not None and receipt.alike(found.code, code))


def _slip(conn: Connection, device: str, through: int, code: str) -> Slip:
    op = tables.op.c
    within = (op.device == device, op.seq <= through)
    kinds = ("delivery.recorded", "delivery.voided")
    query = select(op.seq, op.clock, op.kind, op.subject, op.body, op.problem).where(*within, op.kind.in_(kinds))
    rows = [row for row in conn.execute(query.where(op.body.is_not(None)).order_by(op.seq)) if _is_read(row.problem)]
    voided = {row.subject for row in rows if row.kind == "delivery.voided"}
    given = {row.subject: json.loads(row.body) for row in rows if row.kind == "delivery.recorded"}
    order = {row.subject: (row.clock, device, row.seq) for row in rows if row.kind == "delivery.recorded"}
    counts = counting(
        Recorded(identity, order[identity], body.get("replaces"), identity in voided)
        for identity, body in given.items()
    )
    stand = [body for identity, body in given.items() if counts[identity]]
    amounts: dict[str, int] = {}
    for line in (line for body in stand for line in body.get("lines", [])):
        amounts[line["item"]] = amounts.get(line["item"], 0) + line["quantity"]
    dates = sorted({body["date"] for body in stand})
    waiting = select(func.count()).where(*within, op.problem.is_not(None), op.dismissed.is_(False))
    return Slip(
        device, through, code, len(stand), quantities(items(conn), amounts), dates[0] if dates else None,
        dates[-1] if dates else None, len(dates), conn.execute(waiting).scalar_one(),
    )  # fmt: skip


def _is_read(problem: str | None) -> bool:
    """Whether this version can read what the op says; it may wait for review all the same."""
    reason = json.loads(problem).get("type", "").rpartition(":")[2] if problem else ""
    return reason not in ("invalid-body", "unknown-kind")
