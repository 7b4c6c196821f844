"""Writing a trip's dossier, at the centre."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import IO, Any

from sqlalchemy import Connection

from aidvisit import __version__
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.services.dossier import form
from aidvisit.store import dossier
from aidvisit.store.database import reading
from aidvisit.store.dossier import Chosen, Writer
from aidvisit.store.queries import trip as trips
from sync import blobs, clock, log
from sync.identity import KeyPair
from sync.naming import named_in
from sync.receipt import check_code


def make(actor: str, trip: str, file: IO[bytes], *, scope: Scope = EVERYTHING) -> int:
    """Write the dossier of a trip; how many facts are whole in it. That it was taken is in the audit first.

    Raises: Problem `unknown-trip`, `not-permitted`, `disk-full`; OSError of the file.
    """
    with reading() as conn:
        head = trips.trip(conn, trip, scope)
        choice = dossier.chosen(conn, trip) if head else None
        if head is None or choice is None:
            raise Problem("unknown-trip")
        audit.record(actor, audit.EXPORT, rows=len(choice.subjects), detail="dossier")
        return _Writing(conn, trip, head.title, file).write(choice)


def find(text: str, scope: Scope = EVERYTHING) -> str:
    """A trip by its id, or by its title where one alone has it. Raises: Problem `unknown-trip`."""
    with reading() as conn:
        found = [one.id for one in trips.trips(conn, scope) if text in (one.id, one.title)]
    if len(found) != 1:
        raise Problem("unknown-trip")
    return found[0]


class _Writing:
    """One file, member after member; what was written is summed up for the manifest."""

    def __init__(self, conn: Connection, trip: str, title: str, file: IO[bytes]) -> None:
        self._conn, self._trip, self._title, self._file = conn, trip, title, file
        self._sums: dict[str, list[Any]] = {}
        self._at = clock.wall()

    def write(self, choice: Chosen) -> int:
        writers = dossier.writers(self._conn, choice)
        facts: list[dict[str, Any]] = []
        named: dict[str, str | None] = {}
        with zipfile.ZipFile(self._file, "w") as archive:
            self._archive = archive
            self._put(form.README, form.ABOUT.encode())
            for writer in writers:
                with self._member(f"{form.FACTS}{writer.id}.jsonl") as member:
                    for logged in dossier.ops(self._conn, writer.id, choice):
                        line = form.line_of(logged)
                        member(form.encoded(line) + b"\n")
                        if logged.entry is not None:
                            facts.append(form.row_of(writer.id, line))
                            named |= named_in(logged.entry.op.body)
            missing = self._photos(named)
            with dossier.replayed(facts, [(one.id, one.name) for one in writers]) as derived:
                for name, data in form.tables_of(derived, self._trip):
                    self._put(name, data)
            self._put(form.RECEIPTS, form.encoded([_receipt(one) for one in writers]))
            key = KeyPair.from_private(log.recall(self._conn, "private_key"))
            about = {
                "format": form.FORMAT, "version": form.VERSION, "program": __version__, "trip": self._trip,
                "title": self._title, "made_at": self._at.isoformat(timespec="seconds"), "centre": key.public,
                "missing": missing,
            }  # fmt: skip
            self._put(form.TRIP, form.encoded(about))
            manifest = form.encoded(self._sums)
            self._put(form.MANIFEST, manifest)
            signed = {"public_key": key.public, "signature": key.sign(form.signed_text(manifest))}
            self._put(form.SIGNATURE, form.encoded(signed))
        return len(facts)

    def _photos(self, named: dict[str, str | None]) -> list[str]:
        """Every photo and signature that is held; the names of those that are not."""
        missing = []
        for name in sorted(named):
            held = blobs.get(self._conn, name)
            if held is None:
                missing.append(name)
                continue
            media_type, data = held
            self._put(f"{form.PHOTOS}{name}{form.ENDINGS.get(media_type, '')}", data, packed=False)
        return missing

    def _put(self, name: str, data: bytes, *, packed: bool = True) -> None:
        with self._member(name, packed=packed) as member:
            member(data)

    @contextmanager
    def _member(self, name: str, *, packed: bool = True) -> Iterator[Any]:
        info = zipfile.ZipInfo(name, self._at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        info.external_attr = 0o600 << 16
        size, digest = 0, sha256()
        with self._archive.open(info, "w", force_zip64=True) as member:

            def put(data: bytes) -> None:
                nonlocal size
                member.write(data)
                size += len(data)
                digest.update(data)

            yield put
        self._sums[name] = [size, digest.hexdigest()]


def _receipt(writer: Writer) -> dict[str, Any]:
    return {
        "device": writer.id, "name": writer.name, "public_key": writer.public_key, "through": writer.through,
        "head": writer.head, "check_code": check_code(writer.id, writer.through, writer.head),
    }  # fmt: skip
