"""What must hold when the weather has cleared: docs/protocol.md section 2, looked at in the databases."""

from __future__ import annotations

import json
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import identity, log, tables
from tests.simulation.nodes import SimLaptop
from tests.simulation.world import World
from tests.support.toy import Node, Toy, replayed, states, times_applied


def check(world: World) -> str:
    """Every promise; the answer is a digest of the whole world, equal for an equal seed."""
    with world.centre.engine.begin() as conn:
        node_is_whole(conn, world.app)
        clocks_rise(conn)
        marks = marks_in(conn)
        picture = sha256("".join(states(conn).values()).encode())
    for laptop in world.laptops:
        with laptop.engine.begin() as conn:
            node_is_whole(conn, world.app)
            if laptop.revoked:
                continue
            lost = set(laptop.saved) - marks
            assert not lost, f"{laptop.name} saved what the centre does not hold: {sorted(lost)}"
            all_is_acknowledged(conn)
            shows_the_same(world.centre, laptop, conn)
            picture.update(log.own(conn).encode())
    return picture.hexdigest()


def node_is_whole(conn: Connection, app: Toy) -> None:
    """The tables are what a replay gives, every op was applied once, every chain holds."""
    assert states(conn) == replayed(conn, app), "the tables are not what a fresh replay gives"
    counted = {(e.op.device, e.op.seq) for e in log.iterate(conn) if e.op.kind in app.kinds}
    times = times_applied(conn)
    assert set(times) == counted, "applied is not what counts"
    assert set(times.values()) <= {1}, "applied more than once"
    assert log.verify_chains(conn) == []


def clocks_rise(conn: Connection) -> None:
    """Merge clocks rise strictly along every log."""
    latest: dict[str, str] = {}
    for row in conn.execute(sa.select(tables.op).order_by(tables.op.c.device, tables.op.c.seq)):
        assert row.clock > latest.get(row.device, ""), f"{row.device}/{row.seq}: the merge clock does not rise"
        latest[row.device] = row.clock


def marks_in(conn: Connection) -> set[int]:
    bodies = conn.execute(sa.select(tables.op.c.body)).scalars()
    return {json.loads(body).get("mark") for body in bodies}


def all_is_acknowledged(conn: Connection) -> None:
    state = log.state(conn)
    assert (state.waiting, state.trouble) == (0, None), state
    if state.last_seq:
        receipt = state.receipt or {}
        assert identity.check_receipt(log.recall(conn, "server")["public_key"], receipt), "no valid receipt"
        assert (receipt["device"], receipt["through"]) == (state.device, state.last_seq)
        assert receipt["head"] == state.head


def shows_the_same(centre: Node, laptop: SimLaptop, conn: Connection) -> None:
    """Same digests, same clocks, same quarantine, same states in every stream that it may have."""
    granted = set(log.recall(conn, "grants"))
    own = log.own(conn)
    mine = {row.seq: row for row in conn.execute(sa.select(tables.op).where(tables.op.c.device == own))}
    with centre.engine.begin() as there:
        assert granted == centre.app.grants(there, own).streams
        for stream in granted:
            assert log.digest(conn, stream) == log.digest(there, stream), f"{laptop.name} differs in {stream}"
        held = {row.seq: row for row in there.execute(sa.select(tables.op).where(tables.op.c.device == own))}
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
