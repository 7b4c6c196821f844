"""Facts under a new name: a log that forks is written again in another one (docs/protocol.md section 3, fork)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from sync import log
from sync.log import Application, Entry
from sync.op import Op


def author(conn: Connection, app: Application, entries: Sequence[Entry], now: datetime) -> None:
    """Append the same facts to the own log, in this order, with the clocks that they have."""
    me = log.lock_device(conn, log.own(conn))
    names = {entry.name: f"{me.id}/{seq}" for seq, entry in enumerate(entries, me.through + 1)}
    log.author(conn, app, [_again(entry.op, names) for entry in entries], now)


def _again(op: Op, names: Mapping[str, str]) -> log.Draft:
    """The same fact under its new name. What it had in view of the copy's own log has new names as well: the old ones
    may stand for ops of the other copy, which it would hide (docs/adr/0010-names-in-view-after-a-fork.md).
    """
    body, base = op.body, op.body.get("base")
    if isinstance(base, dict):
        body = body | {"base": {path: _renamed(given, names) for path, given in base.items()}}
    return log.Draft(op.stream, op.actor, op.kind, op.v, op.subject, body, op.hlc)


def _renamed(given: Any, names: Mapping[str, str]) -> Any:
    return (
        [names.get(name, name) if isinstance(name, str) else name for name in given]
        if isinstance(given, list)
        else given
    )
