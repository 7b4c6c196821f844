"""A write of another system that may be sent again: its key, what it does and its answer are one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from aidvisit.errors import Problem
from aidvisit.store import tokens
from aidvisit.store.database import together
from sync import clock

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """`again`: it was done before, and this is what was answered then."""

    said: Document
    again: bool


def once(owner: str, key: str, asked: Any, work: Callable[[], Document]) -> Done:
    """What `work` gives, or gave when the same token sent the same key. A refusal is not kept: it may be tried again.

    `asked`: all that makes one request another one, as JSON. Raises: Problem `key-reused`, and what `work` raises.
    """
    digest = sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    with together() as conn:
        before = tokens.answered(conn, owner, key, digest, clock.wall())
        if before is None:
            said = work()
            tokens.say(conn, owner, key, said)
            return Done(said, again=False)
    if before.asked != digest:
        raise Problem("key-reused")
    return Done(before.said, again=True)
