"""Whose personal data were erased, and which ops have less of a body for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("op", sa.Column("erased", sa.Boolean(), nullable=False, server_default=sa.false()))
    table = sa.table("op", sa.column("body"), sa.column("erased", sa.Boolean()))
    op.execute(table.update().where(table.c.body.is_(None)).values(erased=True))
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    identity = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")
    op.create_table(
        "erasure",
        sa.Column("id", text, nullable=False),
        sa.Column("subject", identity, nullable=False),
        sa.Column("stream", text, nullable=False),
        sa.Column("household", identity, nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("ops", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", identity, nullable=False),
        sa.Column("order_key", text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    for column in ("stream", "subject", "household"):
        op.create_index(op.f(f"ix_erasure_{column}"), "erasure", [column])


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
