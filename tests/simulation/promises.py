"""What must hold when the weather has cleared: docs/protocol.md section 2, looked at in the databases."""

from __future__ import annotations

import json
import re
from collections import Counter
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import chains, log, tables
from sync.log import LogState
from tests.simulation.nodes import SimLaptop
from tests.simulation.world import World
from tests.support.toy_house import Toy, replayed, states, times_applied

TOLD = re.compile("words of ([0-9a-f-]{36})")


def check(world: World) -> str:
    """Every promise; the answer is a digest of the whole world, equal for an equal seed."""
    centre = world.centre
    with centre.engine.begin() as conn:
        node_is_whole(conn, centre.app)
        clocks_rise(conn)
        marks = Counter(conn.exec_driver_sql("SELECT json_extract(body, '$.mark') FROM op").scalars())
        stock_is_conserved(world, conn)
        picture = sha256("".join(sorted(states(conn).values())).encode())
        erased = whose_were_erased(conn)
        nothing_is_told_of(conn, erased)
    for laptop in world.laptops:
        with laptop.engine.begin() as conn:
            node_is_whole(conn, laptop.app)
            if laptop.revoked:
                continue
            lost = set(laptop.saved) - marks.keys() - of_revoked(conn, world.line.revoked)
            assert not lost, f"{laptop.name} saved what the centre does not hold: {sorted(lost)}"
            all_is_acknowledged(log.state(conn))
            stock_is_conserved(world, conn)
            shows_the_same(world, laptop, conn)
            assert whose_were_erased(conn) <= erased, "the centre was not reminded of an erasure"
            nothing_is_told_of(conn, erased, set(log.recall(conn, "grants")))
            picture.update(log.own(conn).encode())
    return picture.hexdigest()


def of_revoked(conn: Connection, revoked: set[str]) -> set[int]:
    """What a laptop wrote as an earlier device that is revoked: what a restored centre lost of that stays here."""
    logs = revoked & log.recall(conn, "earlier_logs", {}).keys()
    rows = conn.exec_driver_sql("SELECT json_extract(body, '$.mark'), device FROM op")
    return {mark for mark, device in rows if device in logs}


def node_is_whole(conn: Connection, app: Toy) -> None:
    """The tables are what a replay gives, every op was applied once, every chain holds."""
    assert states(conn) == replayed(conn, app), "the tables are not what a fresh replay gives"
    counted = {(e.op.device, e.op.seq) for e in log.iterate(conn) if app.knows(e.op)}
    times = times_applied(conn)
    assert set(times) == counted, "applied is not what counts"
    assert set(times.values()) <= {1}, "applied more than once"
    assert chains.verify(conn) == []


def whose_were_erased(conn: Connection) -> set[str]:
    """The things that somebody had erased, as far as this node has heard."""
    return set(conn.exec_driver_sql("SELECT subject FROM op WHERE kind = 'thing.erased'").scalars())


def nothing_is_told_of(conn: Connection, erased: set[str], granted: set[str] | None = None) -> None:
    """Nothing here has a word of what was erased: no op, whether it counts or not, and no table.

    `granted`: of a laptop. What it recorded itself in a town that it may not read waits until it may: nobody tells it
    of an erasure there.
    """
    bodies = "SELECT device || '/' || seq, stream, body FROM op WHERE body LIKE '%words of %'"
    held = [tuple(row) for row in conn.exec_driver_sql(bodies)]
    held += [(subject, json.loads(text)["stream"], text) for subject, text in states(conn).items()]
    for name, stream, text in held:
        told = set(TOLD.findall(text)) & erased if granted is None or stream in granted else set()
        assert not told, f"{name} tells of {told}"


def clocks_rise(conn: Connection) -> None:
    """Merge clocks rise strictly along every log."""
    latest: dict[str, str] = {}
    for device, seq, clock in conn.exec_driver_sql("SELECT device, seq, clock FROM op ORDER BY device, seq"):
        assert clock > latest.get(device, ""), f"{device}/{seq}: the merge clock does not rise"
        latest[device] = clock


def stock_is_conserved(world: World, conn: Connection) -> None:
    """What was loaded, less what was given, is there: each move once, however often it was authored and by what way."""
    moved = {move[0] for move in world.ledger.moves.values()}
    shown: Counter[tuple[str, str]] = Counter()
    for subject, text in states(conn).items():
        state = json.loads(text)
        if subject in moved:
            sign = 1 if state["kind"] == "load.recorded" else -1
            shown[state["stream"], state["body"]["item"]] += sign * state["body"]["quantity"]
    counting = {entry.op.body.get("mark") for entry in log.iterate(conn)} & world.ledger.moves.keys()
    meant: Counter[tuple[str, str]] = Counter()
    for _, stream, item, quantity in {world.ledger.moves[mark] for mark in counting}:
        meant[stream, item] += quantity
    assert shown == meant, "the stock is not what was loaded less what was given"


def all_is_acknowledged(state: LogState) -> None:
    assert (state.waiting, state.trouble) == (0, None), state


def shows_the_same(world: World, laptop: SimLaptop, conn: Connection) -> None:
    """Same digests, same clocks, same quarantine, same states in every stream that it may have."""
    centre, granted, own = world.centre, set(log.recall(conn, "grants")), log.own(conn)
    mine = {row.seq: row for row in own_ops(conn, own)}
    with centre.engine.begin() as there:
        may_have = centre.may_have(there, own)
        assert all(map(may_have, granted)), "granted by nobody"
        assert granted == centre.app.grants(there, own).streams
        for stream in granted:
            assert log.digest(conn, stream) == log.digest(there, stream), f"{laptop.name} differs in {stream}"
        held = {row.seq: row for row in own_ops(there, own)}
        right = {s: t for s, t in states(there).items() if json.loads(t)["stream"] in granted}
    for seq, row in mine.items():
        other = held[seq]
        assert row.clock == other.clock, f"{laptop.name} {seq}"
        if row.stream in granted | {"office"}:  # where a stream was withdrawn, the word of a release may be in it
            assert (row.problem is None, row.dismissed) == (other.problem is None, other.dismissed), (laptop.name, seq)
    doubtful = {row.subject for row in mine.values() if row.problem is not None}
    shown = {s: t for s, t in states(conn).items() if json.loads(t)["stream"] in granted}
    for subject in (right.keys() | shown.keys()) - doubtful:
        assert shown.get(subject) == right.get(subject), f"{laptop.name} shows {subject} differently"


def own_ops(conn: Connection, device: str) -> list[Any]:
    op = tables.op.c
    query = sa.select(op.seq, op.clock, op.stream, op.problem, op.dismissed, op.subject)
    return list(conn.execute(query.where(op.device == device)))
