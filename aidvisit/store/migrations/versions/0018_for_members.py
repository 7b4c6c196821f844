"""Whether deliveries were for members is asked by every figure: an index of those that were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    of_members = sa.text("member IS NOT NULL")
    op.create_index(
        op.f("ix_delivery_member"), "delivery", ["member"], sqlite_where=of_members, postgresql_where=of_members
    )


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
