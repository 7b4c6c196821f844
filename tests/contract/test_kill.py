"""The server's answer is durable: kill -9 at any moment, start again, and all that was answered is there."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.contract.bodies import register
from tests.contract.conftest import COUNTY, Office, make_office
from tests.support import postgres
from tests.support.client import Device

ROUNDS = {"sqlite": 10, "postgresql": 4}


@pytest.fixture(params=["sqlite", "postgresql"])
def doomed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """A centre of this test alone."""
    if request.param == "sqlite":
        office = make_office(tmp_path / "home")
        with office.centre.running():
            yield office
    else:
        with postgres.database(request.getfixturevalue("postgres_server")) as url:
            office = make_office(tmp_path / "home", url)
            with office.centre.running():
                yield office
    office.hang_up()


def push_until_it_breaks(device: Device, town: str, first: int, answered: list[int]) -> None:
    """A few ops in each push, as fast as they are answered; every answer is noted before the next one."""
    try:
        while True:
            for _ in range(3):
                register(device, town)
            answered.append(device.push(first)["through"])
            first = answered[-1] + 1
    except requests.RequestException:
        return


@pytest.mark.timeout(120)
def test_what_was_answered_is_there_after_kill_9(doomed: Office, request: pytest.FixtureRequest) -> None:
    centre, town, chance = doomed.centre, f"{COUNTY}900", random.Random(20201230)
    device, reader = doomed.laptop(), doomed.laptop()
    through, answered = 0, [0]
    for _ in range(ROUNDS[request.node.callspec.params["doomed"]]):
        pusher = threading.Thread(target=push_until_it_breaks, args=(device, town, through + 1, answered))
        pusher.start()
        pusher.join(chance.uniform(0.02, 0.4))
        centre.kill()
        pusher.join()
        centre.start()
        device.line, reader.line = doomed.line(), doomed.line()
        held = device.pull()
        through = held["through"]
        assert through >= answered[-1]
        assert held["head"] == device.hashes[through]
    if through < len(device.log):
        device.push(through + 1)
    ops = [op for op in reader.pull_all(limit=5000)[0] if op["stream"] == town]
    assert [(op["seq"], op["n"]) for op in ops] == [(n, n) for n in range(1, len(device.log) + 1)]
    assert len(answered) > 5, "the server was killed at work"
    centre.stop()
    centre.command("verify")


@pytest.mark.timeout(60)
def test_a_new_epoch_under_the_same_key(doomed: Office) -> None:
    """After a restore: other numbers for the centre's own ops, all cursors from 0, receipts by the same key."""
    town = f"{COUNTY}901"
    device, other = doomed.laptop(), doomed.laptop()
    register(device, town)
    device.push()
    cursors = other.here()
    epoch = doomed.centre.command("central", "new-epoch")["epoch"]
    page = other.pull(cursors, limit=5000)
    assert page["epoch"] == epoch != other.epoch
    assert [op["n"] for op in page["ops"] if op["stream"] == town] == [1]
    register(device, town)
    assert device.push()["through"] == 2, "and the receipt verifies with the key given at enrolment"
    newcomer = doomed.laptop()
    assert newcomer.server["public_key"] == device.server["public_key"]
    assert newcomer.server["device"] != device.server["device"]
    assert newcomer.epoch == epoch
