"""The file that a USB stick carries: lines and blobs, packed with zstd, encrypted with age (docs/protocol.md 4, 7).

Both ways in bounded memory: what is written is asked for piece by piece, what is read is handed on line by line.
Nothing of it is ever on a disk in the clear.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO

import zstandard
from pyrage.x25519 import Identity, Recipient

from sync import sealed
from sync.op import HEX64, loads
from sync.problem import Problem
from sync.wire import MAX_BLOB

VERSION = 1
MEDIA_TYPE = "application/vnd.aidvisit.bundle"
MAX_FILE = 512 * 1024 * 1024
"""Bytes of a file that is read."""
MAX_INFLATED = 2 * 1024 * 1024 * 1024
MAX_LINE = 8 * 1024 * 1024
LEVEL = 12
STEP = 256
"""Four bytes of zstd can inflate to 128 KiB: what so many inflate to fits in memory, and a bomb is noticed early."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A photo or signature as it travels; its bytes have its name."""

    name: str
    data: bytes


Take = Callable[[bytes | Blob], None]


def damaged(zh: str, en: str) -> Problem:
    """The refusal of a file that is not whole, and why."""
    return Problem("bundle-damaged", reason={"zh": zh, "en": en})


def line(document: dict[str, Any]) -> bytes:
    """One document as a line."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def blob_part(blob: Blob) -> bytes:
    """A blob: a line with its name and length, its bytes, and the end of a line."""
    return line({"blob": blob.name, "bytes": len(blob.data)}) + blob.data + b"\n"


# --- writing -------------------------------------------------------------------------------------------------


def _pack(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj()
    for part in parts:
        yield packer.compress(part)
    yield packer.flush()


def write(file: BinaryIO, recipient: Recipient, parts: Iterable[bytes]) -> None:
    """Pack and encrypt `parts` (lines and blobs, as bytes) into `file`. Raises: what the parts or the file raise."""
    sealed.write(file, [recipient], _pack(parts))


# --- reading -------------------------------------------------------------------------------------------------


class _Reader:
    """Takes what age gives: inflates it within bounds, cuts it into lines and blobs, and hands those on."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._inflate = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024).decompressobj()
        self._held = bytearray()
        self._looked = 0  # so much of it holds no end of a line
        self._blob: tuple[str, int] | None = None
        self._inflated = 0
        self._lines = 0
        self.rest = sha256()  # of everything behind the first line

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), STEP):
            if self._inflate.eof:
                raise damaged("压缩数据后面还有多余的内容", "there is something behind the packed part")
            try:
                piece = self._inflate.decompress(data[start : start + STEP])
            except zstandard.ZstdError as error:
                raise damaged("解不开压缩", "it cannot be unpacked") from error
            self._inflated += len(piece)
            if self._inflated > MAX_INFLATED:
                raise Problem("bundle-too-large", max_megabytes=MAX_INFLATED // 2**20)
            if piece:
                self._held += piece
                self._cut()

    def end(self) -> None:
        """Everything came. Raises: Problem `bundle-damaged` when that was not all."""
        if not self._inflate.eof or self._inflate.unused_data:
            raise damaged("压缩数据不完整", "the packed part is cut short, or something is behind it")
        if self._blob is not None:
            raise damaged("一张照片或签名不完整", "a photo or signature is cut short")
        if self._held:
            self._one_line(self._taken(len(self._held)))
        if self._lines == 0:
            raise damaged("里面什么都没有", "it is empty")

    def _cut(self) -> None:
        while True:
            if self._blob is not None:
                name, size = self._blob
                if len(self._held) <= size:
                    return
                self._one_blob(name, self._taken(size + 1))
                continue
            end = self._held.find(b"\n", self._looked)
            if end < 0:
                self._looked = len(self._held)
                if self._looked > MAX_LINE:
                    raise damaged("有一行太长", "a line is too long")
                return
            self._one_line(self._taken(end + 1)[:-1])

    def _taken(self, size: int) -> bytes:
        piece = bytes(self._held[:size])
        del self._held[:size]
        self._looked = 0
        if self._lines:
            self.rest.update(piece)
        return piece

    def _one_line(self, text: bytes) -> None:
        self._lines += 1
        if self._lines > 1 and len(text) < 400 and (head := blob_head(text)) is not None:
            self._blob = head
        else:
            self._take(text)

    def _one_blob(self, name: str, data: bytes) -> None:
        self._blob = None
        if not data.endswith(b"\n") or sha256(data[:-1]).hexdigest() != name:
            raise damaged("一张照片或签名与它的编号不符", "a photo or signature does not have its hash")
        self._take(Blob(name, data[:-1]))


def blob_head(text: bytes) -> tuple[str, int] | None:
    """(SHA-256, bytes) when a line announces a blob. Raises: Problem `bundle-damaged`."""
    if b'"blob"' not in text:
        return None
    document = parsed(text)
    if "blob" not in document:
        return None
    name, size = document["blob"], document.get("bytes")
    named = isinstance(name, str) and HEX64.fullmatch(name)
    if not named or type(size) is not int or not 0 <= size <= MAX_BLOB:
        raise damaged("一张照片或签名的说明看不懂", "a photo or signature is announced in a way nobody understands")
    return str(name), size


def parsed(text: bytes) -> dict[str, Any]:
    """The object on a line. Raises: Problem `bundle-damaged`."""
    try:
        document = loads(text)
    except Problem as problem:
        raise damaged("有一行看不懂", f"a line makes no sense ({problem.detail})") from problem
    if not isinstance(document, dict):
        raise damaged("有一行看不懂", "a line is no object")
    return document


def read(file: BinaryIO, identity: Identity, take: Take) -> str:
    """Read a whole file from its start; `take` gets the header, then each line and blob.

    Returns the SHA-256 of everything behind the header, unpacked. What `take` raises ends it, and is raised.
    Raises: Problem `bundle-not-ours` (for somebody else, or damaged at its start), `bundle-damaged`,
    `bundle-too-large`.
    """
    if file.seek(0, 2) > MAX_FILE:
        raise Problem("bundle-too-large", max_megabytes=MAX_FILE // 2**20)
    file.seek(0)
    reader = _Reader(take)
    try:
        sealed.read(file, identity, reader.write)
    except sealed.NotOursError as error:
        raise Problem("bundle-not-ours") from error
    except sealed.AlteredError as error:
        raise damaged("内容被改动过,或没有拷完", "it was altered, or not copied to its end") from error
    reader.end()
    return reader.rest.hexdigest()


def check_version(header: dict[str, Any]) -> None:
    """Raises: Problem `bundle-newer`, `bundle-damaged`."""
    version = header.get("version")
    if type(version) is int and version > VERSION:
        raise Problem("bundle-newer")
    if version is None:
        raise damaged("开头看不懂", "its header makes no sense")
