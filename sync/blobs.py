"""Photos and signatures, kept by their SHA-256 (docs/protocol.md section 3): what is held here, and what waits."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.log import insert_new
from sync.tables import blob, blob_name
from sync.tables import op as op_table


def put(conn: Connection, name: str, media_type: str, data: bytes, *, sent: int = 0) -> None:
    """Keep a photo or signature under its SHA-256, in the transaction of the op that names it.

    `sent`: how much of it the other side has. Raises: ValueError when it has another name.
    """
    if sha256(data).hexdigest() != name:
        raise ValueError("a blob is named by its SHA-256")
    insert_new(conn, blob, [{"sha256": name, "media_type": media_type, "bytes": data, "sent": sent}])


def get(conn: Connection, name: str) -> tuple[str, bytes] | None:
    """(media type, bytes), or None."""
    row = conn.execute(sa.select(blob.c.media_type, blob.c.bytes).where(blob.c.sha256 == name)).first()
    return None if row is None else (row.media_type, row.bytes)


def size(conn: Connection, name: str) -> int | None:
    """Bytes of a blob that is held whole, else None."""
    found: int | None = conn.execute(sa.select(sa.func.length(blob.c.bytes)).where(blob.c.sha256 == name)).scalar()
    return found


def missing(conn: Connection) -> int:
    """How many blobs are named by an op that counts and not held here: on a laptop they are at the centre, there still
    on a laptop.
    """
    same = sa.and_(blob_name.c.device == op_table.c.device, blob_name.c.seq == op_table.c.seq)
    query = sa.select(sa.func.count(sa.distinct(blob_name.c.sha256))).select_from(blob_name).join(op_table, same)
    absent = blob_name.c.sha256.not_in(sa.select(blob.c.sha256))
    return int(conn.execute(query.where(op_table.c.body.is_not(None), absent)).scalar_one())


def verify(conn: Connection) -> Iterator[str]:
    """Findings in words, none when every blob has its name."""
    names = conn.execute(sa.select(blob.c.sha256).order_by(blob.c.sha256)).scalars().all()
    for name in names:
        found = get(conn, name)
        if found is not None and sha256(found[1]).hexdigest() != name:
            yield f"blob {name}: the bytes were altered, they do not have that hash"
