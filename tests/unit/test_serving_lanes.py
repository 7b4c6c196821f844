"""Who is let in, who is told to come back and when, and that a busy lane is nobody else's trouble."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from aidvisit import config
from aidvisit.app import create_app
from aidvisit.errors import Problem
from aidvisit.services.sync import sign_answer
from aidvisit.serving import lanes, server
from aidvisit.serving.lanes import BASE, HELD_BYTES, MOST_WORK_S, SLOW_S
from sync import server as sync_server
from sync.transport import HttpTransport
from tests.support.client import check_answer
from tests.support.homes import centre
from tests.support.soon import soon

NONCE = base64.urlsafe_b64encode(bytes(12)).decode()


@dataclass
class Asked:
    path: str = "/sync/v1/push"
    length: int = 50_000
    since: float = 0.0
    whole: bool = True
    known: bool = True


@pytest.fixture
def made() -> Iterator[lanes.Lanes]:
    found = lanes.of_centre(1)
    yield found
    found.shutdown(timeout=0.1)


def slow(made: lanes.Lanes, seconds: float) -> None:
    """Pushes of 50 kB were seen to take so long."""
    made.of("/sync/v1/push").byte_s = seconds / (BASE + 50_000)


def test_a_push_is_let_in_while_little_waits(made: lanes.Lanes) -> None:
    slow(made, 1.0)
    waiting = [Asked()] * int(MOST_WORK_S)
    assert made.wait_s(Asked(), waiting, 0, now=0.0) == 0
    assert made.wait_s(Asked(), [*waiting, Asked()], 0, now=0.0) > 0


def test_who_is_sent_away_comes_back_one_after_the_other(made: lanes.Lanes) -> None:
    slow(made, 1.0)
    waits = [made.wait_s(Asked(), [Asked()] * 20, 0, now=0.0) for _ in range(100)]
    assert waits[0] < 20
    assert 95 <= waits[-1] <= 140, "a hundred pushes of a second each take a hundred seconds"
    assert len(set(waits)) > 40, "not all in the same second"


def test_a_short_push_waits_less_than_a_long_one(made: lanes.Lanes) -> None:
    slow(made, 1.0)
    short = [made.wait_s(Asked(length=500), [Asked()] * 20, 0, now=0.0) for _ in range(20)]
    assert max(short) < 20


def test_a_slow_body_keeps_nobody_out(made: lanes.Lanes) -> None:
    slow(made, 1.0)
    dripping = [Asked(whole=False, since=0.0)] * 100
    assert made.wait_s(Asked(), dripping, 0, now=1.0) > 0
    assert made.wait_s(Asked(), dripping, 0, now=SLOW_S + 1) == 0


def test_pulls_and_pages_do_not_wait_for_pushes(made: lanes.Lanes) -> None:
    slow(made, 10.0)
    pushes = [Asked()] * 50
    assert made.wait_s(Asked(path="/sync/v1/pull", length=300), pushes, 0, now=0.0) == 0
    assert made.wait_s(Asked(path="/households"), pushes, 0, now=0.0) == 0


def test_what_is_held_in_memory_has_an_end(made: lanes.Lanes) -> None:
    slow(made, 0.0)
    for path in ("/sync/v1/push", "/sign-in"):
        large = [Asked(path=path, length=HELD_BYTES // 2)] * 2
        assert made.wait_s(Asked(path=path), large, 0, now=0.0) > 0
        assert made.wait_s(Asked(path=path), [], HELD_BYTES, now=0.0) > 0
        assert made.wait_s(Asked(path=path, length=0), large, HELD_BYTES, now=0.0) == 0, "a page without a body"


def test_strangers_fill_no_more_than_their_own_room(made: lanes.Lanes) -> None:
    slow(made, 0.0)
    largest = 4 * 1024 * 1024
    strangers = [Asked(length=largest, known=False)] * (lanes.STRANGERS_BYTES // largest)
    assert made.wait_s(Asked(length=largest, known=False), strangers, 0, now=0.0) > 0
    assert made.wait_s(Asked(length=largest, known=False), strangers[1:], 0, now=0.0) == 0
    assert made.wait_s(Asked(length=largest), strangers, 0, now=0.0) == 0
    assert made.wait_s(Asked(path="/sync/v1/pull", length=2000, known=False), strangers, 0, now=0.0) == 0, "a first one"
    small = [Asked(length=lanes.SMALL, known=False)] * server.CONNECTIONS
    assert made.wait_s(Asked(length=largest), [*strangers, *small], 0, now=0.0) == 0


def test_of_those_that_were_answered_the_last_are_known(made: lanes.Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "KNOWN", 2)
    for token in "abc":
        made.know(token)
    assert [made.knows(token) for token in "abcd"] == [False, True, True, False]


# --- over a real socket --------------------------------------------------------------------------------------


@dataclass
class Serving:
    url: str
    key: str
    made: lanes.Lanes
    running: threading.Thread
    hold: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    going_on: list[bool] = field(default_factory=lambda: [True])

    def ask(self, path: str, data: bytes = b"{}", token: str = "x") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", "Aidvisit-Nonce": NONCE, "Accept-Encoding": "identity"}
        return requests.post(self.url + path, data=data, headers=headers, timeout=30)


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """A centre in this process, whose pushes wait for `hold` inside of their thread."""
    with centre(tmp_path) as made_centre:
        settings = config.load(made_centre.settings.home, {})
    app = create_app(settings, testing=True)
    with app.app_context():
        key = _public_key()
    listener = socket.create_server(("127.0.0.1", 0))
    made = server.make(app, settings, listener)
    serving = Serving(f"http://127.0.0.1:{listener.getsockname()[1]}", key, made.task_dispatcher, threading.Thread())

    def held(*_: object) -> dict[str, object]:
        serving.begun.release()
        serving.hold.wait(20)
        return {"through": 0}

    monkeypatch.setattr(sync_server, "push", held)
    monkeypatch.setattr("aidvisit.web.api.sync.enrolment.device_of_token", lambda *_: None)
    serving.running = threading.Thread(target=server.run, args=(made, lambda: serving.going_on[0]))
    serving.running.start()
    yield serving
    serving.hold.set()
    serving.going_on[0] = False
    serving.running.join(20)
    assert not serving.running.is_alive()
    listener.close()


def _public_key() -> str:
    from aidvisit.store.database import reading
    from sync.enrolment import server_card

    assert sign_answer("", b"") is not None
    with reading() as conn:
        return str(server_card(conn)["public_key"])


@contextmanager
def pushing(serving: Serving, count: int) -> Iterator[list[requests.Response]]:
    """So many pushes at once, the first of them in its thread; their answers at the end."""
    answers: list[requests.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(serving.ask("/sync/v1/push"))) for _ in range(count)]
    for thread in threads:
        thread.start()
    assert serving.begun.acquire(timeout=10)
    try:
        yield answers
    finally:
        serving.hold.set()
        for thread in threads:
            thread.join(20)


def test_who_cannot_come_in_is_told_at_once_and_by_our_key(serving: Serving) -> None:
    serving.made.of("/sync/v1/push").byte_s = 1.0
    with pushing(serving, 2) as answers:
        assert soon(lambda: len(answers) == 1), "one is at work, the other was sent away"
        large = serving.ask("/sync/v1/push", bytes(3_000_000))
    for refused in (answers[0], large):
        assert refused.status_code == 429
        assert refused.headers["Content-Type"] == "application/problem+json"
        document = json.loads(refused.content)
        assert document["type"] == "urn:aidvisit:problem:too-many-requests"
        assert int(refused.headers["Retry-After"]) == document["retry_after"] >= 1
        assert refused.headers["Date"]
        check_answer(serving.key, NONCE, refused.content, refused.headers["Aidvisit-Signature"])
    assert sorted(answer.status_code for answer in answers) == [200, 429]


def test_our_laptop_believes_it_and_knows_how_long_to_wait(serving: Serving) -> None:
    serving.made.of("/sync/v1/push").byte_s = 1.0
    with pushing(serving, 1), pytest.raises(Problem) as told:
        HttpTransport(serving.url).call("push", {"ops": []}, "token")
    assert told.value.name == "too-many-requests"
    assert (told.value.retry_after or 0) >= 1
    assert told.value.proof is not None
    assert told.value.proof.by(serving.key)


def test_who_has_waited_for_too_long_is_told_to_come_back(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess was wrong: the one at work goes on to its end, the others have an answer in time all the same."""
    monkeypatch.setattr(lanes, "LATE_S", 0.05)
    with pushing(serving, 3) as answers:
        assert soon(lambda: len(serving.made.of("/sync/v1/push").workers.queue) == 2)
        time.sleep(0.1)
    assert sorted(answer.status_code for answer in answers) == [200, 429, 429]
    for refused in (answer for answer in answers if answer.status_code == 429):
        check_answer(serving.key, NONCE, refused.content, refused.headers["Aidvisit-Signature"])


def test_it_is_told_before_its_body_has_come(serving: Serving) -> None:
    serving.made.of("/sync/v1/push").byte_s = 1.0
    with pushing(serving, 1), _raw(serving) as line:
        line.sendall(b"POST /sync/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\nfirst bytes")
        assert line.recv(4096).startswith(b"HTTP/1.1 429 ")
        line.sendall(bytes(100_000))  # nobody hangs up on who has not read the answer yet


def test_bodies_that_drip_take_no_thread(serving: Serving) -> None:
    lines = [socket.create_connection(("127.0.0.1", int(serving.url.rpartition(":")[2]))) for _ in range(20)]
    for line in lines:
        line.sendall(b"POST /sync/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    serving.hold.set()
    assert serving.ask("/sync/v1/push").status_code == 200
    for line in lines:
        line.close()


def test_bodies_that_never_come_keep_no_laptop_out(serving: Serving) -> None:
    """Two dozen lines that announce the largest body would fill all the room there is."""
    serving.hold.set()
    assert serving.ask("/sync/v1/push", token="of a device").status_code == 200
    large = bytes(3_000_000)
    with ExitStack() as lines:
        for _ in range(30):
            line = lines.enter_context(_raw(serving))
            line.sendall(b"POST /sync/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n{")
        assert soon(lambda: serving.ask("/sync/v1/push", large, token="of nobody").status_code == 429)
        assert serving.ask("/sync/v1/push", large, token="of a device").status_code == 200


def test_pages_are_there_while_pushes_wait(serving: Serving) -> None:
    with pushing(serving, 3):
        assert requests.get(serving.url + "/sign-in", timeout=10).status_code == 200


def test_what_was_let_in_is_answered_before_the_end(serving: Serving) -> None:
    with pushing(serving, 2) as answers:
        assert soon(lambda: len(serving.made.of("/sync/v1/push").workers.queue) == 1)
        serving.going_on[0] = False
    assert [answer.status_code for answer in answers] == [200, 200]
    serving.running.join(10)
    assert not serving.running.is_alive()


@contextmanager
def _raw(serving: Serving) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", int(serving.url.rpartition(":")[2])), timeout=10) as line:
        yield line


def test_a_body_that_says_no_length_counts_as_the_largest() -> None:
    assert lanes.length_of({}, chunked=True) == 4 * 1024 * 1024
    assert lanes.length_of({"CONTENT_LENGTH": "12"}, chunked=False) == 12
    assert lanes.length_of({}, chunked=False) == 0
