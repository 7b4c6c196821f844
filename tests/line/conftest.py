"""A laptop and what one asks of it, for tests of the line to its centre."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aidvisit.store import ledger
from aidvisit.store.database import transaction
from sync.op import uuid7
from tests.support.centre import Centre
from tests.support.nodes import Node


def ask(node: Node, *words: str, **settings: str) -> dict[str, Any]:
    """What `aidvisit … --json` says: its answer, or the problem with its `name`."""
    done = node.run([*words, "--json"], **settings)
    said: dict[str, Any] = json.loads(done.stdout or done.stderr)
    return said | {"name": str(said.get("type", "")).rpartition(":")[2]}


def init(centre: Centre, home: Path, url: str, *more: str) -> dict[str, Any]:
    """Enrol a new laptop of the office's team by the command line; what that says."""
    code = centre.code(centre.office_team)
    # What is tested is the line; a key to derive in every command would be most of the time.
    words = ("--server", url, "--code", code, "--name", "3 号笔记本", "--no-encryption", *more)
    return ask(Node(home, "field"), "field", "init", *words)


def record(node: Node) -> None:
    """One op that waits."""
    with node.inside() as device, transaction() as conn:
        ledger.record(conn, device, ledger.Fact("office", "access.recorded", uuid7(), {"what": "export"}))


def waiting(node: Node) -> int:
    return int(ask(node, "sync", "status")["waiting"])
