"""The node's own small facts: device, keys, epoch, receipt and what else it remembers, each by its name, as JSON."""

from __future__ import annotations

import json
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import tables

_ALL = "SELECT key, value FROM node"
_DROP = sa.delete(tables.node).where(tables.node.c.key == sa.bindparam("name"))
_KEEP = sa.text(
    "INSERT INTO node (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


def as_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def recall(conn: Connection, key: str, default: Any = None) -> Any:
    """A value of the node's own (device, keys, epoch, receipt …), as JSON."""
    value = values(conn).get(key)
    return default if value is None else json.loads(value)


def recall_all(conn: Connection, prefix: str) -> dict[str, Any]:
    """The values whose keys begin with `prefix`, by what follows it."""
    return {key[len(prefix) :]: json.loads(text) for key, text in values(conn).items() if key.startswith(prefix)}


def remember(conn: Connection, **new: Any) -> None:
    """Keep values of the node's own; None forgets one."""
    held = values(conn)
    changed = {key: text for key, value in new.items() if held.get(key) != (text := as_json(value))}
    if changed:
        if kept := [{"key": key, "value": text} for key, text in changed.items() if text is not None]:
            conn.execute(_KEEP, kept)
        if dropped := [{"name": key} for key, text in changed.items() if text is None]:
            conn.execute(_DROP, dropped)
        forget(conn)


def values(conn: Connection) -> dict[str, str]:
    """The node's values, read once a transaction; again after they were changed, or a lock was waited for."""
    transaction, held = conn.info.get("node", (None, {}))
    if transaction is None or transaction is not conn.get_transaction():
        held = dict(conn.exec_driver_sql(_ALL).tuples().all())
        conn.info["node"] = (conn.get_transaction(), held)
    return cast(dict[str, str], held)


def forget(conn: Connection) -> None:
    """What was read in this transaction may be another by now."""
    conn.info.pop("node", None)


def own(conn: Connection) -> str:
    """This node's device id."""
    device = recall(conn, "device")
    if not isinstance(device, str):
        raise LookupError("this database has no identity yet")
    return device


def is_centre(conn: Connection) -> bool:
    return bool(recall(conn, "role") == "central")
