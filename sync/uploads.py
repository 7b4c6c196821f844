"""The centre's end of blobs: uploads that go on where they stopped, and whole ones to read (docs/protocol.md 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from sync import blobs, tables
from sync.enrolment import device_of_token
from sync.log import Application, Begin
from sync.op import HEX64, malformed
from sync.problem import Problem
from sync.tables import blob_name, blob_part, blob_upload
from sync.tables import op as op_table
from sync.wire import MAX_BLOB, too_large

MOST_OPEN = 8
"""Uploads of one device that may stand open: with one more, the one that nobody touched for longest goes."""
KEPT = timedelta(days=7)
"""An upload that is not touched for so long goes, whoever's it is."""
PART = 64 * 1024
"""Small parts are joined until they are this long: a device that sends bytes one by one makes no million rows."""


@dataclass(frozen=True, slots=True)
class Held:
    """How much of a blob is here: bytes, of how many (None: nobody said yet)."""

    offset: int
    length: int | None

    @property
    def whole(self) -> bool:
        return self.offset == self.length


def state(begin: Begin, app: Application, token: str | None, name: str) -> Held:
    """Answer HEAD: what is held of a blob, of an upload what came from this device.

    Raises: Problem `unauthorized`, `device-revoked`, `not-found`.
    """
    with begin() as conn:
        device = device_of_token(conn, token)
        if not _named_by(conn, device, name) and not _readable(conn, app, device.id, name):
            raise Problem("not-found")
        return _held(conn, device.id, name)


def admit(begin: Begin, token: str | None, name: str) -> None:
    """Whether a device may upload a blob, before a byte of it is read.

    Raises: Problem `unauthorized`, `device-revoked`, `not-found`.
    """
    with begin() as conn:
        _admit(conn, token, name)


def append(
    begin: Begin, token: str | None, name: str, offset: int, length: int, data: bytes, now: datetime
) -> Held:  # fmt: skip
    """Answer PATCH: keep the bytes from `offset` on; with the last one the blob is kept, if it has its name.

    Raises: Problem `unauthorized`, `device-revoked`, `not-found`, `too-large`, `malformed`, `offset-mismatch`
    (`offset`), `hash-mismatch` (what came of it is thrown away).
    """
    if length > MAX_BLOB:
        raise too_large(MAX_BLOB)
    if offset + len(data) > length:
        raise malformed("more bytes than Upload-Length says")
    with begin() as conn:
        device = _admit(conn, token, name).id
        held = _held(conn, device, name)
        if held.whole:
            _drop(conn, device, name)  # somebody else was faster
        elif held.length not in (None, length):
            _drop(conn, device, name)  # one of the two lengths is wrong: begin anew with this one
            held = Held(0, None)
        if offset != held.offset:
            whole = {"complete": True} if held.whole else {}
            raise Problem("offset-mismatch", "", offset=held.offset, **whole)
        if held.whole:
            return held
        held = Held(offset + len(data), length)
        _keep(conn, device, name, held, data, now)
        right = not held.whole or _finish(conn, device, name)
    if not right:
        raise Problem("hash-mismatch")
    return held


def read(begin: Begin, app: Application, token: str | None, name: str) -> tuple[str, bytes]:
    """Answer GET: (media type, bytes). Raises: Problem `unauthorized`, `device-revoked`, `not-found`."""
    with begin() as conn:
        device = device_of_token(conn, token)
        found = blobs.get(conn, name) if _readable(conn, app, device.id, name) else None
    if found is None:
        raise Problem("not-found")
    return found


def _admit(conn: Connection, token: str | None, name: str) -> Row[tuple[object, ...]]:
    device = device_of_token(conn, token)
    if not _named_by(conn, device, name):
        raise Problem("not-found")
    return device


def _named_by(conn: Connection, device: Row[tuple[object, ...]], name: str) -> bool:
    """Whether an op of this device names it, also one in quarantine, or of a device that the same laptop was before."""
    if HEX64.fullmatch(name) is None:
        return False
    same, earlier = [device.id], device.earlier
    while earlier is not None and earlier not in same:
        same.append(earlier)
        earlier = conn.execute(sa.select(tables.device.c.earlier).where(tables.device.c.id == earlier)).scalar()
    query = _naming(name).where(op_table.c.device.in_(same))
    return conn.execute(query.limit(1)).first() is not None


def _readable(conn: Connection, app: Application, device: str, name: str) -> bool:
    """Whether a numbered op of a stream that is granted to it names it."""
    if HEX64.fullmatch(name) is None:
        return False
    streams = conn.execute(_naming(name).where(op_table.c.n.is_not(None)).distinct()).scalars().all()
    grants = app.grants(conn, device) if streams else None
    return grants is not None and any(grants.cover(stream) for stream in streams)


def _naming(name: str) -> sa.Select[tuple[str]]:
    """The streams of ops that name a blob; one that was erased names nothing."""
    same = sa.and_(blob_name.c.device == op_table.c.device, blob_name.c.seq == op_table.c.seq)
    query = sa.select(op_table.c.stream).select_from(blob_name).join(op_table, same)
    return query.where(blob_name.c.sha256 == name, op_table.c.body.is_not(None))


def _held(conn: Connection, device: str, name: str) -> Held:
    size = blobs.size(conn, name)
    if size is not None:
        return Held(size, size)
    where = sa.and_(blob_upload.c.device == device, blob_upload.c.sha256 == name)
    row = conn.execute(sa.select(blob_upload.c.received, blob_upload.c.length).where(where)).first()
    return Held(0, None) if row is None else Held(row.received, row.length)


def _drop(conn: Connection, device: str, name: str) -> None:
    for table in (blob_part, blob_upload):
        conn.execute(sa.delete(table).where(table.c.device == device, table.c.sha256 == name))


def _keep(conn: Connection, device: str, name: str, held: Held, data: bytes, now: datetime) -> None:
    """Append bytes that reach to `held.offset`; a device's oldest uploads make room for a new one."""
    values = {"length": held.length, "received": held.offset, "touched_at": now.isoformat()}
    where = sa.and_(blob_upload.c.device == device, blob_upload.c.sha256 == name)
    if not conn.execute(sa.update(blob_upload).where(where).values(**values)).rowcount:
        _make_room(conn, device, now)
        conn.execute(sa.insert(blob_upload).values(device=device, sha256=name, **values))
    if not data:
        return
    of_blob = sa.and_(blob_part.c.device == device, blob_part.c.sha256 == name)
    last = conn.execute(
        sa.select(blob_part.c.start, blob_part.c.bytes).where(of_blob).order_by(blob_part.c.start.desc()).limit(1)
    ).first()
    if last is not None and len(last.bytes) + len(data) <= PART:
        same = sa.and_(of_blob, blob_part.c.start == last.start)
        conn.execute(sa.update(blob_part).where(same).values(bytes=last.bytes + data))
    else:
        start = held.offset - len(data)
        conn.execute(sa.insert(blob_part).values(device=device, sha256=name, start=start, bytes=data))


def _make_room(conn: Connection, device: str, now: datetime) -> None:
    mine = sa.select(blob_upload.c.sha256).where(blob_upload.c.device == device)
    for name in conn.execute(mine.order_by(blob_upload.c.touched_at.desc()).offset(MOST_OPEN - 1)).scalars().all():
        _drop(conn, device, name)
    old = sa.select(blob_upload.c.device, blob_upload.c.sha256)
    # Another device's row may be locked by its upload of now: then it is not old, and is left alone.
    old = old.where(blob_upload.c.touched_at < (now - KEPT).isoformat()).with_for_update(skip_locked=True)
    for row in conn.execute(old).all():
        _drop(conn, row.device, row.sha256)


def _finish(conn: Connection, device: str, name: str) -> bool:
    """Keep a whole upload as a blob, if its bytes have that hash. It is an upload no more, either way."""
    of_blob = sa.and_(blob_part.c.device == device, blob_part.c.sha256 == name)
    parts = conn.execute(sa.select(blob_part.c.bytes).where(of_blob).order_by(blob_part.c.start)).scalars()
    data = b"".join(parts)
    right = sha256(data).hexdigest() == name
    if right:
        _put(conn, device, name, data)
    _drop(conn, device, name)
    return right


def keep(conn: Connection, device: Row[tuple[object, ...]], name: str, data: bytes) -> bool:
    """Keep a whole blob that came another way, if an op of the device names it. Raises: ValueError as `blobs.put`."""
    named = _named_by(conn, device, name)
    if named:
        _put(conn, device.id, name, data)
        _drop(conn, device.id, name)
    return named


def _put(conn: Connection, device: str, name: str, data: bytes) -> None:
    """Its media type is what the ops say that name it."""
    said = sa.select(blob_name.c.media_type).where(blob_name.c.sha256 == name, blob_name.c.media_type.is_not(None))
    media_type = conn.execute(said.order_by(blob_name.c.device != device, blob_name.c.seq).limit(1)).scalar()
    blobs.put(conn, name, media_type or "application/octet-stream", data, sent=len(data))
