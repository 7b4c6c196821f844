"""Files encrypted with age (docs/protocol.md sections 4 and 7), both ways piece by piece: never whole in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

import pyrage
from pyrage.x25519 import Identity, Recipient


class _Source:
    """What age reads from: pieces, as many bytes at a time as it asks for. Keeps what went wrong."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._rest = b""
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            while not self._rest:
                self._rest = next(self._pieces)
        except StopIteration:
            return b""
        except BaseException as error:
            self.error = error
            raise
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


class _Sink:
    """What age writes to. Keeps what went wrong first: age goes on writing at its end, and drops what that raises."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take
        self.error: BaseException | None = None

    def write(self, data: bytes) -> int:
        if self.error is None:
            try:
                self._take(data)
            except BaseException as error:
                self.error = error
                raise
        return len(data)

    def flush(self) -> None:
        """age asks for it; nothing is held back here."""


class NotOursError(Exception):
    """It is no such file, is for somebody else, or its very start is damaged."""


class AlteredError(Exception):
    """It was changed, or does not go to its end."""


def write(file: BinaryIO, recipients: Sequence[Recipient], pieces: Iterable[bytes]) -> None:
    """Encrypt `pieces` into `file`, for any one of `recipients` to read. Raises: what pieces or file raise."""
    source, sink = _Source(pieces), _Sink(file.write)
    try:
        pyrage.encrypt_io(source, sink, list(recipients))
    except BaseException as error:
        raise source.error or sink.error or error from None
    if sink.error is not None:
        raise sink.error


def read(file: BinaryIO, identity: Identity, take: Callable[[bytes], object]) -> None:
    """Decrypt a file from where it stands; `take` gets it piece by piece, and what it raises ends it and is raised.

    Raises: NotOursError, AlteredError, OSError of the file.
    """
    sink = _Sink(take)
    try:
        pyrage.decrypt_io(file, sink, [identity])
    except pyrage.DecryptError as error:
        raise sink.error or NotOursError from error
    except BaseException as error:
        if sink.error is not None:
            raise sink.error from None
        if isinstance(error, OSError) and error.errno is None:
            raise AlteredError from error
        raise
    if sink.error is not None:
        raise sink.error
