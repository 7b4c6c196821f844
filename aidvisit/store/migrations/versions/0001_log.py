"""The replicated log, and what a node knows of itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _bytewise(length: int | None = None) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


BYTEWISE, STRING, TEXT, WHOLE = _bytewise(), sa.String(), sa.Text(), sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("sha256", STRING, nullable=False),
        sa.Column("media_type", STRING, nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "cursor",
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("n", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_cursor")),
    )
    op.create_table(
        "enrolment_attempt",
        sa.Column("address", STRING, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", STRING, nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_enrolment_attempt")),
    )
    op.create_table(
        "enrolment_code",
        sa.Column("hash", STRING, nullable=False),
        sa.Column("team", BYTEWISE, nullable=False),
        sa.Column("expires_at", STRING, nullable=False),
        sa.Column("device", BYTEWISE),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_enrolment_code")),
    )
    op.create_table(
        "node",
        sa.Column("key", STRING, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_node")),
    )
    op.create_table(
        "op",
        sa.Column("device", BYTEWISE, nullable=False),
        sa.Column("seq", WHOLE, nullable=False, autoincrement=False),
        sa.Column("stream", BYTEWISE),
        sa.Column("n", WHOLE),
        sa.Column("hlc", BYTEWISE),
        sa.Column("merge_hlc", BYTEWISE),
        sa.Column("clock", BYTEWISE, nullable=False),
        sa.Column("actor", BYTEWISE),
        sa.Column("kind", BYTEWISE),
        sa.Column("v", WHOLE),
        sa.Column("subject", BYTEWISE),
        sa.Column("body", TEXT),
        sa.Column("digest", BYTEWISE, nullable=False),
        sa.Column("hash", BYTEWISE),
        sa.Column("problem", TEXT),
        sa.Column("dismissed", sa.Boolean(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("received_at", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("device", "seq", name=op.f("pk_op")),
    )
    op.create_index(
        op.f("ix_op_quarantined"),
        "op",
        ["device", "seq"],
        sqlite_where=sa.text("problem IS NOT NULL"),
        postgresql_where=sa.text("problem IS NOT NULL"),
    )
    op.create_index(op.f("ix_op_subject"), "op", ["subject", "clock"])
    op.create_index(
        op.f("uq_op_stream_n"),
        "op",
        ["stream", "n"],
        unique=True,
        sqlite_where=sa.text("n IS NOT NULL"),
        postgresql_where=sa.text("n IS NOT NULL"),
    )
    op.create_table(
        "stream",
        sa.Column("name", BYTEWISE, nullable=False),
        sa.Column("head", WHOLE, nullable=False),
        sa.Column("clock", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stream")),
    )
    op.create_table(
        "sync_device",
        sa.Column("id", BYTEWISE, nullable=False),
        sa.Column("name", STRING, nullable=False),
        sa.Column("team", BYTEWISE),
        sa.Column("public_key", STRING, nullable=False),
        sa.Column("age_recipient", STRING),
        sa.Column("token_hash", STRING),
        sa.Column("enrolled_at", STRING, nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.Column("through", WHOLE, nullable=False),
        sa.Column("head", STRING, nullable=False),
        sa.Column("clock", BYTEWISE, nullable=False),
        sa.Column("seen_at", STRING),
        sa.Column("status", TEXT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_device")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sync_device_token_hash")),
    )


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
