"""The file of a backup (`.aidbackup`): lines and pieces of files, packed with zstd, encrypted with age.

A line with what it is; then the parts, each a line `{"part": name, "bytes": n}` and n bytes, again with the same name
where a part is longer than a piece; then a line `{"end": …}` with the length and SHA-256 of every part. Without that
last line it is not whole. docs/operations.md says what the parts are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import zstandard
from pyrage.x25519 import Identity, Recipient

from aidvisit.errors import Problem
from sync import sealed

FORMAT, VERSION = "aidvisit-backup", 1
PIECE = 1024 * 1024
LEVEL = 3
"""Of zstd: photos and encrypted pages do not get smaller, and a higher one would only take time."""
PART = re.compile(r"settings\.toml|keys\.json|aidvisit\.db|columns\.json|tables/[a-z_0-9]{1,60}")
MAX_LINE = 4 * 1024 * 1024

Part = tuple[str, bytes]
"""The name of a part, and its next piece."""


@dataclass(slots=True)
class _Sum:
    size: int = 0
    hash: Any = field(default_factory=sha256)

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self.hash.update(data)

    def told(self) -> list[Any]:
        return [self.size, self.hash.hexdigest()]


def write(
    file: BinaryIO,
    recipients: Sequence[Recipient],
    header: dict[str, Any],
    parts: Iterable[Part],
    end: Callable[[], dict[str, Any]],
) -> None:
    """Write a whole backup. `end`: what else its last line says, asked once all parts are read.

    Raises: what parts, end or the file raise.
    """
    sealed.write(file, recipients, _packed(_lines({"format": FORMAT, "version": VERSION} | header, parts, end)))


def _lines(header: dict[str, Any], parts: Iterable[Part], end: Callable[[], dict[str, Any]]) -> Iterator[bytes]:
    yield _line(header)
    sums: dict[str, _Sum] = {}
    for name, data in parts:
        sums.setdefault(name, _Sum()).add(data)
        yield _line({"part": name, "bytes": len(data)})
        yield data
    yield _line({"end": end() | {"parts": {name: one.told() for name, one in sums.items()}}})


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zstandard.ZstdCompressor(level=LEVEL).compressobj()
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def pieces_of(name: str, path: Path) -> Iterator[Part]:
    """A file as pieces of a part; an empty one is one empty piece."""
    with path.open("rb") as file:
        yield name, file.read(PIECE)
        while piece := file.read(PIECE):
            yield name, piece


def damaged(zh: str, en: str) -> Problem:
    """The refusal of a backup that is not whole, and why."""
    return Problem("backup-damaged", reason={"zh": zh, "en": en})


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a backup said: its first line, and its last one."""

    header: dict[str, Any]
    end: dict[str, Any]


def unpack(file: BinaryIO, identity: Identity, folder: Path) -> Unpacked:
    """Write the parts of a backup into an empty folder; nothing stands outside of it, whatever the file says.

    Raises: Problem `backup-not-ours` (for another key, or no backup), `backup-damaged`, `backup-from-future`;
    OSError of the folder.
    """
    reader = _Unpacker(folder)
    try:
        sealed.read(file, identity, reader.write)
        return reader.whole()
    except sealed.NotOursError as error:
        raise Problem("backup-not-ours") from error
    except sealed.AlteredError as error:
        raise damaged("内容被改动过,或没有拷完", "it was altered, or not copied to its end") from error
    finally:
        reader.close()


class _Unpacker:
    """Takes what age gives, inflates it, and writes the parts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._inflate = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024).decompressobj()
        self._held = bytearray()
        self._part: tuple[str, int] | None = None
        self._open: tuple[str, BinaryIO] | None = None
        self._sums: dict[str, _Sum] = {}
        self._header: dict[str, Any] | None = None
        self._end: dict[str, Any] | None = None

    def write(self, data: bytes) -> None:
        try:
            self._held += self._inflate.decompress(data)
        except zstandard.ZstdError as error:
            raise damaged("解不开压缩", "it cannot be unpacked") from error
        while self._step():
            pass

    def whole(self) -> Unpacked:
        if not self._inflate.eof or self._held or self._part or self._header is None or self._end is None:
            raise damaged("没有写完", "it does not go to its end")
        if self._end.get("parts") != {name: one.told() for name, one in self._sums.items()}:
            raise damaged("有一部分与它的校验值不符", "a part does not have its checksum")
        return Unpacked(self._header, self._end)

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _step(self) -> bool:
        """One line, or what is there of a piece; false when more must come first."""
        if self._part is not None:
            name, left = self._part
            piece = bytes(self._held[:left])
            del self._held[:left]
            self._part = (name, left - len(piece)) if left > len(piece) else None
            self._keep(name, piece)
            return self._part is None
        at = self._held.find(b"\n")
        if at < 0:
            if len(self._held) > MAX_LINE:
                raise damaged("有一行太长", "a line is too long")
            return False
        text = bytes(self._held[:at])
        del self._held[: at + 1]
        self._line(text)
        return True

    def _line(self, text: bytes) -> None:
        try:
            document = json.loads(text)
        except ValueError as error:
            raise damaged("有一行看不懂", "a line makes no sense") from error
        if not isinstance(document, dict) or self._end is not None:
            raise damaged("有一行看不懂", "a line makes no sense")
        if self._header is None:
            self._header = _checked(document)
        elif isinstance(document.get("end"), dict):
            self._end = document["end"]
        else:
            name, size = document.get("part"), document.get("bytes")
            if not isinstance(name, str) or not PART.fullmatch(name) or type(size) is not int or size < 0:
                raise damaged("有一部分的名称看不懂", "a part has a name that makes no sense")
            self._part = (name, size)
            self._keep(name, b"")

    def _keep(self, name: str, piece: bytes) -> None:
        if self._open is None or self._open[0] != name:
            self.close()
            if name in self._sums:
                raise damaged("有一部分出现两次", "a part is there twice")
            path = self._folder / name
            path.parent.mkdir(exist_ok=True)
            self._open = (name, path.open("xb"))
        self._sums.setdefault(name, _Sum()).add(piece)
        self._open[1].write(piece)


def _checked(header: dict[str, Any]) -> dict[str, Any]:
    if header.get("format") != FORMAT or type(header.get("version")) is not int:
        raise Problem("backup-not-ours")
    if header["version"] > VERSION:
        raise Problem("backup-from-future", found=str(header.get("program", header["version"])))
    return header
