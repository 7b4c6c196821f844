"""Files that come in parts, so that no request is large: kept inside the home until they are whole, then gone.

Only for what is encrypted already: nothing personal is written to a disk in the clear.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from aidvisit.errors import Problem
from aidvisit.services.sync import current_settings

FOLDER = "uploads"
KEPT_S = 24 * 60 * 60
MOST = 16
"""Files that may stand there at once; with one more, the one that nobody touched for longest goes."""


def append(key: str, at: int, part: bytes, most: int) -> int:
    """Keep a part of somebody's file, the first with `at` 0; how long it is now.

    `key`: whose it is, one file each. Raises: Problem `offset-mismatch` (`offset`), `bundle-too-large`, `disk-full`,
    `not-writable`.
    """
    path = _path(key)
    with _in_words(path):
        if at == 0:
            _make_room(path)
        with path.open("wb" if at == 0 else "ab") as file:
            if file.tell() != at:
                raise Problem("offset-mismatch", offset=file.tell())
            if at + len(part) > most:
                raise Problem("bundle-too-large", max_megabytes=most // 2**20)
            file.write(part)
            return file.tell()


@contextmanager
def whole(key: str, size: int) -> Iterator[BinaryIO]:
    """The file, once all of its `size` bytes came; afterwards it is gone. Raises: Problem `bundle-missing`."""
    path = _path(key)
    try:
        with path.open("rb") as file:
            if file.seek(0, 2) != size:
                raise Problem("bundle-missing")
            file.seek(0)
            yield file
    except FileNotFoundError as error:
        raise Problem("bundle-missing") from error
    finally:
        path.unlink(missing_ok=True)


def _path(key: str) -> Path:
    return current_settings().home / FOLDER / sha256(key.encode()).hexdigest()[:32]


def _make_room(path: Path) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    others = sorted((one for one in path.parent.iterdir() if one != path), key=lambda one: -one.stat().st_mtime)
    for count, other in enumerate(others, start=1):
        if count >= MOST or other.stat().st_mtime < time.time() - KEPT_S:
            other.unlink(missing_ok=True)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Problem("disk-full" if error.errno == errno.ENOSPC else "not-writable", path=str(path.parent)) from error
