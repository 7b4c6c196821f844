"""Tokens of other systems, the answers that they got, and visits by their day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("acts_as", sa.String(36), nullable=False),
        sa.Column("rights", sa.Text(), nullable=False),
        sa.Column("divisions", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(36), nullable=False),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.Column("revoked_at", sa.String()),
        sa.Column("used_at", sa.String()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_token_hash")),
    )
    op.create_table(
        "api_answer",
        sa.Column("token", sa.String(36), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("asked", sa.String(64), nullable=False),
        sa.Column("said", sa.Text()),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("token", "key", name=op.f("pk_api_answer")),
    )
    op.create_index(op.f("ix_api_answer_made_at"), "api_answer", ["made_at"])
    op.create_index(op.f("ix_visit_date"), "visit", ["date"])


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
