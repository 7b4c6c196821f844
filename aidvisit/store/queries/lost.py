"""What a laptop still knows of a centre that was restored since: the centre's own facts that it has not again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from sync import clock, log, tables

op = tables.op.c
NOT_NUMBERED = "%:not-numbered%"


@dataclass(frozen=True, slots=True)
class Lost:
    """`about`: the name, title or code that the fact gives to its subject, as far as it gives one."""

    at: datetime
    kind: str
    stream: str
    subject: str
    about: str


def lost(conn: Connection) -> list[Lost]:
    """What the centre said itself and forgot with the restore, oldest first; what laptops said they send again."""
    centres = select(op.device).where(op.stream == "org").distinct()
    query = select(tables.op).where(op.device.in_(centres), op.device != log.own(conn), op.problem.like(NOT_NUMBERED))
    rows = conn.execute(query.where(op.body.is_not(None)).order_by(op.clock, op.device, op.seq))
    found = (log.to_entry(row).op for row in rows)
    return [
        Lost(clock.from_ms(clock.parse(one.hlc)[0]), one.kind, one.stream, one.subject, _about(one.body))
        for one in found
    ]


def _about(body: Mapping[str, Any]) -> str:
    fields = body.get("set") if isinstance(body.get("set"), dict) else body
    head = fields.get("head") if isinstance(fields, dict) else None
    given = [*(fields or {}).items(), *(head.items() if isinstance(head, dict) else ())]
    named = [value for path, value in given if path in ("name", "title", "login", "code", "head.name")]
    return " ".join(str(value) for value in named)
