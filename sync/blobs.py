"""Photos and signatures, kept by their SHA-256 (docs/protocol.md section 3): what is here, and a laptop's sending."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import log
from sync.problem import Problem
from sync.rows import insert_new
from sync.tables import blob, blob_name, unsent
from sync.tables import op as op_table

if TYPE_CHECKING:
    from sync.link import Link

DRAWN = "image/svg+xml"
SMALLEST, FIRST, LARGEST = 4 * 1024, 16 * 1024, 512 * 1024
"""Bytes of a piece: small enough that an op waits for none, and that a cut costs little."""
AIM_S = 4.0
"""How long a piece may keep the line."""
ASK_FIRST = 4 * 1024
"""Of a blob longer than this, which the centre may have already, nothing is sent before asking."""
PATIENCE = 3
"""How often in one sync the centre may say something that does not help."""
PACE = "blob_pace"


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


def held(conn: Connection, names: Collection[str]) -> set[str]:
    """Those of the names whose blob is here."""
    return set(conn.execute(sa.select(blob.c.sha256).where(blob.c.sha256.in_(sorted(names)))).scalars())


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


# --- what a laptop has to send ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """Blobs that the centre has not got whole, and their bytes that it has not got."""

    signatures: int = 0
    signature_bytes: int = 0
    photos: int = 0
    photo_bytes: int = 0

    @property
    def count(self) -> int:
        return self.signatures + self.photos

    @property
    def bytes(self) -> int:
        return self.signature_bytes + self.photo_bytes


_length = sa.func.length(blob.c.bytes)
_left = _length - sa.func.coalesce(blob.c.sent, 0)
_same = sa.and_(blob_name.c.device == op_table.c.device, blob_name.c.seq == op_table.c.seq)
_there = sa.or_(op_table.c.device != sa.bindparam("me"), op_table.c.seq <= sa.bindparam("acked"))
_mine = sa.exists().where(blob_name.c.sha256 == blob.c.sha256, blob_name.c.device == sa.bindparam("me"))
_QUEUE = (
    sa.select(blob.c.sha256)
    .where(unsent, sa.exists().where(blob_name.c.sha256 == blob.c.sha256, _same, _there))
    .order_by(~_mine, _length, blob.c.sha256)
)
_unsent = sa.and_(unsent, sa.exists().where(blob_name.c.sha256 == blob.c.sha256))
_drawn = (blob.c.media_type == DRAWN).label("drawn")
_WAITING = (
    sa.select(_drawn, sa.func.count().label("number"), sa.func.sum(_left).label("bytes"))
    .where(_unsent)
    .group_by(_drawn)
)


def waiting(conn: Connection) -> Waiting:
    """What there is to send, by kind; nothing of it waits for an op."""
    rows = {bool(row.drawn): (row.number, int(row.bytes)) for row in conn.execute(_WAITING)}
    return Waiting(*rows.get(True, (0, 0)), *rows.get(False, (0, 0)))


def ask_again(conn: Connection) -> None:
    """The centre was restored: what it had may be gone there."""
    conn.execute(sa.update(blob).values(sent=None))


def drop_unnamed(conn: Connection) -> None:
    """Ops went away with a stream, and with them what only they named."""
    conn.execute(sa.delete(blob).where(blob.c.sha256.not_in(sa.select(blob_name.c.sha256))))


def speed(conn: Connection) -> int | None:
    """Bytes a second that pieces took lately, None before the first one."""
    found = log.recall(conn, PACE, {}).get("speed")
    return found if isinstance(found, int) else None


def send_all(link: Link) -> bool:
    """Send what waits, smallest first, in pieces that go on where they stopped. What was sent stays here.

    False: an op was recorded meanwhile, which goes first. Nothing is sent where only text is wanted ("text_only").
    Raises: Problem, as a sync does; what the centre does not want is left for another time instead.
    """
    with link.begin() as conn:
        names = [] if log.recall(conn, "text_only") else _queue(conn)
        if not names:
            return True
        upload = _Upload(link, log.recall(conn, "token"), log.state(conn).last_seq, _Pace.of(conn), waiting(conn).bytes)
    for number, name in enumerate(names):
        link.tell("blobs", number, len(names))
        if not upload.send(name):
            return False
        if upload.refused >= PATIENCE:
            return True
    return True


def fetch(link: Link, name: str) -> bool:
    """Get a blob that another laptop made; false where the centre has not got it either. Raises: Problem."""
    with link.begin() as conn:
        token = log.recall(conn, "token")
        said = sa.select(blob_name.c.media_type).where(blob_name.c.sha256 == name, blob_name.c.media_type.is_not(None))
        media_type = conn.execute(said.limit(1)).scalar() or "application/octet-stream"
    try:
        reply = link.blob(name, token)
    except Problem as problem:
        if problem.name != "not-found":
            raise
        return False
    if sha256(reply.data).hexdigest() != name:
        raise Problem("hash-mismatch")
    with link.begin() as conn:
        put(conn, name, media_type, reply.data, sent=len(reply.data))
    return True


def _queue(conn: Connection) -> list[str]:
    """Names of what waits and is named by an op that the centre holds: smallest first, of those that it surely takes
    before those that are not named by this very device.
    """
    asked = {"me": log.own(conn), "acked": int(log.recall(conn, "acked", 0))}
    return list(conn.execute(_QUEUE, asked).scalars())


def _named_by(devices: Collection[str]) -> sa.ColumnElement[bool]:
    return sa.exists().where(blob_name.c.sha256 == blob.c.sha256, blob_name.c.device.in_(devices))


@dataclass(slots=True)
class _Pace:
    """Bytes of the next piece, after what the pieces before took."""

    piece: int
    speed: int | None

    @classmethod
    def of(cls, conn: Connection) -> _Pace:
        kept = log.recall(conn, PACE, {})
        return cls(min(max(int(kept.get("piece", FIRST)), SMALLEST), LARGEST), kept.get("speed"))

    def took(self, size: int, seconds: float) -> None:
        if size < self.piece and size < FIRST:
            return  # the end of a blob, which is mostly waiting for the answer
        if seconds > 0:
            self.speed = int(size / seconds)
        aimed = int(self.piece * AIM_S / max(seconds, AIM_S / 2))
        self.piece = min(max(aimed, self.piece // 2, SMALLEST), LARGEST)

    def failed(self) -> None:
        self.piece = max(self.piece // 2, SMALLEST)

    def keep(self, conn: Connection) -> None:
        kept = {"piece": self.piece, "speed": self.speed}
        if log.recall(conn, PACE) != kept:
            log.remember(conn, **{PACE: kept})


@dataclass(slots=True)
class _Upload:
    """One sync's sending. `last_seq`: of the own log when it began; `done` of `total` bytes."""

    link: Link
    token: str | None
    last_seq: int
    pace: _Pace
    total: int
    done: int = 0
    refused: int = 0

    def send(self, name: str) -> bool:
        """One blob to its end, or until it is refused; false: an op goes first."""
        with self.link.begin() as conn:
            data = (get(conn, name) or ("", b""))[1]
            sent = conn.execute(sa.select(blob.c.sent).where(blob.c.sha256 == name)).scalar()
        if sha256(data).hexdigest() != name:
            return True  # damaged here, which `verify` tells
        asks = sent is None and len(data) > ASK_FIRST
        offset = min(sent or 0, len(data))
        while self._first():
            self.link.tell("blobs", min(self.done, self.total), self.total)
            piece = b"" if asks else data[offset : offset + self.pace.piece]
            self.link.tell("blobs", self.done, self.total)
            reached = self._piece(name, piece, offset, len(data))
            if reached is None:
                return True
            self.done = min(self.done + max(reached - offset, 0), self.total)
            self.done += max(reached - offset, 0)
            asks, offset = False, reached
            with self.link.begin() as conn:
                conn.execute(sa.update(blob).where(blob.c.sha256 == name).values(sent=offset))
                self.pace.keep(conn)
            if offset == len(data):
                return True
            if self.refused >= PATIENCE:
                return True
        return False

    def _first(self) -> bool:
        """Whether no op was recorded since."""
        with self.link.begin() as conn:
            return log.state(conn).last_seq == self.last_seq

    def _piece(self, name: str, piece: bytes, offset: int, length: int) -> int | None:
        """Send a piece; how far the centre has come, None when it does not want this blob now."""
        began = self.link.now()
        try:
            reached = self.link.blob(name, self.token, piece, offset, length).offset
            if reached != offset + len(piece):
                raise Problem("server-error", "another offset than what was sent", http_status=204)
        except Problem as problem:
            return self._refused(name, problem, length)
        self.pace.took(len(piece), _seconds(began, self.link.now()))
        return reached

    def _refused(self, name: str, problem: Problem, length: int) -> int | None:
        if problem.name == "offset-mismatch":
            right = problem.members.get("offset")
            if isinstance(right, int) and 0 <= right <= length:
                self.refused += right != length
                return right
        elif problem.name == "hash-mismatch":
            self.refused += 1
            return 0
        elif problem.kind.retry or problem.name in ("unauthorized", "device-revoked", "other-server"):
            self.pace.failed()
            with self.link.begin() as conn:
                self.pace.keep(conn)
            raise problem
        # A centre of before blobs, or one that has not got the op after all.
        self.refused += not self._leave(name)
        return None

    def _leave(self, name: str) -> bool:
        """What no own op names was fetched from the centre, which takes it from nobody but its author (`ask_again`)."""
        with self.link.begin() as conn:
            ours = _named_by([log.own(conn), *log.recall(conn, "earlier", [])])
            theirs = sa.and_(blob.c.sha256 == name, ~ours)
            return bool(conn.execute(sa.update(blob).where(theirs).values(sent=_length)).rowcount)


def _seconds(began: datetime, ended: datetime) -> float:
    """A clock may be put back meanwhile."""
    return max((ended - began).total_seconds(), 0.0)
