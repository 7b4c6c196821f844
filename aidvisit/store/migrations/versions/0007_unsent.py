"""Which photos and signatures wait, without reading all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    sent, length = sa.column("sent", sa.BigInteger()), sa.func.length(sa.column("bytes", sa.LargeBinary()))
    unsent = sa.or_(sent.is_(None), sent < length)
    op.create_index("ix_blob_unsent", "blob", ["sha256"], sqlite_where=unsent, postgresql_where=unsent)


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
