"""What one page asks for in several places is read once: its transaction sees one moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from sqlalchemy import Connection

T = TypeVar("T")


def once(conn: Connection, key: Any, read: Callable[[], T]) -> T:
    """What `read` gave in this transaction; one that writes reads anew each time."""
    if conn.get_execution_options().get("writes"):
        return read()
    transaction, held = conn.info.get("once", (None, {}))
    if transaction is None or transaction is not conn.get_transaction():
        held = {}
        conn.info["once"] = (conn.get_transaction(), held)
    if key not in held:
        held[key] = read()
    return cast(T, held[key])
