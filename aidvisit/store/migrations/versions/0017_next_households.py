"""On PostgreSQL the households after the first have an index of their own, too: the list is filled from there."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE INDEX IF NOT EXISTS ix_household_index_next ON household_index USING gin (tokens)"
            " WITH (fastupdate = off) WHERE n > 50000 AND n <= 250000"
        )


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
