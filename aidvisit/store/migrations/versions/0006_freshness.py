"""How fresh each stream is that a laptop holds."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cursor", sa.Column("head", sa.BigInteger()))
    op.add_column("cursor", sa.Column("as_of", sa.String()))
    node = sa.table("node", sa.column("key"), sa.column("value"))
    synced = op.get_bind().execute(sa.select(node.c.value).where(node.c.key == "synced_at")).scalar()
    if synced is not None:  # a sync that came to its end had everything
        op.execute(sa.table("cursor", sa.column("as_of")).update().values(as_of=json.loads(synced)))


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
