"""Whether what is held is what was recorded (docs/protocol.md section 1, "Chain")."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import log, tables
from sync.op import ZERO, chain, digest_of
from sync.tables import op as op_table


def verify(conn: Connection) -> list[str]:
    """Findings in words, none when every held op has its digest and every whole log its chain."""
    findings = []
    heads = {row.id: (row.through, row.head) for row in conn.execute(sa.select(tables.device))}
    previous: tuple[str, int, str] = ("", 0, ZERO)
    query = sa.select(op_table).order_by(op_table.c.device, op_table.c.seq)
    for row in conn.execute(query, execution_options={"yield_per": 500}):
        if row.body is not None and not row.erased and _altered(row):
            findings.append(f"{row.device}/{row.seq}: the record was altered, it does not have its digest")
        if row.hash is None:
            continue
        before = previous if previous[0] == row.device else (row.device, 0, ZERO)
        if row.seq != before[1] + 1:
            findings.append(f"{row.device}/{row.seq}: the op before it is missing")
        elif chain(before[2], row.digest) != row.hash:
            findings.append(f"{row.device}/{row.seq}: the chain is broken here")
        previous = (row.device, row.seq, row.hash)
        if row.device in heads and row.seq == heads[row.device][0] and row.hash != heads[row.device][1]:
            findings.append(f"{row.device}/{row.seq}: the log's head is not this op's hash")
    counted = sa.select(op_table.c.device, sa.func.max(op_table.c.seq).label("last")).group_by(op_table.c.device)
    last = {row.device: row.last for row in conn.execute(counted)}
    findings += [
        f"{device}: ops end at {last.get(device, 0)}, the log says {through}"
        for device, (through, _) in sorted(heads.items())
        if last.get(device, 0) != through
    ]
    return findings


def _altered(row: Any) -> bool:
    try:
        return bool(digest_of(log.to_entry(row).op) != row.digest)
    except (TypeError, ValueError):  # not even JSON any more
        return True
