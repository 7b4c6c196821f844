"""Ops that arrive together become what they would have become one by one: rows, reasons, clocks and numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from aidvisit.store import ledger
from aidvisit.store.database import open_engine, writing
from aidvisit.store.ledger import HOUSE, Fact
from sync import clock, log, rows, server, tables, taking
from sync.op import Op, digest_of
from tests.property.test_store_order import DELIVERIES, HOUSEHOLDS, OTHER_TOWN, facts
from tests.support import postgres, store
from tests.support.store import TEAM, TOWN, TRIP, TRIP_STREAM, make_tables, uid

NEAR, FAR = uid(500), uid(501)
"""Devices of the team that works here, and of one that does not."""
VOLUNTEER, LEFT, STRANGER = uid(600), uid(601), uid(602)
FAR_TEAM = uid(902)
KEY = {"public": "p", "wrapped": "w", "salt": "s", "params": {}}
NOW_MS = clock.to_ms(store.NOW)


@dataclass(frozen=True)
class Push:
    """Ops of one device, in the order of its log; `None`: one whose body was erased."""

    device: str
    ops: list[Op | None]


odd = st.sampled_from(
    [
        Fact(TOWN, "op.released", uid(20), {"device": NEAR, "seq": 1, "reason": "自己放行"}),
        Fact(TOWN, "moon.landed", uid(21), {}),
        Fact(TOWN, "delivery.recorded", DELIVERIES[0], {"household": HOUSEHOLDS[0]}),
        Fact("520321101", "delivery.voided", DELIVERIES[0], {"reason": "不归我们管"}),
        store.delivered(uid(22), uid(99), {"rice": 1}),
        Fact(OTHER_TOWN, "household.registered", HOUSEHOLDS[0], store.registered("", "甲").body),
        Fact(TRIP_STREAM, "trip.updated", TRIP, {"set": {"divisions": ["520321"]}}),
        Fact("office", "access.recorded", uid(90), {"what": "reveal", "rows": 1}),
    ]
)


@st.composite
def pushes(draw: st.DrawFn) -> list[Push]:
    minutes = st.sampled_from([1, 1, 2, 3, 5, 9, 90])
    seqs = {NEAR: 0, FAR: 0}
    found = []
    for device in draw(st.lists(st.sampled_from([NEAR, NEAR, FAR]), min_size=1, max_size=4)):
        ops: list[Op | None] = []
        for _ in range(draw(st.integers(1, 8))):
            fact = draw(odd if draw(st.integers(0, 3)) == 0 else facts)
            seqs[device] += 1
            hlc = clock.stamp(NOW_MS + draw(minutes) * 60_000, seqs[device])
            actor = draw(st.sampled_from([store.ACTOR, VOLUNTEER, LEFT, STRANGER]))
            op = Op(device, seqs[device], fact.stream, hlc, actor, fact.kind, 1, fact.subject, fact.body)
            ops.append(None if draw(st.integers(0, 19)) == 0 else op)
        found.append(Push(device, ops))
    return found


def prepared(url: str) -> Engine:
    """A centre with two teams, their laptops and people, one of whom has left."""
    engine = open_engine(url)
    with writing(engine) as conn:
        make_tables(conn)
        server.set_up(conn, name="中心", now=store.NOW)
        for team, divisions in ((TEAM, ["441225"]), (FAR_TEAM, ["520321"])):
            body = {"name": team, "type": "team", "level": 3, "divisions": divisions}
            store.say(conn, Fact("org", "team.defined", team, body))
        for device, team in ((NEAR, TEAM), (FAR, FAR_TEAM)):
            log.add_device(conn, device, name=device, public_key="A" * 43, now=store.NOW, team=team)
            body = {"name": device, "public_key": "A" * 43, "team": team}
            store.say(conn, Fact("org", "device.enrolled", device, body))
        people = ((VOLUNTEER, TEAM, "volunteer"), (LEFT, TEAM, "leader"), (STRANGER, FAR_TEAM, "office"))
        for person, team, role in people:
            body = {"login": person, "name": person, "role": role, "active": True, "password_hash": "x", "key": KEY}
            store.say(conn, Fact(f"team-{team}", "user.defined", person, body))
        store.say(conn, Fact(f"team-{TEAM}", "user.updated", LEFT, {"set": {"active": False}}))
        store.say(conn, store.registered(HOUSEHOLDS[1], "早已登记"))
    return engine


@cache
def in_memory() -> Engine:
    return prepared("sqlite://")


@contextmanager
def undone(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as conn:
        begun = conn.begin()
        yield conn
        begun.rollback()


def take(conn: Connection, device: str, ops: Sequence[Op | None]) -> None:
    row = log.lock_device(conn, device)
    digests = ["00" * 32 if op is None else digest_of(op) for op in ops]
    arrived = [digest if op is None else op for op, digest in zip(ops, digests, strict=True)]
    taking.take(conn, HOUSE, row, taking.arrivals(HOUSE, row.through + 1, arrived, digests, digests), store.NOW)


def everything(conn: Connection) -> dict[str, Any]:
    """Every row of the log and of the tables; bodies as JSON."""
    found: dict[str, Any] = dict(store.tables(conn))
    for table in (tables.op, tables.stream, tables.device):
        rows = conn.execute(sa.select(table)).mappings().all()
        if table is tables.op:
            rows = [{**row, "body": row["body"] and json.loads(row["body"])} for row in rows]
        found[table.name] = sorted(map(repr, map(dict, rows)))
    return found


def same_together_as_one_by_one(engine: Engine, given: list[Push]) -> None:
    with undone(engine) as conn:
        for push in given:
            for op in push.ops:
                take(conn, push.device, [op])
        expected = everything(conn)
    with undone(engine) as conn:
        for push in given:
            take(conn, push.device, push.ops)
        assert everything(conn) == expected
        ledger.rebuild(conn)
        assert everything(conn) == expected


@settings(max_examples=120)
@given(pushes())
def test_together_is_as_one_by_one(given: list[Push]) -> None:
    same_together_as_one_by_one(in_memory(), given)


def test_together_is_as_one_by_one_on_postgresql(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MANY", 2)  # one by one with INSERT, together with COPY
    with postgres.database(postgres_server) as url:
        engine = prepared(url)

        @settings(max_examples=25)
        @given(pushes())
        def check(given: list[Push]) -> None:
            same_together_as_one_by_one(engine, given)

        check()
        engine.dispose()


def test_what_is_mixed_here_is_held_for_every_reason() -> None:
    """Else the properties above would say little."""
    reasons: set[str] = set()
    applied = set()

    @settings(max_examples=100)
    @given(pushes())
    def look(given: list[Push]) -> None:
        with undone(in_memory()) as conn:
            for push in given:
                take(conn, push.device, push.ops)
            for row in conn.execute(sa.select(tables.op.c.problem, tables.op.c.kind, tables.op.c.merge_hlc)):
                reasons.add(json.loads(row.problem)["type"].rpartition(":")[2] if row.problem else "none")
                reasons.update(["restamped"] if row.merge_hlc else [])
                applied.update([row.kind] if not row.problem else [])

    look()
    assert reasons >= {
        "none", "restamped", "unknown-kind", "invalid-body", "not-allowed", "not-granted", "unknown-subject",
        "subject-exists",
    }  # fmt: skip
    assert applied >= {"delivery.recorded", "delivery.voided", "household.registered", "household.updated"}
