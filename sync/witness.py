"""Each end is the other's witness: the laptop keeps receipts for its own log and the heads it saw of the centre's.

The chain makes one head stand for everything before it, so the newest one is asked for once a day; only when that
one differs are the others asked for, to tell where (docs/protocol.md section 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import identity, log, tables
from sync.op import ZERO
from sync.wire import MOST_PLACES

MOST = MOST_PLACES
"""Heads that are kept, the last of each day, and places that one request asks for."""


@dataclass(frozen=True, slots=True)
class Altered:
    """The centre's own log is not what this laptop saw of it: something at `after` < seq ≤ `until` was made anew.

    `gone`: the log ends before `until`.
    """

    device: str
    after: int
    until: int
    gone: bool = False

    def __str__(self) -> str:
        what = "is gone" if self.gone else "was altered"
        return f"{self.device}: the centre's record between {self.after} and {self.until} {what}"


def answer(conn: Connection, asked: Iterable[int]) -> dict[str, Any]:
    """The centre's end: its own log's head, and hash and digest of the places that are asked for and there."""
    me = conn.execute(sa.select(tables.device).where(tables.device.c.id == log.own(conn))).one()
    op = tables.op.c
    query = sa.select(op.seq, op.hash, op.digest).where(op.device == me.id, op.seq.in_(sorted(set(asked))[:MOST]))
    rows = conn.execute(query).all()
    return {
        "device": me.id,
        "seq": me.through,
        "head": me.head,
        "held": {str(row.seq): row.hash for row in rows},
        "digests": {str(row.seq): row.digest for row in rows},
    }


# --- what the laptop remembers ----------------------------------------------------------------------------------


def _memory(conn: Connection) -> dict[str, Any]:
    """`heads`: seq → [hash, day] of the centre's `device`; `asked`: on which day last; `suspect`: the newest differs;
    `altered`: [after, until, gone] where that is known; `restored`: how often the centre went on as a new device."""
    memory: dict[str, Any] = {"device": None, "heads": {}, "asked": None, "suspect": False, "altered": None}
    return {**memory, "restored": 0, **log.recall(conn, "witness", {})}


def seen(conn: Connection) -> list[int]:
    """The places whose hash is remembered, ascending."""
    return sorted(map(int, _memory(conn)["heads"]))


def due(conn: Connection, now: datetime) -> list[int] | None:
    """What to ask for with this sync: the newest place; all of them after that one differed; None: not today."""
    memory = _memory(conn)
    if memory["asked"] == now.date().isoformat():
        return None
    return seen(conn) if memory["suspect"] else seen(conn)[-1:]


def take(conn: Connection, asked: Iterable[int], said: Mapping[str, Any] | None, now: datetime) -> None:
    """Compare what the centre says with what was seen, and remember today's head. `said` None: it does not say.

    A new device id is a centre that was restored: what was seen of its former log says nothing of the new one, and is
    no alarm. While something differs nothing is learned, so that no altered log becomes the one that was seen.
    """
    memory, today = _memory(conn), now.date().isoformat()
    if said is None:
        log.remember(conn, witness=memory | {"asked": today})
        return
    if memory["device"] != said["device"]:
        restored = memory["restored"] + (memory["device"] is not None)
        memory |= {"device": said["device"], "heads": {}, "suspect": False, "altered": None, "restored": restored}
    heads = {int(seq): kept[0] for seq, kept in memory["heads"].items()}
    compared = sorted(heads.keys() & set(asked))
    wrong = [seq for seq in compared if said["held"].get(str(seq)) != heads[seq]]
    if wrong and compared != sorted(heads):
        log.remember(conn, witness=memory | {"asked": None, "suspect": True})
        return
    if wrong:
        after = max((seq for seq in compared if seq < wrong[0]), default=0)
        memory |= {"suspect": True, "altered": [after, wrong[0], wrong[0] > said["seq"]]}
    elif compared == sorted(heads) or not memory["suspect"]:
        memory |= {"suspect": False, "altered": None, "heads": _with_today(memory["heads"], said, today)}
    log.remember(conn, witness=memory | {"asked": today})


def _with_today(heads: dict[str, list[str]], said: Mapping[str, Any], today: str) -> dict[str, list[str]]:
    if said["head"] == ZERO:
        return heads
    kept = {seq: head for seq, head in heads.items() if head[1] != today} | {str(said["seq"]): [said["head"], today]}
    return {seq: kept[seq] for seq in sorted(kept, key=int)[-MOST:]}


def altered(conn: Connection) -> Altered | None:
    """What was found, until the centre shows again what was seen."""
    memory = _memory(conn)
    return Altered(memory["device"], *memory["altered"]) if memory["altered"] else None


def restored(conn: Connection) -> int:
    """How often the centre went on as a new device since this laptop began to watch."""
    return int(_memory(conn)["restored"])


def received(conn: Connection, device: str) -> dict[int, str]:
    """Digests of another device's ops that this laptop pulled, by place."""
    op = tables.op.c
    query = sa.select(op.seq, op.digest).where(op.device == device).order_by(op.seq)
    return {row.seq: row.digest for row in conn.execute(query)}


def verify_receipt(conn: Connection) -> list[str]:
    """Findings in words: the own log up to the last receipt is what the centre signed for."""
    receipt, server = log.recall(conn, "receipt"), log.recall(conn, "server", {})
    if receipt is None or log.is_centre(conn):
        return []
    own, through = log.own(conn), int(receipt["through"])
    if receipt["device"] != own or not identity.check_receipt(str(server.get("public_key")), receipt):
        return [f"{own}: the last receipt is not signed by the centre"]
    op = tables.op.c
    held = conn.execute(sa.select(op.hash).where(op.device == own, op.seq == through)).scalar()
    if held is None:
        return [f"{own}/{through}: the centre signed for this record, and it is not here"]
    if held != receipt["head"]:
        return [f"{own}/{through}: the log up to here is not the one that the centre signed for"]
    return []
