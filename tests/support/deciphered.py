"""The files of an encrypted laptop page by page in the clear, free pages and the write-ahead log as well.

Whoever has the key can read what no query shows any more. Source: SQLCipher's design, "Security design": in a page of
4,096 bytes AES-256-CBC up to the last 80, which are its initialization vector and an HMAC-SHA512; the first 16 bytes
of a file are a salt in the place of SQLite's magic.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PAGE, RESERVED, VECTOR = 4096, 80, 16
MAGIC = b"SQLite format 3\0"
LOG_HEADER, FRAME_HEADER = 32, 24


def deciphered(home: Path, key: bytes, to: Path) -> Path:
    """A copy of a home with the database and its write-ahead log in the clear; `to` must not be there yet."""
    shutil.copytree(home, to)
    for file in to.glob("aidvisit.db*"):
        data = file.read_bytes()
        if file.name.endswith("-wal"):
            file.write_bytes(_log(data, key))
        elif not file.name.endswith("-shm"):
            file.write_bytes(_database(data, key))
    return to


def is_sound(file: Path) -> bool:
    """Whether a database in the clear, its write-ahead log left aside, is one that SQLite can read to its end."""
    with closing(sqlite3.connect(f"{file.as_uri()}?immutable=1", uri=True)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _database(data: bytes, key: bytes) -> bytes:
    assert len(data) % PAGE == 0
    pages = [_page(data[at : at + PAGE], key, first=at == 0) for at in range(0, len(data), PAGE)]
    return b"".join(pages)


def _log(data: bytes, key: bytes) -> bytes:
    """Frame after frame, also those of before the last checkpoint; the checksums are not made anew."""
    found, at = [data[:LOG_HEADER]], LOG_HEADER
    while at < len(data):
        head, page = data[at : at + FRAME_HEADER], data[at + FRAME_HEADER : at + FRAME_HEADER + PAGE]
        found += [head, _page(page, key, first=head[:4] == b"\0\0\0\1")]
        at += FRAME_HEADER + PAGE
    return b"".join(found)


def _page(page: bytes, key: bytes, *, first: bool) -> bytes:
    if not any(page):
        return page
    start = len(MAGIC) if first else 0
    vector = page[PAGE - RESERVED : PAGE - RESERVED + VECTOR]
    cipher = Cipher(algorithms.AES256(key), modes.CBC(vector)).decryptor()
    return MAGIC[:start] + cipher.update(page[start : PAGE - RESERVED]) + page[PAGE - RESERVED :]
