"""The laptop asks the centre, now, what it holds, and says what is not as both had it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sync import log, tables, witness
from sync.link import Link
from sync.sending import find_fork


def compare(link: Link) -> list[str] | None:
    """Ask the centre what it holds, keep nothing of it, and tell what differs, in words; None: it does not say.

    Its own log against the heads that this laptop saw; every op of that log that was pulled, one by one; and the own
    log against the centre's copy. Raises: Problem.
    """
    with link.begin() as conn:
        places = witness.seen(conn)
    answer = _ask(link, places)
    said = answer.get("witness")
    if said is None:
        return None
    with link.begin() as conn:
        witness.take(conn, places, said, link.now())
        found = witness.altered(conn)
        received = witness.received(conn, said["device"])
    findings = [str(found)] if found else []
    pulled = list(received)
    for start in range(0, len(pulled), witness.MOST):
        batch_of = pulled[start : start + witness.MOST]
        digests = _ask(link, batch_of)["witness"]["digests"]
        findings += [
            f"{said['device']}/{seq}: the centre's record is not the one that this laptop was given"
            for seq in batch_of
            if digests.get(str(seq)) != received[seq]
        ]
    return findings + _compare_own(link, int(answer["through"]), answer["head"])


def _ask(link: Link, places: list[int]) -> dict[str, Any]:
    with link.begin() as conn:
        cursors = {r.stream: r.n for r in conn.execute(sa.select(tables.cursor))}
        request = {"epoch": log.recall(conn, "epoch"), "cursors": cursors, "limit": 1, "witness": places}
        token = log.recall(conn, "token")
    return link.call("pull", request, token).document


def _compare_own(link: Link, through: int, head: str) -> list[str]:
    """The centre's copy of this device's log; where it is another one, from which op on."""
    with link.begin() as conn:
        state = log.state(conn)
        if through <= state.last_seq and head == log.hash_at(conn, state.device, through):
            return []
    return [f"{state.device}/{find_fork(link)}: from here on the centre's copy is not this laptop's log"]
