"""Whatever order ops arrive in, the tables are the same (docs/protocol.md section 2, promise 6)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from aidvisit.domain.facts import check
from aidvisit.store import erasing, ledger
from aidvisit.store.database import open_engine, writing
from aidvisit.store.ledger import HOUSE, Fact
from aidvisit.store.tables import metadata
from sync import clock, log, server
from sync.op import Op
from sync.tables import op as op_table
from tests.support import store
from tests.support.store import TEAM, TOWN, TRIP, TRIP_STREAM, TRUCK, VILLAGE, uid

OTHER_TOWN = "441225113"
DEVICES = [uid(number) for number in (500, 501, 502)]
HOUSEHOLDS, DELIVERIES, VISITS, MEMBERS, MOVES = (
    [uid(start + number) for number in range(count)] for start, count in ((10, 2), (20, 4), (30, 2), (40, 2), (50, 3))
)
CODES, PATHS = ["dibao", "tekun"], ["head.phone", "note", "group", f"members.{MEMBERS[0]}.phone"]

text = st.sampled_from(["甲", "乙", "丙"])
households, deliveries = st.sampled_from(HOUSEHOLDS), st.sampled_from(DELIVERIES)
items, quantities = st.sampled_from(["rice", "oil"]), st.integers(1, 3)
names = st.builds(lambda device, seq: f"{device}/{seq}", st.sampled_from(DEVICES), st.integers(1, 6))
member = st.fixed_dictionaries({"id": st.sampled_from(MEMBERS), "name": text}, optional={"phone": text})
category = st.fixed_dictionaries({"code": st.sampled_from(CODES)}, optional={"grade": text})


@st.composite
def registrations(draw: st.DrawFn) -> Fact:
    body = {"head": {"name": draw(text)}, "group": draw(text), "categories": draw(st.lists(category, max_size=1))}
    return store.registered(draw(households), "", **body, members=draw(st.lists(member, max_size=1)))


@st.composite
def edits(draw: st.DrawFn) -> Fact:
    path = draw(st.sampled_from(PATHS))
    body = {
        "set": {path: draw(text)},
        "base": {path: draw(st.lists(names, max_size=3))},
        "add": {"categories": draw(st.lists(category, max_size=1)), "members": draw(st.lists(member, max_size=1))},
        "remove": {"categories": draw(st.lists(st.sampled_from(CODES), max_size=1))},
    }
    return Fact(TOWN, "household.updated", draw(households), body)


@st.composite
def deliveries_recorded(draw: st.DrawFn) -> Fact:
    lines = draw(st.dictionaries(items, quantities, min_size=1))
    more = {
        "replaces": draw(st.none() | deliveries),
        "trip": draw(st.sampled_from([None, TRIP])),
        "from": draw(st.sampled_from([None, None, "warehouse:main"])),
    }
    # A delivery is made once, by one device: its household follows from its id.
    identity = draw(deliveries)
    return store.delivered(identity, HOUSEHOLDS[DELIVERIES.index(identity) % 2], lines, **more)


def closing(household: str, kind: str) -> Fact:
    bodies: dict[str, dict[str, Any]] = {
        "closed": {"reason": "moved", "date": "2020-12-30"},
        "merged": {"into": HOUSEHOLDS[0], "reason": "同一户"},
    }
    return Fact(TOWN, f"household.{kind}", household, bodies.get(kind, {"reason": "弄错了"}))


@st.composite
def trip_facts(draw: st.DrawFn) -> Fact:
    lines = draw(st.lists(st.tuples(households, items, st.integers(0, 3)), min_size=1, max_size=4))
    devices = [{"device": device} for device in draw(st.lists(st.sampled_from(DEVICES), unique=True))]
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("trip.planned", store.planned(title=draw(text)).body),
        ("trip.updated", {"set": {"title": draw(text)}, "base": {"title": draw(st.lists(names, max_size=2))}}),
        ("trip.locked", {}),
        ("trip.released", {"devices": devices}),
        ("trip.closed", {}),
        ("trip.reopened", {"reason": "补一户"}),
        ("allocation.set", store.allotted(*lines).body),
        ("allocation.set", store.allotted(*reversed(lines)).body),
    ]
    kind, body = draw(st.sampled_from(kinds))
    return Fact(TRIP_STREAM, kind, TRIP, body)


@st.composite
def office_facts(draw: st.DrawFn) -> Fact:
    item = {"code": draw(items), "name": draw(text), "unit": "袋", "class": "food"}
    team = {"name": draw(text), "type": "team", "level": 3, "divisions": ["441225"]}
    made: list[Fact] = [
        Fact("org", "item.defined", draw(st.sampled_from([uid(70), uid(71)])), item),
        Fact("org", "team.defined", TEAM, team),
        Fact("org", "team.updated", TEAM, {"set": {"name": draw(text)}, "base": {"name": draw(st.lists(names))}}),
        Fact("org", "device.enrolled", uid(80), {"name": draw(text), "public_key": "A" * 43, "team": TEAM}),
        Fact("org", "device.renamed", uid(80), {"name": draw(text)}),
        Fact("org", "device.revoked", uid(80), {"reason": draw(text)}),
    ]
    return draw(st.sampled_from(made))


@st.composite
def erasures(draw: st.DrawFn) -> Fact:
    body = {"household": draw(households), "reason": draw(text)}
    members = {
        "members": draw(st.lists(st.sampled_from(MEMBERS), max_size=1)),
        "ops": draw(st.lists(names, max_size=2)),
    }
    return Fact(TOWN, "personal-data.erased", body["household"], body | draw(st.sampled_from([{}, members])))


facts = st.one_of(
    erasures(),
    registrations(),
    edits(),
    deliveries_recorded(),
    trip_facts(),
    office_facts(),
    st.builds(closing, households, st.sampled_from(["closed", "reopened", "merged", "unmerged"])),
    st.builds(lambda one, why: Fact(TOWN, "delivery.voided", one, {"reason": why}), deliveries, text),
    st.builds(lambda one, why: Fact(OTHER_TOWN, "delivery.voided", one, {"reason": why}), deliveries, text),
    st.builds(lambda one, who: store.visited(one, HOUSEHOLDS[0], who), st.sampled_from(VISITS), st.just("not-home")),
    st.builds(lambda one, why: Fact(TOWN, "visit.voided", one, {"reason": why}), st.sampled_from(VISITS), text),
    st.builds(lambda one, n: store.moved(one, "warehouse:main", TRUCK, rice=n), st.sampled_from(MOVES), quantities),
    st.builds(lambda one, n: store.counted(one, oil=n), st.sampled_from([uid(60), uid(61)]), quantities),
)


@st.composite
def logs(draw: st.DrawFn) -> list[Op]:
    """Ops of three devices, each with its own rising clock; equal clocks on different devices are common."""
    minutes = dict.fromkeys(DEVICES, 0)
    seqs = dict.fromkeys(DEVICES, 0)
    ops = []
    for fact in draw(st.lists(facts, min_size=1, max_size=14)):
        device = draw(st.sampled_from(DEVICES))
        seqs[device] += 1
        minutes[device] += draw(st.integers(1, 3))
        place = {"device": device, "minute": minutes[device]}
        op = store.op(seqs[device], fact.stream, fact.kind, fact.subject, fact.body, **place)
        assert not check(op.kind, op.v, op.stream, op.subject, op.body)
        ops.append(op)
    return ops


@cache
def empty() -> Engine:
    """One database in memory for all examples: each is undone, which is quicker than making the tables again."""
    return made("sqlite://")


def made(url: str) -> Engine:
    """A new centre without anything in it."""
    engine = open_engine(url)
    with writing(engine) as conn:
        store.make_tables(conn)
        server.set_up(conn, name="中心", now=store.NOW)
    return engine


@contextmanager
def scratch() -> Iterator[Connection]:
    with empty().connect() as conn:
        undone = conn.begin()
        yield conn
        undone.rollback()


def rows_after(ops: list[Op]) -> dict[str, set[tuple[Any, ...]]]:
    with scratch() as conn:
        for n, op in enumerate(ops, 1):
            store.arrive(conn, op, n=n)
        return store.tables(conn)


@settings(max_examples=150)
@given(logs(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_rows(ops: list[Op], chance: random.Random) -> None:
    expected = rows_after(ops)
    for _ in range(2):
        chance.shuffle(ops)
        assert rows_after(ops) == expected


@settings(max_examples=60)
@given(logs(), st.data())
def test_a_merge_clock_learned_later_gives_what_it_would_have_given_at_once(ops: list[Op], data: st.DataObject) -> None:
    """Restamped ops are replayed; so is a stream that was forgotten and came again."""
    later = {op.name: clock.stamp(clock.to_ms(store.NOW) + data.draw(st.integers(0, 40)) * 60_000, 7) for op in ops}
    chosen = data.draw(st.lists(st.sampled_from(ops), max_size=4, unique_by=lambda op: op.name))
    with scratch() as conn:
        for n, op in enumerate(ops, 1):
            store.arrive(conn, op, later[op.name] if op in chosen else None, n)
        expected = store.tables(conn)
    with scratch() as conn:
        for n, op in enumerate(ops, 1):
            store.arrive(conn, op, n=n)
        for op in chosen:
            where = (op_table.c.device == op.device) & (op_table.c.seq == op.seq)
            stamped = {"merge_hlc": later[op.name], "clock": later[op.name]}
            conn.execute(sa.update(op_table).where(where).values(**stamped))
            HOUSE.replay(conn, [op.subject])
        assert store.tables(conn) == expected
        stream = data.draw(st.sampled_from([TOWN, TRIP_STREAM, "org"]))
        HOUSE.forget(conn, stream)
        log.put(conn, HOUSE, list(log.iterate(conn, stream)))
        assert store.tables(conn) == expected


@settings(max_examples=60)
@given(logs(), st.randoms(use_true_random=False))
def test_a_rebuild_changes_nothing(ops: list[Op], chance: random.Random) -> None:
    chance.shuffle(ops)
    with scratch() as conn:
        for n, op in enumerate(ops, 1):
            store.arrive(conn, op, n=n)
        before = store.tables(conn)
        ledger.rebuild(conn)
        assert store.tables(conn) == before


FIGURES = (
    "SELECT delivery, line, household, trip, date, item, quantity, lot, counts FROM delivery_line ORDER BY 1, 2",
    "SELECT source, line, trip, from_place, to_place, item, quantity, date, lot FROM stock_line ORDER BY 1, 2",
    "SELECT household, code FROM household_category ORDER BY 1, 2",
    "SELECT division, households FROM household_count ORDER BY 1",
    "SELECT household, last_visit, last_delivery FROM household_search ORDER BY 1",
    'SELECT id, size, closed_on, closed_reason, "into" FROM household ORDER BY 1',
    "SELECT household, id FROM member ORDER BY 1, 2",
    "SELECT id, outcome, date FROM visit ORDER BY 1",
)
"""What balances, lists and reports are summed from."""


@settings(max_examples=80)
@given(logs(), households)
def test_an_erasure_changes_no_figure(ops: list[Op], household: str) -> None:
    with scratch() as conn:
        for n, op in enumerate(ops, 1):
            store.arrive(conn, op, n=n)
        before = [conn.exec_driver_sql(sql).all() for sql in FIGURES]
        body = {"household": household, "reason": "本人要求"}
        store.arrive(conn, store.op(99, TOWN, "personal-data.erased", household, body, device=DEVICES[0]), n=99)
        assert [conn.exec_driver_sql(sql).all() for sql in FIGURES] == before
        assert list(erasing.verify(conn)) == []


def test_both_databases_hold_the_same_rows(postgres_server: str, tmp_path: Any) -> None:
    """A few logs only: each needs a database of its own."""
    from tests.support import postgres

    for seed in range(3):
        ops = _some_log(seed)
        expected = rows_after(ops)
        random.Random(seed).shuffle(ops)
        with postgres.database(postgres_server) as url, store.centre(url) as conn:
            for n, op in enumerate(ops, 1):
                store.arrive(conn, op, n=n)
            assert store.tables(conn) == expected
            assert ledger.rebuild(conn) == len(ops)
            assert store.tables(conn) == expected


def _some_log(seed: int) -> list[Op]:
    """A log by hand that has one of everything, its quantities by the seed."""
    first, second = HOUSEHOLDS
    made = [
        store.item("rice", "大米", "袋", repeat_days=30),
        Fact("org", "division.defined", uid(72), {"code": VILLAGE, "name": "民强村"}),
        Fact("org", "team.defined", TEAM, {"name": "一队", "type": "team", "level": 3, "divisions": ["441225"]}),
        store.registered(first, "覃桂香", members=[{"id": MEMBERS[0], "name": "韦小雨"}]),
        store.registered(second, "莫德厚", categories=[{"code": "dibao"}]),
        Fact(TOWN, "household.updated", first, {"set": {"head.phone": "1"}}),
        Fact(
            TOWN, "household.updated", first, {"set": {"head.phone": "2"}, "add": {"categories": [{"code": "tekun"}]}}
        ),
        store.planned(),
        store.allotted((first, "rice", 2 + seed), (second, "rice", 1)),
        store.allotted((first, "rice", 1), (second, "rice", 0)),
        Fact(TRIP_STREAM, "trip.released", TRIP, {"devices": [{"device": DEVICES[0], "groups": ["一组"]}]}),
        store.moved(MOVES[0], "warehouse:main", TRUCK, rice=40 + seed),
        store.counted(uid(60), rice=seed),
        store.delivered(DELIVERIES[0], first, {"rice": 2}),
        store.delivered(DELIVERIES[2], first, {"rice": 1}, replaces=DELIVERIES[0]),
        Fact(TOWN, "delivery.voided", DELIVERIES[2], {"reason": "录错"}),
        store.delivered(DELIVERIES[1], second, {"rice": 1}, trip=None),
        store.visited(VISITS[0], second, "not-home"),
        Fact("office", "access.recorded", uid(90), {"what": "reveal", "rows": 1}),
        Fact(
            "office", "duplicate.settled", uid(91), {"deliveries": DELIVERIES, "verdict": "both-right", "reason": "对"}
        ),
        Fact(TOWN, "personal-data.erased", second, {"household": second, "reason": "本人要求"}),
    ]
    return [
        store.op(i, fact.stream, fact.kind, fact.subject, fact.body, device=DEVICES[i % 3], minute=i)
        for i, fact in enumerate(made, 1)
    ]


def test_the_log_by_hand_fills_every_table() -> None:
    filled = rows_after(_some_log(0)).keys()
    untouched = {table.name for table in metadata.sorted_tables} - filled
    assert untouched == {"category", "place", "person", "field_device"}
