"""Checking a dossier on any machine: no home, no server, no sign-in. What was altered is found and named."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from aidvisit.errors import Problem
from aidvisit.services.dossier import form
from aidvisit.store import dossier
from sync import identity, invitation
from sync.op import TRAVELLING, ZERO, Op, chain, digest_of, is_uuid, loads
from sync.receipt import check_code

MOST_BYTES = 8 * 1024**3
MOST_LINE = 256 * 1024
RATIO = 200
"""A member that inflates to more times its size is no fact and no photo."""
NAME = re.compile(r"(?:facts/[0-9a-f-]{36}\.jsonl|photos/[0-9a-f]{64}(?:\.[a-z]{3,4})?|[^/\\]{1,40})")
PIECE = 1024 * 1024
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)
"""What `zipfile` raises of a damaged file."""


@dataclass(slots=True)
class Checked:
    """`findings` in words, none when all is as it was sealed. `signer`: the fingerprint of whose seal it is."""

    title: str = ""
    trip: str = ""
    made_at: str = ""
    signer: str = ""
    known: bool | None = None
    facts: int = 0
    photos: int = 0
    missing: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def check(path: Path, key: str = "") -> Checked:
    """Compare everything in a dossier with everything else in it. `key`: the centre's fingerprint, as one knows it.

    Raises: Problem `dossier-unreadable` for what is no dossier, `fingerprint-invalid`.
    """
    known = invitation.read_fingerprint(key) if key.strip() else None
    try:
        with zipfile.ZipFile(path) as archive:
            return _Checking(archive, known).run()
    except FileNotFoundError:
        raise Problem("no-such-file", path=str(path)) from None
    except (*BROKEN, UnicodeError) as error:
        raise unreadable("不是完整的 zip", "it is no whole zip file") from error


def unreadable(zh: str, en: str) -> Problem:
    return Problem("dossier-unreadable", reason={"zh": zh, "en": en})


class _Checking:
    def __init__(self, archive: zipfile.ZipFile, known: str | None) -> None:
        self._archive, self._known = archive, known
        self._told = Checked()
        self._names: list[str] = []
        self._sums: dict[str, list[Any]] = {}
        self._facts: list[dict[str, Any]] = []
        self._named: set[str] = set()

    def run(self) -> Checked:
        self._listed()
        told = self._told
        about = self._document(form.TRIP)
        if not isinstance(about, dict) or about.get("format") != form.FORMAT:
            raise unreadable("里面没有 trip.json,不是一批一档", "there is no trip.json in it: no dossier")
        if about.get("version") != form.VERSION:
            raise Problem("dossier-from-future", found=str(about.get("program", "")))
        told.title, told.trip, told.made_at = (str(about.get(name, "")) for name in ("title", "trip", "made_at"))
        told.missing = [str(name) for name in about.get("missing", [])]
        self._sealed(about)
        self._members()
        self._logs()
        self._pictures()
        self._tables()
        return told

    def _found(self, what: str) -> None:
        self._told.findings.append(what)

    def _listed(self) -> None:
        """Raises: Problem `dossier-unreadable` for what no program of ours writes, and nobody should unpack."""
        infos = self._archive.infolist()
        for info in infos:
            if not NAME.fullmatch(info.filename) or info.is_dir():
                raise unreadable(
                    f"有一个文件名不对:{info.filename!r}", f"a file has a name that is not ours: {info.filename!r}"
                )
            if info.flag_bits & 1:
                raise unreadable("里面有加了密码的文件", "a file in it has a password")
            if info.file_size > MOST_BYTES or info.file_size > RATIO * max(info.compress_size, 1024):
                raise unreadable(f"{info.filename} 展开后大得不对", f"{info.filename} unpacks to far too much")
        self._names = [info.filename for info in infos]
        for name in sorted({name for name in self._names if self._names.count(name) > 1}):
            self._found(f"{name}: it is there twice")

    def _read(self, name: str) -> bytes:
        try:
            return self._archive.read(name)
        except KeyError:
            return b""
        except BROKEN:
            return b""

    def _document(self, name: str) -> Any:
        try:
            return loads(self._read(name))
        except Problem:
            return None

    # --- the seal ------------------------------------------------------------------------------------------------

    def _sealed(self, about: dict[str, Any]) -> None:
        manifest, seal = self._read(form.MANIFEST), self._document(form.SIGNATURE)
        if not isinstance(seal, dict) or not identity.is_public_key(seal.get("public_key")):
            self._found(f"{form.SIGNATURE}: it is missing, or makes no sense")
            return
        key = str(seal["public_key"])
        self._told.signer = invitation.in_groups(invitation.fingerprint(key))
        if not identity.verify(key, form.signed_text(manifest), str(seal.get("signature", ""))):
            self._found(f"{form.MANIFEST}: its signature does not hold, it was altered after it was sealed")
        if about.get("centre") != key:
            self._found(f"{form.SIGNATURE}: it is another centre's than {form.TRIP} names")
        if self._known is not None:
            self._told.known = invitation.is_of(self._known, key)
            if not self._told.known:
                self._found(f"{form.SIGNATURE}: it is not by the centre whose fingerprint you gave")

    def _members(self) -> None:
        """Every file against the manifest."""
        listed = self._document(form.MANIFEST)
        listed = listed if isinstance(listed, dict) else {}
        ours = {form.MANIFEST, form.SIGNATURE}
        for name in dict.fromkeys(self._names):
            if name in ours:
                continue
            self._sums[name] = self._sum(name)
            if name not in listed:
                self._found(f"{name}: it was added, the manifest does not know it")
            elif listed[name] != self._sums[name]:
                self._found(f"{name}: it was altered, it does not have the size and hash that the manifest says")
        for name in listed:
            if name not in self._sums:
                self._found(f"{name}: it is missing, the manifest has it")

    def _sum(self, name: str) -> list[Any]:
        size, digest = 0, sha256()
        try:
            with self._archive.open(name) as member:
                while piece := member.read(PIECE):
                    size += len(piece)
                    digest.update(piece)
        except BROKEN:
            self._found(f"{name}: its bytes do not have the checksum that the zip says")
        return [size, digest.hexdigest()]

    # --- facts ---------------------------------------------------------------------------------------------------

    def _logs(self) -> None:
        receipts = self._document(form.RECEIPTS)
        receipts = receipts if isinstance(receipts, list) else []
        ends = {one["device"]: one for one in receipts if isinstance(one, dict) and is_uuid(one.get("device"))}
        files = {name for name in self._names if name.startswith(form.FACTS)}
        for device, end in ends.items():
            name = f"{form.FACTS}{device}.jsonl"
            if name not in files:
                self._found(f"{name}: {form.RECEIPTS} names this log, and it is not there")
                continue
            through, head = self._log(device, name)
            if (through, head) != (end.get("through"), end.get("head")):
                self._found(f"{form.RECEIPTS}: {device} ends at {through} with another hash than it says")
            if end.get("check_code") != check_code(device, through, head):
                self._found(f"{form.RECEIPTS}: the check code of {device} is not that of its log")
        for name in sorted(files - {f"{form.FACTS}{device}.jsonl" for device in ends}):
            self._found(f"{name}: {form.RECEIPTS} knows no such log")

    def _log(self, device: str, name: str) -> tuple[int, str]:
        """(how far it goes, its hash there)."""
        seq, head = 0, ZERO
        for number, line in enumerate(self._lines(name), 1):
            where = f"{device}/{line.get('seq')}"
            if line.get("seq") != seq + 1 or not _is_hash(line.get("digest")):
                self._found(f"{name}: line {number} is {where}, and {device}/{seq + 1} should be there")
                if type(line.get("seq")) is not int or not _is_hash(line.get("digest")):
                    continue
            seq = line["seq"]
            head = chain(head, line["digest"])
            if "op" in line:
                self._fact(device, where, line, head)
        return seq, head

    def _fact(self, device: str, where: str, line: dict[str, Any], head: str) -> None:
        self._told.facts += 1
        op = line["op"]
        try:
            whole = Op(device, line["seq"], **{name: op[name] for name in TRAVELLING})
            right = bool(line.get("erased")) or digest_of(whole) == line["digest"]
            row = form.row_of(device, line)
        except (LookupError, TypeError, ValueError, AttributeError):
            self._found(f"{where}: the fact makes no sense")
            return
        if not right:
            self._found(f"{where}: the fact ({whole.kind}) was altered, it does not have its digest")
        if line.get("hash") != head:
            self._found(f"{where}: the chain is broken at or before it")
        self._facts.append(row)
        self._named |= set(form.named_in(whole.body))

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        try:
            with self._archive.open(name) as member:
                while text := member.readline(MOST_LINE):
                    try:
                        line = json.loads(text)
                    except ValueError:
                        line = None
                    if not isinstance(line, dict):
                        self._found(f"{name}: a line makes no sense")
                        continue
                    yield line
        except BROKEN:
            return  # `_sum` has said so

    # --- photos and tables ---------------------------------------------------------------------------------------

    def _pictures(self) -> None:
        here = {}
        for name in self._names:
            if name.startswith(form.PHOTOS):
                stem = name.removeprefix(form.PHOTOS).partition(".")[0]
                here[stem] = name
                if name in self._sums and self._sums[name][1] != stem:
                    self._found(f"{name}: the picture was altered, it does not have the hash that is its name")
        self._told.photos = len(here)
        for stem in sorted(self._named - here.keys() - set(self._told.missing)):
            self._found(f"{form.PHOTOS}{stem}: a fact names this picture, and it is not there")
        for stem in sorted(here.keys() - self._named):
            self._found(f"{here[stem]}: no fact names this picture")

    def _tables(self) -> None:
        """The tables that the facts give, row by row against those that are there."""
        devices = sorted({row["device"] for row in self._facts})
        try:
            with dossier.replayed(self._facts, [(device, "") for device in devices]) as derived:
                wanted = dict(form.tables_of(derived, self._told.trip))
        except Exception as error:  # altered facts may say anything
            self._found(f"tables: the facts give none ({type(error).__name__})")
            return
        for name, data in wanted.items():
            self._rows(name, data, self._read(name))

    def _rows(self, name: str, wanted: bytes, found: bytes) -> None:
        if wanted == found:
            return
        ours, theirs = wanted.decode("utf-8-sig").splitlines(), found.decode("utf-8-sig", "replace").splitlines()
        for number in range(max(len(ours), len(theirs))):
            right = ours[number] if number < len(ours) else None
            there = theirs[number] if number < len(theirs) else None
            if right != there:
                self._found(f"{name}: row {number + 1} is not what the facts say")


def _is_hash(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[0-9a-f]{64}", text) is not None
