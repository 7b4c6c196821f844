"""The server's answer is durable: kill -9 at any moment, start again, and all that was answered is there."""

from __future__ import annotations

import random
import threading
import time

import pytest
import requests
import urllib3

from tests.contract.bodies import register
from tests.contract.conftest import Office
from tests.support.client import Device

ROUNDS = {"sqlite": 10, "postgresql": 4}


def push_until_it_breaks(device: Device, town: str, first: int, answered: list[int]) -> None:
    """A few ops in each push, as fast as they are answered; every answer is noted before the next one."""
    try:
        while True:
            for _ in range(3):
                register(device, town)
            answered.append(device.push(first)["through"])
            first = answered[-1] + 1
    except (requests.RequestException, urllib3.exceptions.HTTPError):
        return


@pytest.mark.timeout(120)
def test_what_was_answered_is_there_after_kill_9(office: Office, town: str, request: pytest.FixtureRequest) -> None:
    centre, chance = office.centre, random.Random(20201230)
    device, reader = office.laptop(), office.laptop()
    through, answered = 0, [0]
    for _ in range(ROUNDS[request.node.callspec.params["office"]]):
        pusher = threading.Thread(target=push_until_it_breaks, args=(device, town, through + 1, answered))
        pusher.start()
        enough = len(answered) + chance.randint(1, 4)
        while len(answered) < enough and pusher.is_alive():
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.03))
        centre.kill()
        pusher.join()
        centre.start()
        device.line, reader.line = office.line(), office.line()
        held = device.pull()
        through = held["through"]
        assert through >= answered[-1]
        assert held["head"] == device.hashes[through]
    if through < len(device.log):
        device.push(through + 1)
    ops = [op for op in reader.pull_all(limit=5000)[0] if op["stream"] == town]
    assert [(op["seq"], op["n"]) for op in ops] == [(n, n) for n in range(1, len(device.log) + 1)]
    centre.command("verify")


@pytest.mark.timeout(60)
def test_a_new_epoch_under_the_same_key(office: Office, town: str) -> None:
    """After a restore: other numbers for the centre's own ops, all cursors from 0, receipts by the same key."""
    device, other = office.laptop(), office.laptop()
    register(device, town)
    device.push()
    cursors = other.here()
    epoch = office.centre.command("central", "new-epoch")["epoch"]
    page = other.pull(cursors, limit=5000)
    assert page["epoch"] == epoch != other.epoch
    assert [op["n"] for op in page["ops"] if op["stream"] == town] == [1]
    register(device, town)
    assert device.push()["through"] == 2, "and the receipt verifies with the key given at enrolment"
    newcomer = office.laptop()
    assert newcomer.server["public_key"] == device.server["public_key"]
    assert newcomer.server["device"] != device.server["device"]
    assert newcomer.epoch == epoch
