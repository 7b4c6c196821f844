"""New ops that arrived at the centre: judged, given clocks and numbers, kept and applied, many at once.

What needs no database is done before any lock is taken, so that the streams of a push are held for a short time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection, Row

from sync import clock, log, quarantine, rows
from sync.log import Application, Entry
from sync.op import Op
from sync.problem import Problem
from sync.streams import Streams
from sync.tables import op as op_table


@dataclass(frozen=True, slots=True)
class Arrival:
    """One element of a push. `op` is None where its body was erased: nobody here knows what it was.

    `problem`: what can be said against it without the database. `erased`: the body is what its author has left of it.
    """

    seq: int
    op: Op | None
    digest: str
    hash: str
    problem: Problem | None
    erased: bool


def arrivals(
    app: Application,
    first: int,
    ops: Sequence[Op | str],
    digests: Sequence[str],
    hashes: Sequence[str],
    remains: Mapping[int, Op] | None = None,
) -> list[Arrival]:
    """The elements of a push from `first` on, checked as far as they can be by themselves. `remains`: by number, what
    their author has left of those whose body was erased.
    """
    found = []
    for seq, (op, digest, hashed) in enumerate(zip(ops, digests, hashes, strict=True), first):
        known = op if isinstance(op, Op) else (remains or {}).get(seq)
        problem = None if known is None else quarantine.check(app, known)
        found.append(Arrival(seq, known, digest, hashed, problem, not isinstance(op, Op)))
    return found


def take(conn: Connection, app: Application, device: Row[Any], arrived: Sequence[Arrival], now: datetime) -> None:
    """Keep new ops in their order. The device's row is locked; its streams are locked here."""
    grants = app.grants(conn, device.id)
    named = {a.op.stream for a in arrived if a.op is not None and quarantine.may_author(app, a.op, grants)}
    streams = Streams(conn, named)
    merged, wall = device.clock, clock.to_ms(now)
    for run in _runs(app, arrived):
        judge = app.judge(conn, [a.op for a in run if a.op is not None and a.problem is None], by_centre=False)
        entries: list[Entry] = []
        erased: list[dict[str, Any]] = []
        covered = _covered(conn, app, run, now)
        for one in run:
            op = one.op
            if op is None or (one.erased and (device.id, one.seq) not in covered):
                erased.append(_erased(device.id, one, merged, now))
                continue
            merge_hlc = clock.merge_clock(op.hlc, merged, streams.clock(op.stream), wall)
            merged = merge_hlc or op.hlc
            # Only a bundle brings what a revoked device has recorded.
            revoked = Problem("device-revoked") if device.revoked else None
            problem = revoked or one.problem or quarantine.why_not(app, judge, op, grants)
            n = stated = None
            if problem is None:
                n = streams.take(op.stream, merged)
                judge.accept(op)
                if app.opens(op):
                    grants = replace(grants, streams=grants.streams | {op.stream})
            else:
                stated = problem.to_dict()
            more = {"n": n, "merge_hlc": merge_hlc, "hash": one.hash, "problem": stated, "erased": one.erased}
            entries.append(log.new_entry(op, one.digest, now, **more))
        rows.insert(conn, op_table, erased)
        log.keep(conn, app, entries, checked=True)
    streams.save()
    log.go_on(conn, device.id, arrived[-1].seq, arrived[-1].hash, merged)


def _covered(conn: Connection, app: Application, run: Sequence[Arrival], now: datetime) -> Collection[log.Place]:
    """Of those whose body was erased, the ones whose remainder counts: nothing proves it, so this centre must know of
    the erasure itself.
    """
    left = [log.new_entry(one.op, one.digest, now) for one in run if one.erased and one.op is not None]
    return app.remainders(conn, left) if left else ()


def _runs(app: Application, arrived: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    """What one judge can judge: up to and with an op that changes what those after it are judged by."""
    run: list[Arrival] = []
    for one in arrived:
        run.append(one)
        if one.op is not None and one.problem is None and app.turns(one.op):
            yield run
            run = []
    if run:
        yield run


def _erased(device: str, one: Arrival, merged: str, now: datetime) -> dict[str, Any]:
    """It keeps its place in the chain."""
    return {
        "device": device, "seq": one.seq, "clock": merged, "digest": one.digest, "hash": one.hash,
        "dismissed": False, "applied": True, "erased": True, "received_at": now.isoformat(),
    }  # fmt: skip
