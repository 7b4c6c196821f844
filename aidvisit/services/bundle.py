"""Bundles of this home: what waits goes onto a stick, what a stick brings is taken, answers wait to be fetched."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.services.device import device_within
from aidvisit.services.sync import current_settings, resealing
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import House
from sync import bundle, bundle_central, bundle_field, clock
from sync.bundle_central import Taken
from sync.bundle_field import Exported, Learned
from sync.op import uuid7

SUFFIX = ".aidbundle"
FOLDER = "bundles"
"""Of a centre's home: for each laptop the last answer, encrypted to it, and what became of its last bundle."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a laptop's last bundle. `stopped`: the problem where the rest was left. `answer`: bytes of it,
    0 where the laptop has told no key. `at`: ISO 8601, UTC.
    """

    device: str
    name: str
    at: str
    received: int
    through: int
    held: int
    blobs: int
    strange_blobs: int
    revoked: bool
    stopped: dict[str, object] | None
    answer: int


def write(path: Path, progress: Progress | None = None) -> Exported:
    """Put what waits on this laptop into a file; there is a whole one, or none.

    Raises: Problem `bundle-no-recipient`, `not-writable`, `disk-full`.
    """
    beside = path.with_name(path.name + ".part")
    with _in_words(path):
        try:
            with beside.open("wb") as file:
                done = _export(file, progress)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    return done


def written() -> BinaryIO:
    """What waits on this laptop, in a file without a name that is gone when whoever sends it closes it.

    Raises: Problem `bundle-no-recipient`, `disk-full`.
    """
    file = scratch()
    try:
        with _in_words(current_settings().home):
            _export(file, None)
            file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _export(file: BinaryIO, progress: Progress | None) -> Exported:
    with reading() as conn:
        return bundle_field.export(conn, file, progress, House())


def name_of(device: str) -> str:
    """A file's name that says which laptop's it is and from when, and nothing about anybody."""
    return f"{device[-8:]}-{clock.wall():%Y%m%d-%H%M}{SUFFIX}"


def read(file: BinaryIO, progress: Progress | None = None) -> Learned:
    """Take the centre's answer on this laptop.

    Raises: Problem `bundle-…` and others that refuse it whole; `device-revoked`, `fork`.
    """
    with resealing(), _copied(file) as copy:
        return bundle_field.take(transaction, House(), copy, clock.wall(), progress)


def take(
    file: BinaryIO, *, actor: str, scope: Scope = EVERYTHING, progress: Progress | None = None
) -> Outcome:  # fmt: skip
    """Take a laptop's bundle at the centre and keep the answer to it (`answer_of`).

    `scope`: of who brings it. Raises: Problem `bundle-…` and others that refuse it whole; `unknown-device`.
    """

    def admit(conn: Connection, device: str) -> None:
        device_within(conn, scope, device)

    told = None if progress is None else lambda done: progress(done, 0)
    with _copied(file) as copy:
        taken = bundle_central.take(transaction, House(), copy, clock.wall(), told, admit)
    outcome = _keep(taken, _answer(taken))
    audit.record(actor, audit.BUNDLE, rows=taken.received, detail=taken.device)
    return outcome


def _answer(taken: Taken) -> int:
    path = _folder() / f"{taken.device}{SUFFIX}"
    beside = path.with_suffix(f".{uuid7()}.part")
    with _in_words(path):
        try:
            with beside.open("wb") as file:
                made = bundle_central.answer(transaction, House(), taken, file, clock.wall())
                size = file.tell()
            if made:
                beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    return size if made else 0


def _keep(taken: Taken, answer: int) -> Outcome:
    with reading() as conn:
        name = device_within(conn, EVERYTHING, taken.device).name
    stopped = None if taken.stopped is None else taken.stopped.to_dict() | {"name": taken.stopped.name}
    outcome = Outcome(
        taken.device, name, clock.wall().isoformat(timespec="seconds"), taken.received, taken.through, taken.held,
        taken.blobs, taken.strange_blobs, taken.revoked, stopped, answer,
    )  # fmt: skip
    path = _folder() / f"{taken.device}.json"
    with _in_words(path):
        beside = path.with_suffix(f".{uuid7()}.part")
        told = {name: getattr(outcome, name) for name in Outcome.__slots__}
        beside.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        beside.replace(path)
    return outcome


def outcomes(scope: Scope = EVERYTHING) -> list[Outcome]:
    """Of each laptop's last bundle, the newest first."""
    found = []
    for path in _folder().glob("*.json"):
        with suppress(OSError, ValueError, TypeError):  # what is no outcome, is none
            found.append(Outcome(**json.loads(path.read_text(encoding="utf-8"))))
    with reading() as conn:
        seen = [_as_now(conn, one) for one in found if _within(conn, scope, one.device)]
    return sorted(seen, key=lambda one: one.at, reverse=True)


def _within(conn: Connection, scope: Scope, device: str) -> bool:
    try:
        device_within(conn, scope, device)
    except Problem:
        return False
    return True


def _as_now(conn: Connection, one: Outcome) -> Outcome:
    """A revoked laptop gets nothing, an answer from before neither: its next bundle has one that says so."""
    since = device_within(conn, EVERYTHING, one.device).revoked and not one.revoked
    return replace(one, answer=0, revoked=True) if since else one


def answer_of(device: str, scope: Scope = EVERYTHING) -> Path:
    """The file with the last answer for a laptop; of one that was revoked since, nothing.

    Raises: Problem `unknown-device`, `not-found`.
    """
    with reading() as conn:
        found = device_within(conn, scope, device)
    kept = next((one for one in outcomes(scope) if one.device == found.id), None)
    path = _folder() / f"{found.id}{SUFFIX}"
    if kept is None or not kept.answer or not path.is_file():
        raise Problem("not-found")
    return path


def scratch() -> BinaryIO:
    """A file inside the home, without a name. Only what is encrypted is ever written to it."""
    home = current_settings().home
    with _in_words(home):
        return cast(BinaryIO, tempfile.TemporaryFile(dir=home, prefix=".bundle-"))


@contextmanager
def _copied(file: BinaryIO) -> Iterator[BinaryIO]:
    """The same bytes for as long as they are read twice: a stick may be pulled out, or changed."""
    with _in_words(current_settings().home), scratch() as copy:
        left = bundle.MAX_FILE + 1
        while piece := file.read(min(left, 1024 * 1024)):
            left -= len(piece)
            copy.write(piece)
        yield copy


def _folder() -> Path:
    folder = current_settings().home / FOLDER
    with _in_words(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Raises: Problem `disk-full`, `not-writable`."""
    try:
        yield
    except OSError as error:
        raise Problem("disk-full" if error.errno == errno.ENOSPC else "not-writable", path=str(path)) from error


def copy_answer(device: str, path: Path) -> None:
    """Raises: Problem `not-writable`, `disk-full`, `not-found`."""
    kept = answer_of(device)
    with _in_words(path):
        shutil.copyfile(kept, path)
