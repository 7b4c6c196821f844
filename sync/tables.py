"""The log's own tables, on SQLite and PostgreSQL. Only `sync` reads and writes them."""

from __future__ import annotations

import sqlalchemy as sa

# Clocks, names and ids are compared byte by byte, whatever the database's language is.
_bytewise = sa.String().with_variant(sa.String(collation="C"), "postgresql")

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

op = sa.Table(
    "op",
    metadata,
    sa.Column("device", _bytewise, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("stream", _bytewise),  # null: the op arrived erased, nobody here knows where it belonged
    sa.Column("n", sa.BigInteger),  # its number in the stream; null: quarantined, or not acknowledged yet
    sa.Column("hlc", _bytewise),
    sa.Column("merge_hlc", _bytewise),
    sa.Column("clock", _bytewise, nullable=False),  # the merge clock: merge_hlc, else hlc
    sa.Column("actor", _bytewise),
    sa.Column("kind", _bytewise),
    sa.Column("v", sa.BigInteger),
    sa.Column("subject", _bytewise),
    sa.Column("body", sa.Text),  # JSON; null: erased, the digest stays
    sa.Column("digest", _bytewise, nullable=False),
    sa.Column("hash", _bytewise),  # the chain, where the whole log of the device is held
    sa.Column("problem", sa.Text),  # JSON: why it is quarantined
    sa.Column("dismissed", sa.Boolean, nullable=False, default=False),
    sa.Column("applied", sa.Boolean, nullable=False, default=True),  # false: kept until the software knows it
    # Personal data were taken out of the body: what stays does not have the digest.
    sa.Column("erased", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("received_at", _bytewise, nullable=False),
    sa.Index("ix_op_subject", "subject", "clock"),
)

# Partial: what has no number may name any stream, however long.
sa.Index(
    "uq_op_stream_n",
    op.c.stream,
    op.c.n,
    unique=True,
    sqlite_where=op.c.n.is_not(None),
    postgresql_where=op.c.n.is_not(None),
)
sa.Index(
    "ix_op_quarantined",
    op.c.device,
    op.c.seq,
    sqlite_where=op.c.problem.is_not(None),
    postgresql_where=op.c.problem.is_not(None),
)

stream = sa.Table(
    "stream",
    metadata,
    sa.Column("name", _bytewise, primary_key=True),
    sa.Column("head", sa.BigInteger, nullable=False),  # the number of its last op
    sa.Column("clock", _bytewise, nullable=False),  # its latest merge clock
)

device = sa.Table(
    "sync_device",
    metadata,
    sa.Column("id", _bytewise, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("team", _bytewise),
    sa.Column("public_key", sa.String, nullable=False),
    sa.Column("age_recipient", sa.String),
    sa.Column("token_hash", sa.String, unique=True),
    sa.Column("enrolled_at", sa.String, nullable=False),
    sa.Column("revoked", sa.Boolean, nullable=False, default=False),
    sa.Column("through", sa.BigInteger, nullable=False),  # the last op held of it
    sa.Column("head", sa.String, nullable=False),  # the hash of that op
    sa.Column("clock", _bytewise, nullable=False),  # its latest merge clock; for the own device: its HLC
    sa.Column("seen_at", sa.String),
    sa.Column("status", sa.Text),  # JSON: what it last said of itself
    sa.Column("earlier", _bytewise),  # the device that the same laptop was before
)

node = sa.Table(
    "node",
    metadata,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),  # JSON
)

cursor = sa.Table(
    "cursor",
    metadata,
    sa.Column("stream", _bytewise, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("head", sa.BigInteger),  # how far it goes; null: nothing more is known to come
    sa.Column("as_of", sa.String),  # the server's time when a pull last reached the end; null: none has yet
)

enrolment_code = sa.Table(
    "enrolment_code",
    metadata,
    sa.Column("hash", sa.String, primary_key=True),
    sa.Column("team", _bytewise, nullable=False),
    sa.Column("expires_at", sa.String, nullable=False),
    sa.Column("device", _bytewise),  # who used it
)

enrolment_attempt = sa.Table(
    "enrolment_attempt",
    metadata,
    sa.Column("address", sa.String, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("since", sa.String, nullable=False),
)

blob = sa.Table(
    "blob",
    metadata,
    sa.Column("sha256", sa.String, primary_key=True),
    sa.Column("media_type", sa.String, nullable=False),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
    sa.Column("sent", sa.BigInteger),  # a laptop's: how much of it the centre has; null: nobody knows, ask
)

# What the centre has not got whole. Without the index every photo is read, because `sent` lies behind its bytes.
unsent = sa.or_(blob.c.sent.is_(None), blob.c.sent < sa.func.length(blob.c.bytes))
sa.Index("ix_blob_unsent", blob.c.sha256, sqlite_where=unsent, postgresql_where=unsent)

blob_name = sa.Table(
    "blob_name",
    metadata,
    sa.Column("device", _bytewise, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sha256", _bytewise, primary_key=True, index=True),
    sa.Column("media_type", sa.String),
    sa.ForeignKeyConstraint(["device", "seq"], ["op.device", "op.seq"], ondelete="CASCADE"),
)

# Uploads that are not whole yet, at the centre: each device has its own.
blob_upload = sa.Table(
    "blob_upload",
    metadata,
    sa.Column("device", _bytewise, primary_key=True),
    sa.Column("sha256", _bytewise, primary_key=True),
    sa.Column("length", sa.BigInteger, nullable=False),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("touched_at", _bytewise, nullable=False),
)

blob_part = sa.Table(
    "blob_part",
    metadata,
    sa.Column("device", _bytewise, primary_key=True),
    sa.Column("sha256", _bytewise, primary_key=True),
    sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(["device", "sha256"], ["blob_upload.device", "blob_upload.sha256"], ondelete="CASCADE"),
)
