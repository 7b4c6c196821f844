"""A centre in two processes: the same answers from each, one that dies is replaced, what was let in is answered."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.contract.bodies import register
from tests.contract.conftest import Office, make_office
from tests.support import postgres
from tests.support.centre import PASSWORD
from tests.support.client import Device, Refused
from tests.support.soon import soon

PUSHES = 6


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A running centre with two workers."""
    home = tmp_path_factory.mktemp("workers") / "home"
    if request.param == "sqlite":
        yield from _running(home, "")
        return
    with postgres.database(request.getfixturevalue("postgres_server")) as url:
        yield from _running(home, url)


def _running(home: Path, database: str) -> Iterator[Office]:
    office = make_office(home, database)
    with office.centre.running("--workers", "2"):
        yield office
        office.hang_up()


def workers(office: Office) -> list[int]:
    """Process ids of the centre's workers."""
    assert office.centre.process is not None
    children = Path(f"/proc/{office.centre.process.pid}/task/{office.centre.process.pid}/children")
    return [int(pid) for pid in children.read_text().split()]


def write(device: Device, town: str, pushes: int) -> None:
    for _ in range(pushes):
        first = len(device.log) + 1
        for _ in range(3):
            register(device, town)
        assert device.push(first)["through"] == len(device.log)


def test_a_reader_misses_nothing_that_two_processes_number(two: Office, town: str) -> None:
    """Promise 5: writers push into one town through both processes, a reader asks page by page meanwhile."""
    writers, reader = [two.laptop() for _ in range(4)], two.laptop()
    start, done = reader.here(), threading.Event()

    def read() -> list[int]:
        seen: list[int] = []
        cursors = start
        while True:
            last = done.is_set()
            reader.line = two.line()  # a new connection, to whichever process takes it
            page = reader.pull(cursors, limit=4)
            seen += [op["n"] for op in page["ops"] if op["stream"] == town]
            cursors = page["cursors"]
            if last and not page["more"]:
                return seen

    with ThreadPoolExecutor(len(writers) + 1) as pool:
        reading = pool.submit(read)
        try:
            list(pool.map(lambda device: write(device, town, PUSHES), writers))
        finally:
            done.set()
        assert reading.result() == list(range(1, len(writers) * PUSHES * 3 + 1))
    two.centre.command("verify")


def test_a_session_and_its_form_are_good_in_every_process(two: Office) -> None:
    with requests.Session() as browser:
        page = browser.get(f"{two.centre.url}/sign-in", timeout=10, headers={"Connection": "close"}).text
        form = {"csrf_token": _token(page), "login": "admin", "password": PASSWORD}
        browser.post(f"{two.centre.url}/sign-in", form, timeout=10, headers={"Connection": "close"})
        for _ in range(12):
            page = browser.get(f"{two.centre.url}/devices", timeout=10, headers={"Connection": "close"})
            assert page.status_code == 200
            assert "/sign-in" not in page.url


def test_wrong_passwords_are_counted_over_all_processes(two: Office) -> None:
    """The waits double, so that also a slow machine meets one before long; by itself each process had five free."""
    answers: list[int] = []
    while len(answers) < 10 and 429 not in answers:
        with requests.Session() as browser:
            page = browser.get(f"{two.centre.url}/sign-in", timeout=10, headers={"Connection": "close"}).text
            form = {"csrf_token": _token(page), "login": "nobody", "password": "wrong wrong"}
            answer = browser.post(f"{two.centre.url}/sign-in", form, timeout=60, headers={"Connection": "close"})
            answers.append(answer.status_code)
    assert answers[:5] == [403] * 5
    assert answers[-1] == 429


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux tells a process's children so plainly")
def test_a_worker_that_dies_is_replaced(two: Office, town: str) -> None:
    before = workers(two)
    assert len(before) == 2
    device = two.laptop()
    os.kill(before[0], signal.SIGKILL)
    assert soon(lambda: len(set(workers(two)) - {before[0]}) == 2, within_s=20)
    device.line = two.line()
    write(device, town, 2)
    assert device.pull()["through"] == 6


def test_what_was_let_in_is_answered_before_the_end(two: Office, town: str) -> None:
    """SIGTERM while laptops push: each push was answered and is there, or was not and is not half there."""
    devices = [two.laptop() for _ in range(4)]
    answered = dict.fromkeys((device.id for device in devices), 0)

    def push(device: Device) -> None:
        try:
            while True:
                register(device, town)
                answered[device.id] = device.push(answered[device.id] + 1)["through"]
        except (requests.RequestException, Refused):
            return

    with ThreadPoolExecutor(len(devices)) as pool:
        pushing = [pool.submit(push, device) for device in devices]
        assert soon(lambda: all(count > 2 for count in answered.values()), within_s=30)
        began = time.monotonic()
        assert two.centre.process is not None
        process = two.centre.process
        two.centre.stop()
        assert process.returncode == 0
        assert time.monotonic() - began < 20
        for each in pushing:
            each.result()
    two.centre.start("--workers", "2")
    for device in devices:
        device.line = two.line()
        assert device.pull()["through"] == answered[device.id], "nothing was in the air any more"


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]*)"', page)
    assert found is not None
    return found[1]
