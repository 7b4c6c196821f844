"""An index of the ops that an auditor asks about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KINDS = (
    "access.recorded",
    "delivery.voided",
    "device.enrolled",
    "device.renamed",
    "device.revoked",
    "duplicate.settled",
    "household.closed",
    "household.merged",
    "household.reopened",
    "household.unmerged",
    "op.dismissed",
    "op.released",
    "personal-data.erased",
    "team.defined",
    "team.updated",
    "trip.approved",
    "trip.closed",
    "trip.reopened",
    "user.defined",
    "user.updated",
    "visit.voided",
)


def upgrade() -> None:
    audited = sa.column("kind", sa.String()).in_(KINDS)
    op.create_index(
        "ix_op_audit",
        "op",
        ["clock", "device", "seq", "actor", "kind", "subject"],
        sqlite_where=audited,
        postgresql_where=audited,
    )


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
