"""What a period's figures sum is found by its days."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("delivery_line", "stock_line"):
        op.create_index(op.f(f"ix_{table}_date"), table, ["date"])


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
