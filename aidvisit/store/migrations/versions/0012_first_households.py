"""On PostgreSQL the first households have an index of their own: what is common is found there at once."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE INDEX IF NOT EXISTS ix_household_index_first ON household_index USING gin (tokens)"
            " WITH (fastupdate = off) WHERE n <= 50000"
        )


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
