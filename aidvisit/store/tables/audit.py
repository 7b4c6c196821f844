"""The index that the audit is read by. The log's table is sync's; which kinds matter to an auditor is the house's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Index, bindparam

from aidvisit.domain.audit import AUDITED
from sync.tables import op


def audited() -> ColumnElement[bool]:
    """The condition of the index, written into a statement as the index has it: a planner does not look at values
    that are bound later."""
    return op.c.kind.in_(bindparam("audited", AUDITED, expanding=True, literal_execute=True))


# With all that the page filters by, so that only what is shown is looked up in the table.
_columns: list[Any] = [op.c.clock, op.c.device, op.c.seq, op.c.actor, op.c.kind, op.c.subject]
Index("ix_op_audit", *_columns, sqlite_where=op.c.kind.in_(AUDITED), postgresql_where=op.c.kind.in_(AUDITED))
