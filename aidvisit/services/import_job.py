"""A list that comes by page: kept in the database from step to step, worked at in a thread, told how far it is.

The steps: its columns are shown, then what would become of each row, then it is written. What a thread does is in one
transaction with the note that it is done; how far it is stands in a small file of numbers in the home, because a
reader sees nothing of a transaction that goes on.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from sqlalchemy import Connection

from aidvisit.errors import Problem
from aidvisit.services.import_ import Imported, import_into, told_elsewhere
from aidvisit.services.import_read import Choices, Reading
from aidvisit.services.import_show import columns_shown, rows_shown
from aidvisit.services.logs import without_words
from aidvisit.services.sheet import Plan, read_sheets
from aidvisit.services.sheet.refused import refused_tables
from aidvisit.services.sheet.unpack import MAX_FILE_BYTES, too_large
from aidvisit.services.sheet.write import workbook
from aidvisit.services.sync import current_settings
from aidvisit.store import uploads
from aidvisit.store.database import reading, transaction
from aidvisit.store.uploads import Upload
from sync import clock
from sync.op import uuid7

logger = logging.getLogger(__name__)

FOLDER = "imports"
BEAT_S = 2.0
DEAD_S = 60.0
"""Without a sign of life for so long, whoever worked at a list is gone: nothing of it was written."""
STARTING: dict[str, Any] = {"what": "reading", "done": 0, "of": 0}
DOING = ("columns", "preview", "done")


def keep(raw: bytes, name: str, *, owner: str, places: tuple[str, ...] | None) -> str:
    """Keep a file and begin to look at its columns; its id. Raises: Problem `no-file-chosen`, `sheet-too-large`."""
    if not raw:
        raise Problem("no-file-chosen")
    if len(raw) > MAX_FILE_BYTES:
        raise too_large(Path(name).name)
    identity = uuid7()
    with transaction() as conn:
        uploads.keep(conn, identity, owner, Path(name.replace("\\", "/")).name[:100] or "list", raw, clock.wall())
    begin(identity, "columns", owner=owner, places=places)
    return identity


def begin(
    identity: str, doing: str, *, owner: str, places: tuple[str, ...] | None, said: dict[str, Any] | None = None
) -> None:
    """Work at the next step in a thread, with what somebody said; nothing when somebody is at it already.

    Raises: Problem `unknown-upload`.
    """
    assert doing in DOING
    with transaction() as conn:
        if uploads.find(conn, identity, owner) is None:
            raise Problem("unknown-upload")
        _note(identity, STARTING)
        if not uploads.claim(conn, identity, owner, doing):
            return
        if said is not None:
            uploads.say(conn, identity, said)
    job = _Job(current_app._get_current_object(), identity, owner, places)  # type: ignore[attr-defined]
    threading.Thread(target=job.run, args=(doing,), name="import", daemon=True).start()


def state(identity: str, *, owner: str) -> tuple[Upload, dict[str, Any], dict[str, Any] | None]:
    """A list, what is to be shown of it, and how far the work is: {`what`, `done`, `of`}, None when none goes on.

    Raises: Problem `unknown-upload`.
    """
    with reading() as conn:
        found = uploads.find(conn, identity, owner)
        if found is None:
            raise Problem("unknown-upload")
        progress = _progress(identity) if found.doing else None
        if progress is not None:
            return found, {}, progress  # what is shown of a long list is long
        shown = uploads.shown(conn, identity)
    if found.doing is None:
        return found, shown, None
    with transaction() as conn:
        uploads.release(conn, identity)
    return found, shown | {"problem": Problem("import-interrupted").to_dict()}, None


def lists(owner: str) -> list[Upload]:
    with reading() as conn:
        return uploads.of(conn, owner)


def refused_file(identity: str, *, owner: str) -> bytes:
    """The spreadsheet of refused rows. Raises: Problem `unknown-upload`."""
    with reading() as conn:
        found = uploads.find(conn, identity, owner) and uploads.refused(conn, identity)
    if not found:
        raise Problem("unknown-upload")
    return found


def drop(identity: str, *, owner: str) -> None:
    with transaction() as conn:
        uploads.drop(conn, identity, owner)
    _file(identity).unlink(missing_ok=True)


def choices_of(said: dict[str, Any], places: tuple[str, ...] | None) -> Choices:
    """What a page noted as JSON."""
    return Choices(
        division=said.get("division") or None,
        trip=said.get("trip") or None,
        date=said.get("date") or None,
        team=said.get("team") or None,
        villages=said.get("villages", {}),
        layouts=said.get("layouts", {}),
        accept_sure=bool(said.get("accept_sure")),
        accepted={(sheet, int(row)): key for sheet, row, key in said.get("accepted", [])},
        households_only=said.get("goods") == "no",
        places=places,
    )


class _Job:
    """One step of one list, in a thread of its own."""

    def __init__(self, app: Flask, identity: str, owner: str, places: tuple[str, ...] | None) -> None:
        self.app, self.id, self.owner, self.places = app, identity, owner, places
        self.at = STARTING
        self.over = threading.Event()

    def run(self, doing: str) -> None:
        with self.app.app_context():
            beat = threading.Thread(target=self._beat, args=(_file(self.id),), name="import-beat", daemon=True)
            beat.start()
            try:
                {"columns": self._columns, "preview": self._preview, "done": self._done}[doing]()
            except Problem as problem:
                self._failed(problem)
            except Exception as error:
                logger.error("import failed\n%s", without_words(error))
                self._failed(Problem("unexpected"))
            finally:
                self.over.set()
                beat.join()
                _file(self.id).unlink(missing_ok=True)

    def _failed(self, problem: Problem) -> None:
        with suppress(Problem), transaction() as conn:
            shown = {key: value for key, value in uploads.shown(conn, self.id).items() if key != "problem"}
            uploads.finish(conn, self.id, None, shown | {"problem": problem.to_dict()})

    def _beat(self, path: Path) -> None:
        while not self.over.wait(BEAT_S):
            with suppress(OSError):
                path.write_text(json.dumps(self.at), encoding="ascii")

    def _tell(self, what: str, done: int, of: int) -> None:
        self.at = {"what": what, "done": done, "of": of}

    def _held(self, conn: Connection) -> tuple[Upload, bytes]:
        found, raw = uploads.find(conn, self.id, self.owner), uploads.raw(conn, self.id)
        if found is None or raw is None:
            raise Problem("unknown-upload")
        return found, raw

    def _columns(self) -> None:
        with reading() as conn:
            found, raw = self._held(conn)
        sheets = read_sheets(raw, found.name)
        with reading() as conn:
            shown = columns_shown(conn, found.name, sheets, choices_of(found.said, self.places))
        with transaction() as conn:
            uploads.finish(conn, self.id, "columns", {"columns": shown})

    def _preview(self, problem: Problem | None = None) -> None:
        """`problem`: why it is looked at again."""
        with reading() as conn:
            found, raw = self._held(conn)
        sheets = read_sheets(raw, found.name)
        with reading() as conn:
            before = uploads.shown(conn, self.id)
            choices = choices_of(found.said, self.places)
            done, plan, read = import_into(
                conn, found.name, sheets, self.owner, choices, dry_run=True, progress=self._tell
            )
        shown = {"columns": before.get("columns"), **_result(done, plan, read)}
        if problem is not None:
            shown["problem"] = problem.to_dict()
        with transaction() as conn:
            told_elsewhere(self.owner, done.elsewhere, conn=conn)
            uploads.finish(conn, self.id, "preview", shown, refused=_refused(read, done))

    def _done(self) -> None:
        try:
            self._write()
        except Problem as problem:
            if problem.name != "import-changed":
                raise
            self._preview(problem)

    def _write(self) -> None:
        with reading() as conn:
            found, raw = self._held(conn)
            seen = uploads.shown(conn, self.id).get("digest")
        sheets = read_sheets(raw, found.name)
        with transaction() as conn:
            choices = choices_of(found.said, self.places)
            done, plan, read = import_into(
                conn, found.name, sheets, self.owner, choices, dry_run=False, progress=self._tell
            )
            shown = _result(done, plan, read)
            if shown["digest"] != seen:
                raise Problem("import-changed")
            uploads.finish(conn, self.id, "done", shown, refused=_refused(read, done), bytes=None)


def _result(done: Imported, plan: Plan, read: Reading) -> dict[str, Any]:
    rows = rows_shown(plan, read)
    said = [[row[key] for key in ("sheet", "row", "state", "why", "changes", "taken")] for row in rows]
    digest = sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
    result = asdict(done) | {"refused": len(done.refused), "checks": len(done.checks)}
    return {"rows": rows, "result": result, "digest": digest, "unknown_villages": list(plan.unknown_villages)}


def _refused(read: Reading, done: Imported) -> bytes | None:
    if not done.refused:
        return None
    file = BytesIO()
    workbook(file, refused_tables(read.listed, done.refused))
    return file.getvalue()


def _file(identity: str) -> Path:
    return current_settings().home / FOLDER / f"{identity}.json"


def _note(identity: str, at: dict[str, Any]) -> None:
    path = _file(identity)
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text(json.dumps(at), encoding="ascii")


def _progress(identity: str) -> dict[str, Any] | None:
    """How far the work is; None when there was no sign of life for a while."""
    path = _file(identity)
    try:
        if time.time() - path.stat().st_mtime > DEAD_S:
            return None
        found: dict[str, Any] = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return found
