"""The office's inbox: what was found, for whom, and what was said of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    identity = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")
    op.create_table(
        "inbox_item",
        sa.Column("id", identity, nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("key", text, nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("division", text),
        sa.Column("team", identity),
        sa.Column("trip", identity),
        sa.Column("since", text, nullable=False),
        sa.Column("assigned_to", identity),
        sa.Column("settled_at", text),
        sa.Column("settled_by", identity),
        sa.Column("verdict", text),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_item")),
    )
    waits = sa.text("settled_at IS NULL")
    op.create_index("ix_inbox_item_open", "inbox_item", ["since", "id"], sqlite_where=waits, postgresql_where=waits)
    op.create_index(op.f("ix_inbox_item_settled_at"), "inbox_item", ["settled_at"])


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
