"""Keys of people who may be one and the same; what was said of two households, without reading the whole audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _bytewise(length: int | None = None) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


KEYS = ("number", "phone", "name", "birth")


def upgrade() -> None:
    op.create_table(
        "likeness_key",
        sa.Column("household", _bytewise(36), nullable=False),
        sa.Column("person", _bytewise(36), nullable=False),
        sa.Column("stream", _bytewise(), nullable=False),
        *(sa.Column(key, sa.BigInteger()) for key in (*KEYS, "swapped")),
        sa.PrimaryKeyConstraint("household", "person", name=op.f("pk_likeness_key")),
    )
    for column in ("stream", *KEYS):
        op.create_index(op.f(f"ix_likeness_key_{column}"), "likeness_key", [column])
    op.create_index(op.f("ix_access_what"), "access", ["what"])
    # The households that are held get theirs when the software takes up what it could not read before.
    op.execute("UPDATE op SET applied = false WHERE kind = 'household.registered' AND problem IS NULL")
    op.execute("DELETE FROM node WHERE key = 'version'")


def downgrade() -> None:
    """Nothing is lost: the log makes this table again."""
    op.drop_index(op.f("ix_access_what"))
    op.drop_table("likeness_key")
