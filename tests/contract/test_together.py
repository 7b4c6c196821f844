"""Laptops that push and pull at the same moment: numbers stay gapless, readers miss nothing (promise 5)."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.bodies import deliver, household, register
from tests.contract.conftest import Office
from tests.support.client import Device, Line, Refused, enrol, new_id

PUSHES = 12


def neighbours(town: str) -> tuple[str, str]:
    return town, f"{town[:6]}{int(town[6:]) - 400:03d}"


@pytest.mark.timeout(60)
def test_two_writers_and_a_reader(office: Office, device: Device, other: Device, town: str) -> None:
    """Two laptops write into the same two streams in opposite order while a third reads page by page."""
    reader = office.laptop()
    start = reader.here()
    done = threading.Event()

    def write(writer: Device, streams: tuple[str, ...]) -> None:
        for _ in range(PUSHES):
            first = len(writer.log) + 1
            for stream in streams:
                register(writer, stream)
            assert writer.push(first)["through"] == len(writer.log)

    def read() -> list[tuple[str, int]]:
        seen, cursors = [], start
        while True:
            last_round = done.is_set()
            page = reader.pull(cursors, limit=3)
            for op in page["ops"]:
                assert op["n"] == cursors[op["stream"]] + 1 if op["stream"] in cursors else True
                cursors = {**cursors, op["stream"]: op["n"]}
                seen.append((op["stream"], op["n"]))
            cursors = page["cursors"]
            if last_round and not page["more"]:
                return seen

    with ThreadPoolExecutor(3) as pool:
        reading = pool.submit(read)
        writing = [pool.submit(write, device, neighbours(town)), pool.submit(write, other, neighbours(town)[::-1])]
        try:
            for each in writing:
                each.result()
        finally:
            done.set()
        seen = reading.result()
    streams = neighbours(town)
    numbers = {stream: [n for name, n in seen if name == stream] for stream in streams}
    assert numbers[town] == list(range(1, 2 * PUSHES + 1))
    assert len(numbers[streams[1]]) == 2 * PUSHES
    assert all(count == 1 for count in Counter(seen).values())


@pytest.mark.timeout(60)
def test_the_same_push_from_many_lines_is_taken_once(office: Office, device: Device, other: Device, town: str) -> None:
    """A laptop that lost its patience sends again while the first request is still being answered."""
    start = other.here()
    for _ in range(30):
        register(device, town)
    document = device.request()
    lines = [office.line() for _ in range(6)]
    with ThreadPoolExecutor(len(lines)) as pool:
        answers = list(pool.map(lambda line: line.ask("push", document, token=device.token), lines))
    assert {answer["through"] for answer in answers} == {30}
    ops, _ = other.pull_all(start)
    assert [(op["seq"], op["n"]) for op in ops if op["stream"] == town] == [(n, n) for n in range(1, 31)]


@pytest.mark.timeout(60)
def test_a_household_and_its_deliveries_at_the_same_moment(office: Office, town: str) -> None:
    """Each delivery is kept out or not, depending on who was first; in the end all stand."""
    devices = [office.laptop() for _ in range(4)]
    house = new_id()
    for device in devices[1:]:
        deliver(device, town, house)
    devices[0].say(town, "household.registered", household(town), house)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda device: device.push(), devices))
    # The last to be answered may still be letting go; a pull looks again before it answers.
    ops = [op for op in devices[0].pull_all()[0] if op["stream"] == town]
    assert Counter(op["kind"] for op in ops)["delivery.recorded"] == 3
    for device in devices:
        assert device.push()["quarantined"] == []


@pytest.mark.timeout(60)
def test_many_laptops_enrol_at_once(office: Office) -> None:
    codes = [office.centre.code(office.idle_team) for _ in range(6)]
    lines = [office.line() for _ in codes]
    with ThreadPoolExecutor(len(codes)) as pool:
        devices = list(pool.map(enrol, lines, codes))
    assert len({device.id for device in devices}) == len(codes)


@pytest.mark.timeout(60)
def test_a_code_used_by_many_laptops_at_once_makes_one_device(office: Office) -> None:
    code = office.centre.code(office.idle_team)
    lines = [office.line() for _ in range(4)]

    def attempt(line: Line) -> str:
        try:
            return enrol(line, code).id
        except Refused as refusal:
            return refusal.name

    with ThreadPoolExecutor(4) as pool:
        results = Counter(pool.map(attempt, lines))
    office.centre.sql("DELETE FROM enrolment_attempt")
    assert results.pop("enrolment-code-invalid") == 3, results
    assert list(results.values()) == [1]
