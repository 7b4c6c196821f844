"""The laptop's end of a bundle: what waits goes onto the stick, and the centre's answer comes back from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO

import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy.engine import Connection

from sync import age, blobs, bundle, intake, log, quarantine, reminding, tables
from sync.bundle import Blob
from sync.client import STOPPING, rest_clock
from sync.identity import answer_text, check_receipt, verify
from sync.log import Application, Begin
from sync.op import Op, check_op, malformed
from sync.problem import URN, Problem
from sync.sending import batch, take_answer
from sync.tables import blob, op
from sync.wire import Document, PullAnswer, PushAnswer, load

Progress = Callable[[int, int], None]
ROOM = 384 * 1024 * 1024
"""Bytes of blobs in one bundle, so that the centre reads it (`bundle.MAX_FILE`); the rest comes with the next."""


class Header(Document):
    device = fields.String(required=True)
    epoch = fields.String(required=True)
    sha256 = fields.String(required=True)
    sig = fields.String(required=True)


# --- up ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Exported:
    """What a bundle holds: own ops `first`…`last` (none when last < first), and so many blobs; `left` did not fit."""

    first: int
    last: int
    blobs: int = 0
    left: int = 0

    @property
    def ops(self) -> int:
        return self.last + 1 - self.first


def export(
    conn: Connection, file: BinaryIO, progress: Progress | None = None, app: Application | None = None
) -> Exported:
    """Write all that the centre has not acknowledged, of one view of the database, into `file`.

    `progress`: ops written, of how many. `app`: tells what a restored centre is reminded of.
    Raises: Problem `bundle-no-recipient` where the centre has told no recipient.
    """
    recipient = age.recipient_of(log.recall(conn, "server", {}).get("age_recipient"))
    if recipient is None:
        raise Problem("bundle-no-recipient")
    state = log.state(conn)
    done = Exported(state.through + 1, state.through)
    header = {} if app is None else reminding.said(conn, app)
    bundle.write(file, recipient, _parts(conn, header, done, state.waiting, progress or (lambda *_: None)))
    return done


def _parts(conn: Connection, more: dict[str, Any], done: Exported, waiting: int, progress: Progress) -> Iterator[bytes]:
    cursors = {row.stream: row.n for row in conn.execute(sa.select(tables.cursor).order_by(tables.cursor.c.stream))}
    header = {"version": bundle.VERSION, "device": log.own(conn), "epoch": log.recall(conn, "epoch")}
    yield bundle.line(header | {"cursors": cursors} | more)
    while (document := batch(conn, done.last + 1)) is not None:
        done.last += len(document["ops"])
        yield bundle.line(document)
        progress(done.ops, waiting)
    room = ROOM
    for name in _unsent(conn):
        found = blobs.get(conn, name)
        assert found is not None
        room -= len(found[1])
        if room < 0:
            done.left += 1
            continue
        done.blobs += 1
        yield bundle.blob_part(Blob(name, found[1]))


def _unsent(conn: Connection) -> list[str]:
    """Photos and signatures that the centre has not got whole, smallest first."""
    named = sa.exists().where(tables.blob_name.c.sha256 == blob.c.sha256)
    query = sa.select(blob.c.sha256).where(tables.unsent, named)
    return list(conn.execute(query.order_by(sa.func.length(blob.c.bytes), blob.c.sha256)).scalars())


def _mark_sent(conn: Connection, names: list[str]) -> None:
    for name in names:
        conn.execute(sa.update(blob).where(blob.c.sha256 == name).values(sent=sa.func.length(blob.c.bytes)))


# --- the answer ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Learned:
    """What an answer brought. `through`: what the centre holds of the own log, by its newest receipt here.

    `older`: the laptop had heard from the centre since; nothing that it knows better was changed.
    """

    through: int = 0
    pulled: int = 0
    older: bool = False
    stopped: Problem | None = None


@dataclass(slots=True)
class _Answer:
    """An answer that was read once and found whole."""

    header: dict[str, Any] = field(default_factory=dict)
    first: dict[str, Any] | None = None  # its first page, without the ops
    last: dict[str, Any] | None = None


def take(begin: Begin, app: Application, file: BinaryIO, now: datetime, progress: Progress | None = None) -> Learned:
    """Take the centre's answer: checked from end to end first, then each document in its own transaction.

    `progress`: ops taken, of nobody knows how many (0).
    Raises: Problem `bundle-…`, `malformed`, `receipt-invalid`: refused whole; `device-revoked` (`verified`), `fork`.
    """
    with begin() as conn:
        identity, me = age.identity(conn), log.own(conn)
        key = str(log.recall(conn, "server", {}).get("public_key"))
    if identity is None:
        raise Problem("bundle-not-ours")
    check = _Check(me, key)
    named = bundle.read(file, identity, check)
    if check.answer.header["sha256"] != named:
        raise bundle.damaged("内容与签过名的不符", "what it holds is not what was signed")
    try:
        with begin() as conn:
            learned = Learned(older=_is_older(conn, check.answer))
            _begin(conn, app, check.answer, learned)
        bundle.read(file, identity, _Taking(begin, app, now, learned, progress or (lambda *_: None)))
    except Problem as problem:
        if problem.name in STOPPING:
            with begin() as conn:
                log.remember(conn, trouble=problem.to_dict() | {"name": problem.name})
        raise
    with begin() as conn:
        _end(conn, check.answer, learned)
    return learned


class _Check:
    """The first reading: everything is looked at, nothing is kept."""

    def __init__(self, device: str, key: str) -> None:
        self._device, self._key = device, key
        self._parts = 0
        self.answer = _Answer()

    def __call__(self, part: bytes | Blob) -> None:
        self._parts += 1
        if self._parts == 1:
            self._header(part)
        elif isinstance(part, bytes):
            self._document(bundle.parsed(part))

    def _header(self, part: bytes | Blob) -> None:
        assert isinstance(part, bytes)
        document = bundle.parsed(part)
        bundle.check_version(document)
        header = load(Header, document)
        if header["device"] != self._device:
            raise Problem("bundle-not-ours")
        if not verify(self._key, answer_text(header["device"], header["sha256"]), header["sig"]):
            raise Problem("bundle-not-ours")
        self.answer.header = header

    def _document(self, document: dict[str, Any]) -> None:
        if "receipt" in document:
            _receipt_of(load(PushAnswer, document), self._key, self._device)
        elif "ops" in document:
            page = load(PullAnswer, document)
            if page["epoch"] != self.answer.header["epoch"]:
                raise bundle.damaged("开头与内容不符", "its header does not fit what it holds")
            for item in page["ops"]:
                _check_op(item)
            summary = {name: value for name, value in document.items() if name != "ops"}
            self.answer.first = self.answer.first or summary
            self.answer.last = summary
        elif not str(document.get("type", "")).startswith(URN):
            raise bundle.damaged("里面有看不懂的内容", "it holds something that nobody understands")


def _receipt_of(answer: dict[str, Any], key: str, device: str) -> dict[str, Any]:
    receipt: dict[str, Any] = answer["receipt"]
    if receipt["device"] != device or not check_receipt(key, receipt):
        raise Problem("receipt-invalid")
    _moment(receipt["at"])
    return receipt


def _check_op(item: dict[str, Any]) -> None:
    try:
        check_op(Op(**{name: item[name] for name in Op.__slots__}))
    except (KeyError, TypeError) as error:
        raise malformed("an op of a page lacks members") from error


def _moment(text: str) -> datetime:
    """Raises: Problem `malformed`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise malformed("no time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _known_at(conn: Connection) -> datetime | None:
    """When the centre was last heard of: by its page, its receipt, or an answer like this one."""
    receipt = log.recall(conn, "receipt")
    told = [log.recall(conn, "told_at"), receipt["at"] if receipt else None]
    return max((_moment(text) for text in told if text), default=None)


def _is_older(conn: Connection, answer: _Answer) -> bool:
    known = _known_at(conn)
    page = answer.first
    return bool(known and page and page.get("server_time") and _moment(page["server_time"]) < known)


def _begin(conn: Connection, app: Application, answer: _Answer, learned: Learned) -> None:
    """What must be so before anything of it is kept. Raises: Problem `bundle-outdated`, `fork`."""
    page = answer.first
    if page is None:
        return
    me = log.lock_device(conn, log.own(conn))
    if page["through"] > me.through:
        raise Problem("fork", seq=me.through + 1)
    if page["head"] != log.hash_at(conn, me.id, page["through"]):
        raise Problem("fork", seq=max(1, page["through"]))
    if page["epoch"] != log.recall(conn, "epoch"):
        if learned.older:
            raise Problem("bundle-outdated")
        intake.begin_epoch(conn, me.id, page["epoch"])
        reminding.begin(conn, app)


class _Taking:
    """The second reading."""

    def __init__(self, begin: Begin, app: Application, now: datetime, learned: Learned, progress: Progress) -> None:
        self._begin, self._app, self._now, self._progress = begin, app, now, progress
        self._learned = learned
        self._parts = 0
        self._reached: dict[str, int] | None = None

    def __call__(self, part: bytes | Blob) -> None:
        self._parts += 1
        if self._parts == 1 or isinstance(part, Blob):
            return
        document = bundle.parsed(part)
        with self._begin() as conn:
            if "receipt" in document:
                self._push_answer(conn, document)
            elif "ops" in document:
                self._page(conn, document)
            else:
                self._problem(conn, Problem.from_dict(document))

    def _push_answer(self, conn: Connection, answer: dict[str, Any]) -> None:
        """A receipt only if it is not older; and only where the answers before it have come too."""
        receipt, known = answer["receipt"], log.recall(conn, "receipt")
        acked = int(log.recall(conn, "acked", 0))
        first, last = int(answer.get("from", acked + 1)), int(answer.get("last", answer["through"]))
        older = known and (_moment(receipt["at"]), receipt["through"]) < (_moment(known["at"]), known["through"])
        if not older and first <= acked + 1 and last >= acked:
            take_answer(conn, self._app, first, last, answer)
            _hear_again(conn, {item["seq"] for item in answer["quarantined"]})

    def _page(self, conn: Connection, page: dict[str, Any]) -> None:
        counted = _counted(conn, page, self._learned.older, self._reached)
        self._reached = page["cursors"]
        acked = log.recall(conn, "acked", 0)
        self._learned.pulled += intake.take_page(conn, self._app, counted, self._now)
        if self._learned.older:
            log.remember(conn, acked=acked)  # it held less then
        _mark_sent(conn, page.get("blobs", []))
        self._progress(self._learned.pulled, 0)

    def _problem(self, conn: Connection, problem: Problem) -> None:
        if problem.name == "device-revoked":
            problem.verified = True
            raise problem
        if self._learned.older or problem.name not in ("gap", "fork"):
            return
        self._learned.stopped = problem
        if problem.name == "gap":
            acked = int(log.recall(conn, "acked", 0))
            log.remember(conn, acked=min(acked, int(problem.members["through"])))


def _hear_again(conn: Connection, held: set[int]) -> None:
    """What was said of held ops since the answer was made may have come over a line already; not what a restored centre
    has not numbered again.
    """
    if held:
        words = op.c.kind.in_(("op.released", "op.dismissed"))
        query = sa.select(op).where(words, op.c.body.is_not(None), op.c.n.is_not(None))
        said = [log.to_entry(row).op for row in conn.execute(query.order_by(op.c.clock))]
        for one in said:
            if one.body.get("seq") in held:
                quarantine.hear(conn, one)


def _counted(conn: Connection, page: dict[str, Any], older: bool, reached: dict[str, int] | None) -> dict[str, Any]:
    """What of a page counts here: the streams whose cursor has reached its start, of those that are granted."""
    own = {row.stream: row.n for row in conn.execute(sa.select(tables.cursor))}
    granted = set(log.recall(conn, "grants", [])) if older else set(page["grants"])
    start = _start_of(page, reached)
    counts = {name for name in page["cursors"] if name in granted and own.get(name, 0) >= start[name]}
    return page | {
        "grants": sorted(granted),
        "ops": [item for item in page["ops"] if item["stream"] in counts],
        "cursors": {name: n for name, n in own.items() if name in granted}
        | {name: max(own.get(name, 0), page["cursors"][name]) for name in counts},
        "more": page["more"] or older or counts != set(page["cursors"]),
        "heads": {},  # of what did not count here, nothing has come to its end
    }


def _start_of(page: dict[str, Any], reached: dict[str, int] | None) -> dict[str, int]:
    """Where a page starts: as it says, else where the one before it ended, else right before its first op."""
    if isinstance(said := page.get("start"), dict):
        return {name: int(said.get(name, 0)) for name in page["cursors"]}
    if reached is not None:
        return {name: reached.get(name, 0) for name in page["cursors"]}
    first = dict(page["cursors"])
    for item in page["ops"]:
        first[item["stream"]] = min(first.get(item["stream"], item["n"]), item["n"] - 1)
    return first


def _end(conn: Connection, answer: _Answer, learned: Learned) -> None:
    """What the laptop knows now, and from when."""
    learned.through = int(log.recall(conn, "acked", 0))
    told = (answer.first or {}).get("server_time")
    if learned.older or told is None:
        return
    if learned.stopped is not None and learned.stopped.name == "fork":
        trouble = learned.stopped.to_dict() | {"name": "fork"}
        log.remember(conn, told_at=told, trouble=trouble)
        return
    log.remember(conn, told_at=told, synced_at=told, trouble=None)
    rest_clock(conn)
