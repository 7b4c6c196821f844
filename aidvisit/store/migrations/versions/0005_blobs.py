"""Blobs on their way: which op names which, how much of one the other side has, uploads that are not whole yet."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from sync.naming import rows_of

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BYTEWISE, WHOLE = sa.String().with_variant(sa.String(collation="C"), "postgresql"), sa.BigInteger()
STEP = 500


def upgrade() -> None:
    op.add_column("blob", sa.Column("sent", WHOLE))
    op.add_column("sync_device", sa.Column("earlier", BYTEWISE))
    naming = op.create_table(
        "blob_name",
        sa.Column("device", BYTEWISE, nullable=False),
        sa.Column("seq", WHOLE, nullable=False, autoincrement=False),
        sa.Column("sha256", BYTEWISE, nullable=False),
        sa.Column("media_type", sa.String()),
        sa.PrimaryKeyConstraint("device", "seq", "sha256", name=op.f("pk_blob_name")),
        sa.ForeignKeyConstraint(
            ["device", "seq"], ["op.device", "op.seq"], name=op.f("fk_blob_name_device"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_blob_name_sha256", "blob_name", ["sha256"])
    op.create_table(
        "blob_upload",
        sa.Column("device", BYTEWISE, nullable=False),
        sa.Column("sha256", BYTEWISE, nullable=False),
        sa.Column("length", WHOLE, nullable=False),
        sa.Column("received", WHOLE, nullable=False),
        sa.Column("touched_at", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("device", "sha256", name=op.f("pk_blob_upload")),
    )
    op.create_table(
        "blob_part",
        sa.Column("device", BYTEWISE, nullable=False),
        sa.Column("sha256", BYTEWISE, nullable=False),
        sa.Column("start", WHOLE, nullable=False, autoincrement=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("device", "sha256", "start", name=op.f("pk_blob_part")),
        sa.ForeignKeyConstraint(
            ["device", "sha256"],
            ["blob_upload.device", "blob_upload.sha256"],
            name=op.f("fk_blob_part_device"),
            ondelete="CASCADE",
        ),
    )
    _name_what_is_held(naming)


def _name_what_is_held(naming: sa.Table) -> None:
    """Ops that were kept before name their blobs too."""
    held = sa.table("op", *map(sa.column, ("device", "seq", "body")))
    query = sa.select(held).where(held.c.body.like('%"sha256"%')).order_by(held.c.device, held.c.seq)
    found: list[dict[str, Any]] = []
    for row in op.get_bind().execute(query):
        found += rows_of(row.device, row.seq, json.loads(row.body))
    for start in range(0, len(found), STEP):
        op.bulk_insert(naming, found[start : start + STEP])


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
