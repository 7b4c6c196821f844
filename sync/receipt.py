"""Receipts as people hold them: the last ones, with a short code that both ends tell (docs/protocol.md section 7)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import log
from sync.identity import CROCKFORD, plain_code
from sync.op import ZERO
from sync.tables import op as op_table

MOST = 24
HOUR = 13  # characters of `2020-12-30T09:12:44Z`
CHECK_LENGTH = 8


def check_code(device: str, through: int, head: str) -> str:
    """What stands for ops 1…`through` of a device: 8 characters of Crockford base32 (40 bits) as `XXXX-XXXX`."""
    digest = sha256(f"aidvisit-check-1:{device}:{through}:{head}".encode()).digest()
    bits = int.from_bytes(digest[:5], "big")
    code = "".join(CROCKFORD[bits >> 5 * place & 31] for place in reversed(range(CHECK_LENGTH)))
    return f"{code[:4]}-{code[4:]}"


def code_of(receipt: dict[str, Any]) -> str:
    return check_code(receipt["device"], receipt["through"], receipt["head"])


def alike(one: str, other: str) -> bool:
    """Whether two codes are the same as people write them: case, hyphens and look-alikes do not matter."""
    return plain_code(one) == plain_code(other)


def keep(conn: Connection, receipt: dict[str, Any]) -> None:
    """Remember a receipt as the last one. Of every hour the last stays, so that many small batches push none out."""
    earlier = [one for one in log.recall(conn, "receipts", []) if one["at"][:HOUR] != receipt["at"][:HOUR]]
    log.remember(conn, receipt=receipt, receipts=[receipt, *earlier][:MOST])


def kept(conn: Connection) -> list[dict[str, Any]]:
    """The last receipts, the newest first; also those of this laptop as an earlier device."""
    receipts = log.recall(conn, "receipts")
    if receipts is None:  # the last one is from before there was a list
        last = log.recall(conn, "receipt")
        receipts = [last] if last else []
    return list(receipts)


def code_at(conn: Connection, device: str, through: int) -> str | None:
    """The check code of the first `through` ops of a device's whole log; None where they are not held."""
    query = sa.select(op_table.c.hash).where(op_table.c.device == device, op_table.c.seq == through)
    head = ZERO if through == 0 else conn.execute(query).scalar()
    return None if head is None else check_code(device, through, head)


def find(conn: Connection, device: str, code: str) -> int | None:
    """How far the slip reached that shows this code; None: no slip of this device, as its log stands here, shows it."""
    query = sa.select(op_table.c.seq, op_table.c.hash).where(op_table.c.device == device, op_table.c.hash.is_not(None))
    for row in conn.execute(query.order_by(op_table.c.seq.desc())):
        if alike(check_code(device, row.seq, row.hash), code):
            return int(row.seq)
    return None
