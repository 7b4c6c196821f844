"""What households are found by: tokens in an index, instead of a column that is scanned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aidvisit.store.tables.search import create_index

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _bytewise(length: int | None = None) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


POSTGRESQL = (
    """CREATE TABLE household_index (
    n bigint PRIMARY KEY REFERENCES household_search (n) ON DELETE CASCADE, tokens tsvector NOT NULL)""",
    "CREATE INDEX ix_household_index_tokens ON household_index USING gin (tokens) WITH (fastupdate = off)",
)
INDEXED = (["household"], ["stream"], ["division", "last_visit"], ["division", "last_delivery"], ["last_visit"])


def upgrade() -> None:
    op.create_table(
        "household_search",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False),
        sa.Column("household", _bytewise(36), nullable=False),
        sa.Column("stream", _bytewise(), nullable=False),
        sa.Column("division", _bytewise(), nullable=False),
        sa.Column("village_group", sa.Text()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_visit", _bytewise(10)),
        sa.Column("last_delivery", _bytewise(10)),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_household_search")),
    )
    for columns in (*INDEXED, ["last_delivery"]):
        name = op.f(f"ix_household_search_{'_'.join(columns)}")
        op.create_index(name, "household_search", columns, unique=columns == ["household"])
    op.create_table(
        "household_count",
        sa.Column("division", _bytewise(), nullable=False),
        sa.Column("stream", _bytewise(), nullable=False),
        sa.Column("households", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("division", "stream", name=op.f("pk_household_count")),
    )
    op.create_index(op.f("ix_household_count_stream"), "household_count", ["stream"])
    if op.get_bind().dialect.name == "sqlite":
        create_index(op.get_bind())
    else:
        for statement in POSTGRESQL:
            op.execute(statement)
    op.drop_column("household", "search_text")
    # The households that are held get theirs when the software takes up what it could not read before.
    op.execute("UPDATE op SET applied = false WHERE kind = 'household.registered' AND problem IS NULL")
    op.execute("DELETE FROM node WHERE key = 'version'")


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
