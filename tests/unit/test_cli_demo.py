"""The demo: its line is cut and mended, and its story is whole."""

from __future__ import annotations

import json
import random
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aidvisit.cli.home import opened
from aidvisit.config import load
from aidvisit.demo import story
from aidvisit.demo.line import Line
from aidvisit.demo.signature import signature
from aidvisit.store import ledger
from aidvisit.store.database import reading
from aidvisit.store.queries.reconcile import reconcile
from aidvisit.store.queries.trip import today, trips
from sync import log
from tests.support.soon import soon


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(100):
            self.request.sendall(data)


@pytest.fixture
def echo_port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def says_back(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"hello")
            return connection.recv(5) == b"hello"
    except OSError:
        return False


def test_the_line_is_cut_and_mended(echo_port: int, tmp_path: Path) -> None:
    """What is open is dropped, what is new is refused, and the same port answers again."""
    switch = tmp_path / "cut"
    line = Line(echo_port, switch)
    assert says_back(line.port)
    with socket.create_connection(("127.0.0.1", line.port), timeout=5) as connection:
        connection.sendall(b"a")
        assert connection.recv(1) == b"a"
        switch.touch()
        assert connection.recv(1) == b""
    assert soon(lambda: not says_back(line.port))
    switch.unlink()
    assert soon(lambda: says_back(line.port))
    line.close()


def test_a_signature_is_a_picture() -> None:
    name, media_type, data = signature(random.Random(1))
    assert (len(name), media_type, data[:4]) == (64, "image/svg+xml", b"<svg")
    assert signature(random.Random(1)) == (name, media_type, data)
    assert signature(random.Random(2))[0] != name


@pytest.mark.slow
def test_the_story_is_whole(tmp_path: Path) -> None:
    """The day half done, one possible duplicate, one missing bag of rice, all sent; and nothing runs on after it."""
    home = tmp_path / "demo"
    command = [sys.executable, "-m", "aidvisit", "demo", "--json", "--home", str(home), "--port", "18000"]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    try:
        said = json.loads(demo.stdout.readline())
        assert set(said) == {"central", "field", "home"}
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(15) == 0
    demo.stdout.close()
    digests = []
    for name in ("central", "laptop-1"):
        with opened(load(home / name, {}), secret=story.PASSWORD), reading() as conn:
            assert ledger.verify(conn) == []
            digests.append(ledger.digest(conn)["441225112"])
            if name == "laptop-1":
                assert log.state(conn).waiting == 0
                continue
            first, second = trips(conn)
            day = today(conn, first.id)
            books = {row.item: row for row in reconcile(conn, second.id).items}
            duplicates = reconcile(conn, first.id).duplicates
    assert (day.total, day.done, len(day.away)) == (34, 21, 2)
    assert {item: row.difference for item, row in books.items()} == {"rice": 1, "oil": 0, "nuts": 0}
    assert [(one.item, one.days_apart) for one in duplicates] == [("rice", 9)]
    assert digests[0] == digests[1]
