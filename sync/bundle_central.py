"""The centre's end of a bundle: all of it checked, then taken as if it had been pushed; and what to bring back."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, BinaryIO

import sqlalchemy as sa
from marshmallow import fields, validate
from sqlalchemy.engine import Connection, Row

from sync import age, bundle, log, quarantine, server, tables, uploads
from sync.bundle import Blob
from sync.identity import KeyPair, answer_text
from sync.log import Application, Begin
from sync.problem import Problem
from sync.wire import MOST_REMINDERS, Document, Whole, load

PAGE = 2000
HELD = 64 * 1024 * 1024
"""Packed bytes of an answer that stand in memory; what is more comes with the next one."""

Progress = Callable[[int], None]
Admit = Callable[[Connection, str], None]


class Header(Document):
    """`cursors` and `epoch` as a pull has them."""

    device = fields.String(required=True)
    epoch = fields.String(allow_none=True)
    cursors = fields.Dict(keys=fields.String(), values=Whole())
    erasures = fields.List(fields.Raw(), validate=validate.Length(max=MOST_REMINDERS))


@dataclass(slots=True)
class Taken:
    """What became of a bundle. `received`: ops that were new; `held`: for review, of all that it brought.

    `stopped`: a gap or a fork, where the rest was left. `said`: the answers, as the laptop will read them.
    """

    device: str
    header: dict[str, Any]
    through: int = 0
    received: int = 0
    held: int = 0
    blobs: int = 0
    strange_blobs: int = 0
    revoked: bool = False
    stopped: Problem | None = None
    said: list[dict[str, Any]] = field(default_factory=list)
    whole_blobs: list[str] = field(default_factory=list)


class _Stop(Exception):  # noqa: N818 (no error)
    """A gap or a fork: what came before stands."""


def take(
    begin: Begin, app: Application, file: BinaryIO, now: datetime, progress: Progress | None = None,
    admit: Admit | None = None,
) -> Taken:  # fmt: skip
    """Take a bundle: checked from end to end before anything is written, then each document in its own transaction.

    `file`: the same bytes for as long as this lasts. `progress`: told how many ops were taken so far. `admit`: raises
    where whoever brings it may not bring this device's.
    Raises: Problem `bundle-…`, `chain-broken`, `bad-signature`, `malformed`, `too-large`: the whole file is refused.
    """
    with begin() as conn:
        identity = age.identity(conn)
    if identity is None:
        raise Problem("bundle-not-ours")
    check = _Check(begin)
    bundle.read(file, identity, check)
    assert check.device is not None
    if admit is not None:
        with begin() as conn:
            admit(conn, check.device.id)
    taking = _Taking(begin, app, now, check, progress or (lambda _: None))
    with suppress(_Stop):
        bundle.read(file, identity, taking)
    quarantine.settle(begin, app, now)
    return taking.taken


class _Check:
    """The first reading: nothing is kept but who it is from."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self.header: dict[str, Any] = {}
        self.device: Row[Any] | None = None

    def __call__(self, part: bytes | Blob) -> None:
        if self.device is None:
            assert isinstance(part, bytes)
            document = bundle.parsed(part)
            bundle.check_version(document)
            self.header = load(Header, document)
            with self._begin() as conn:
                self.device = conn.execute(_row(self.header["device"])).first()
            if self.device is None:
                raise Problem("bundle-unknown-device", device=self.header["device"])
        elif isinstance(part, bytes):
            _checked(self.device, part)


def _row(device: str) -> sa.Select[Any]:
    return sa.select(tables.device).where(tables.device.c.id == device, tables.device.c.team.is_not(None))


def _checked(device: Row[Any], text: bytes) -> server.Batch:
    try:
        return server.check_document(device.id, device.public_key, text)
    except Problem as problem:
        if problem.name == "unauthorized":
            raise bundle.damaged("里面混有另一台设备的记录", "records of another device are among its own") from None
        raise


class _Taking:
    """The second reading."""

    def __init__(self, begin: Begin, app: Application, now: datetime, check: _Check, progress: Progress) -> None:
        self._begin, self._app, self._now, self._progress = begin, app, now, progress
        assert check.device is not None
        self._device = check.device
        self._parts = 0
        self.taken = Taken(check.device.id, check.header, through=check.device.through, revoked=check.device.revoked)

    def __call__(self, part: bytes | Blob) -> None:
        self._parts += 1
        if isinstance(part, Blob):
            self._one_blob(part)
        elif self._parts == 1 and (said := self.taken.header.get("erasures")):
            with self._begin() as conn:
                self._app.remind(conn, said, self._now)
        elif self._parts > 1:
            self._one_document(_checked(self._device, part))

    def _one_document(self, batch: server.Batch) -> None:
        taken = self.taken
        try:
            with self._begin() as conn:
                device = log.lock_device(conn, taken.device)
                answer = server.take_document(conn, self._app, device, batch, self._now)
                server.note_seen(conn, device, None, self._now)
        except Problem as problem:
            if problem.name not in ("gap", "fork"):
                raise
            taken.stopped = problem
            raise _Stop from problem
        taken.received += max(0, answer["through"] - max(device.through, batch.first - 1))
        taken.through = max(taken.through, answer["through"])
        taken.held += len(answer["quarantined"])
        taken.revoked = device.revoked
        taken.said.append(answer | {"from": batch.first, "last": batch.last})
        self._progress(taken.received)

    def _one_blob(self, blob: Blob) -> None:
        with self._begin() as conn:
            ours = uploads.keep(conn, self._device, blob.name, blob.data)
        if ours:
            self.taken.blobs += 1
            self.taken.whole_blobs.append(blob.name)
        else:
            self.taken.strange_blobs += 1


# --- the answer ----------------------------------------------------------------------------------------------


def answer(begin: Begin, app: Application, taken: Taken, file: BinaryIO, now: datetime) -> bool:
    """Write what the laptop is to bring back: answers, then pages from its cursors on. False: it told no recipient.

    A revoked device learns that, and nothing else.
    """
    with begin() as conn:
        device = conn.execute(_row(taken.device)).one()
        key = KeyPair.from_private(log.recall(conn, "private_key"))
        epoch = log.recall(conn, "epoch")
    recipient = age.recipient_of(device.age_recipient)
    if recipient is None:
        return False
    rest, kept = sha256(), []
    for document in _answers(begin, app, taken, device.revoked, now):
        text = bundle.line(document)
        rest.update(text)
        kept.append(zlib.compress(text, 6))
        if sum(map(len, kept)) > HELD:
            break
    named = rest.hexdigest()
    header = {
        "version": bundle.VERSION, "device": device.id, "epoch": epoch, "sha256": named,
        "sig": key.sign(answer_text(device.id, named)),
    }  # fmt: skip
    bundle.write(file, recipient, _parts(header, kept))
    return True


def _parts(header: dict[str, Any], kept: list[bytes]) -> Iterator[bytes]:
    yield bundle.line(header)
    yield from map(zlib.decompress, kept)


def _answers(
    begin: Begin, app: Application, taken: Taken, revoked: bool, now: datetime
) -> Iterator[dict[str, Any]]:  # fmt: skip
    if revoked:
        yield Problem("device-revoked").to_dict()
        return
    yield from taken.said
    if taken.stopped is not None:
        yield taken.stopped.to_dict()
    epoch, cursors = taken.header.get("epoch"), taken.header.get("cursors", {})
    blobs_held = {"blobs": taken.whole_blobs} if taken.whole_blobs else {}
    while True:
        with begin() as conn:
            device = log.lock_device(conn, taken.device)
            page = server.pull_page(conn, app, device, epoch, cursors, PAGE, now)
        start = cursors if epoch == page["epoch"] else {}
        yield page | {"start": {name: start.get(name, 0) for name in page["cursors"]}} | blobs_held
        if not page["more"]:
            return
        epoch, cursors, blobs_held = page["epoch"], page["cursors"], {}
