"""What stands in a log: where something failed and of which kind, never the text of an error: it may quote a person."""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import TypeAlias

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
Caught: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def without_words(error: BaseException | None) -> str:
    """An error and what led to it: places in the code and names of classes."""
    lines: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        lines = [*traceback.format_tb(error.__traceback__), kind, *lines]
        error = error.__cause__ or error.__context__
    return "\n".join(line.rstrip("\n") for line in lines)


class Discreet(logging.Formatter):
    """Also of what libraries log. Times are UTC; only the program begins a line, whatever stands in an address."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        return _CONTROL.sub("?", super().format(record)).replace("\n", "\n    ")

    def formatException(self, ei: Caught) -> str:  # noqa: N802 (logging's own name)
        return without_words(ei[1])


def set_up() -> None:
    """Of this process, once: everything to stderr, without the words of errors, also of those that nobody caught."""
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet(FORMAT))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.raiseExceptions = False  # logging would print what it could not format
    sys.excepthook = lambda _kind, error, _traceback: _uncaught(error)
    threading.excepthook = lambda caught: _uncaught(caught.exc_value)


def _uncaught(error: BaseException | None) -> None:
    sys.stderr.write(without_words(error) + "\n")
