"""Lists that somebody brought and that are not imported yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sheet_upload",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("owner", sa.String(36), nullable=False),
        *(sa.Column(name, sa.Text() if name == "name" else sa.String(), nullable=False)
          for name in ("name", "made_at", "step")),
        sa.Column("doing", sa.String()),
        sa.Column("said", sa.Text(), nullable=False),
        *(sa.Column(name, sa.LargeBinary()) for name in ("shown", "bytes", "refused")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_upload")),
    )  # fmt: skip


def downgrade() -> None:
    """What was not imported yet is still where it came from."""
    op.drop_table("sheet_upload")
