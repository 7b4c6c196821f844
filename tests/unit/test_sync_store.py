"""Where the database matters, on both: a restart, writers at the same time, byte order, and long or odd texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from sync import chains, clock, log, quarantine, tables
from sync.identity import KeyPair
from sync.op import uuid7
from sync.problem import Problem
from tests.support.foreign import Foreign
from tests.support.toy import Centre, connected, opened
from tests.support.toy_house import OTHER_TOWN, START, TOWN, replayed, states, times_applied


@pytest.fixture
def centre(database_url: str) -> Iterator[Centre]:
    with opened(database_url) as engine:
        yield Centre(engine).set_up()


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Each in a thread of its own; what it gave, or the problem that it met."""

    def guarded(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Problem as problem:
            return problem

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(guarded, calls))


def whole(centre: Centre) -> None:
    with centre.begin() as conn:
        assert chains.verify(conn) == []
        assert replayed(conn, centre.app) == states(conn)
        assert set(times_applied(conn).values()) == {1}
        for stream in conn.execute(sa.select(tables.stream)):
            numbers = sa.select(tables.op.c.n).where(tables.op.c.stream == stream.name, tables.op.c.n.is_not(None))
            assert sorted(conn.execute(numbers).scalars()) == list(range(1, stream.head + 1))


def test_a_day_of_two_laptops(centre: Centre) -> None:
    team = uuid7()
    one, two = connected(centre, team), connected(centre, team)
    thing = one.thing(name="x")
    one.sync(), two.sync()
    two.edit(thing, name="y")
    one.edit(thing, name="z")
    one.record(TOWN, "gift.recorded", {"thing": uuid7(), "quantity": 1})
    two.sync(), one.sync(), two.sync()
    assert one.digest(TOWN) == two.digest(TOWN) == centre.digest(TOWN)
    assert one.states()[thing.op.subject] == two.states()[thing.op.subject] == centre.states()[thing.op.subject]
    assert one.state().quarantined == 1
    whole(centre)


def test_what_was_answered_is_there_after_a_restart(centre: Centre, database_url: str) -> None:
    device = Foreign.enrolled(centre)
    device.thing()
    answer = device.push()
    centre.engine.dispose()
    with opened(database_url) as engine:
        device.centre = Centre(engine)
        assert device.push() == answer
        device.thing()
        assert device.push(2)["through"] == 2
        assert device.centre.entry(device.device, 2).n == 2


def test_many_laptops_push_into_the_same_towns_at_once(centre: Centre) -> None:
    devices = [Foreign.enrolled(centre, TOWN, OTHER_TOWN) for _ in range(6)]
    for i, device in enumerate(devices):
        for j in range(8):
            device.thing(stream=(TOWN, OTHER_TOWN)[(i + j) % 2])
    answers = at_once(*[device.push for device in devices])
    assert [answer["through"] for answer in answers] == [8] * 6
    whole(centre)
    reader = Foreign.enrolled(centre, TOWN, OTHER_TOWN)
    assert len([op for op in reader.pull_all(limit=7) if op["kind"] == "thing.registered"]) == 48


def test_a_reader_misses_nothing_while_others_write(centre: Centre) -> None:
    """Promise 5: a number that a cursor has passed never gets an op later."""
    writers, reader = [Foreign.enrolled(centre) for _ in range(3)], Foreign.enrolled(centre)
    for writer in writers:
        for _ in range(12):
            writer.thing()

    def write(writer: Foreign) -> None:
        for seq in range(1, 13):
            writer.push(seq, seq)

    def read() -> list[int]:
        asked: dict[str, Any] = {"epoch": reader.pull()["epoch"], "cursors": {}}
        numbers: list[int] = []
        while len(numbers) < 36:
            page = reader.pull(limit=5, **asked)
            numbers += [op["n"] for op in page["ops"] if op["stream"] == TOWN]
            asked = {"epoch": page["epoch"], "cursors": page["cursors"]}
        return numbers

    *_, numbers = at_once(*[lambda w=writer: write(w) for writer in writers], read)
    assert numbers == list(range(1, 37))
    whole(centre)


def test_the_same_push_twice_at_once(centre: Centre) -> None:
    device = Foreign.enrolled(centre)
    for _ in range(5):
        device.thing()
    answers = at_once(*[device.push] * 4)
    assert all(answer["through"] == 5 for answer in answers)
    whole(centre)


def test_a_laptop_and_its_copy_push_at_once(centre: Centre) -> None:
    device = Foreign.enrolled(centre)
    copy = device.copy()
    device.thing(), copy.thing()
    answers = at_once(device.push, copy.push)
    assert sorted(getattr(answer, "name", "taken") for answer in answers) == ["fork", "taken"]
    whole(centre)


def test_one_code_from_two_laptops_at_once(centre: Centre) -> None:
    code = centre.code(uuid7())

    def enrol() -> dict[str, Any]:
        document = {"code": code, "name": "n", "public_key": KeyPair.generate().public}
        return centre.answer("enrol", json.dumps(document).encode(), None)

    answers = at_once(enrol, enrol, enrol)
    assert sorted(getattr(answer, "name", "taken") for answer in answers) == ["enrolment-code-invalid"] * 2 + ["taken"]
    whole(centre)


def test_a_release_and_a_dismissal_at_once(centre: Centre) -> None:
    device = Foreign.enrolled(centre)
    device.op("gift.recorded", {"thing": uuid7(), "quantity": 1})
    device.push()

    def act(what: Any) -> bool:
        with centre.begin() as conn:
            return bool(what(conn, centre.app, device.device, 1, "seen", uuid7(), centre.now()))

    calls = [quarantine.release, quarantine.dismiss, quarantine.release, quarantine.dismiss]
    assert sorted(at_once(*[lambda what=what: act(what) for what in calls])) == [False, False, False, True]
    whole(centre)


def test_everything_settles_once_when_all_ask_at_once(centre: Centre) -> None:
    device, other, thing = Foreign.enrolled(centre), Foreign.enrolled(centre), uuid7()
    for _ in range(3):
        device.op("gift.recorded", {"thing": thing, "quantity": 1})
    device.push()
    other.thing(subject=thing)
    at_once(other.push, device.pull, other.pull, device.push)
    device.pull()
    assert centre.held() == []
    whole(centre)


def test_the_centre_and_laptops_author_at_once(centre: Centre) -> None:
    devices = [Foreign.enrolled(centre) for _ in range(3)]
    for device in devices:
        for _ in range(4):
            device.thing()

    def author() -> None:
        for _ in range(6):
            centre.thing()

    results = at_once(author, author, *[device.push for device in devices])
    assert not [result for result in results if isinstance(result, Problem)]
    whole(centre)


def test_clocks_and_names_are_ordered_byte_by_byte(centre: Centre) -> None:
    device = Foreign.enrolled(centre)
    moment = clock.to_ms(START)
    for counter in (0xA, 0x10, 0x9A, 0xFF):
        device.thing(hlc=clock.stamp(moment, counter))
    device.push()
    with centre.begin() as conn:
        entries = list(log.iterate(conn, TOWN))
        assert [e.op.seq for e in entries] == [1, 2, 3, 4]
        assert [e.order for e in entries] == sorted(e.order for e in entries)
        stream = conn.execute(sa.select(tables.stream.c.clock).where(tables.stream.c.name == TOWN)).scalar()
        assert stream == clock.stamp(moment, 0xFF)


def test_long_and_odd_texts_are_kept_as_they_are(centre: Centre) -> None:
    device = Foreign.enrolled(centre)
    odd = "陈\u0001\u001f\u2028\U0001f600\ufeff\\\"'%_\t"
    device.thing(stream="x" * 50_000)
    device.op("k" * 50_000, {})
    device.thing()
    device.op("note.recorded", {odd: [odd, 2**53 - 1, -(2**53) + 1, True, None, ""], "long": "文" * 15_000})
    assert [item["seq"] for item in device.push()["quarantined"]] == [1, 2]
    assert [centre.entry(device.device, seq).op for seq in (1, 2, 3, 4)] == device.ops
    whole(centre)
