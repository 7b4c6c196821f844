"""One request over HTTP to servers of every kind: how it is packed, how little it says, a connection that is kept."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sync import dictionary
from sync.op import uuid7
from sync.problem import MEDIA_TYPE
from sync.transport import HttpTransport
from sync.wire import pack, unpack
from tests.support.toy import Centre, Line, connected, expect_problem, memory

LONG = {"padding": [f"{n:032x}" for n in range(40)]}


class Server(ThreadingHTTPServer):
    """`reads`: the codings that it can unpack; `knows`: its newest dictionary; `status` of its refusals."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reads, self.knows, self.status = {"identity", "gzip", "zstd", "aid-1"}, 1, 422
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        self.hang_up = False

    @property
    def packings(self) -> list[str]:
        return [headers.get("content-encoding", "identity") for _, headers in self.asked]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_POST(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        packing = self.headers.get("Content-Encoding", "identity")
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if packing not in self.server.reads:
            self.answer(self.server.status, {"type": "urn:aidvisit:problem:malformed", "detail": "?"}, MEDIA_TYPE)
            return
        document = json.loads(unpack(raw, packing))
        known = {"dictionary": self.server.knows} if self.server.knows and "dictionary" in document else {}
        self.answer(200, {"got": len(document), **known}, "application/json")
        if self.server.hang_up:
            self.close_connection = True  # without a word, as a modem does

    def answer(self, status: int, document: dict[str, Any], media_type: str) -> None:
        known = dictionary.number_of(self.headers.get("Content-Encoding", "")) or 0
        known = known if f"aid-{known}" in self.server.reads else 0
        body, packing = pack(json.dumps(document).encode(), self.headers.get("Accept-Encoding"), known)
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        if packing:
            self.send_header("Content-Encoding", packing)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def transport(server: Server) -> HttpTransport:
    return HttpTransport(f"http://127.0.0.1:{server.server_port}")


def test_a_dictionary_is_used_once_the_server_has_said_that_it_knows_it(
    server: Server, transport: HttpTransport
) -> None:
    for name in ("pull", "push", "pull"):
        transport.call(name, LONG, "token")
    assert server.packings == ["zstd", "aid-1", "aid-1"]
    assert server.asked[0][1]["accept-encoding"] == "zstd, gzip"
    assert "accept-encoding" not in server.asked[1][1]


def test_a_server_without_dictionaries_never_meets_one(server: Server, transport: HttpTransport) -> None:
    server.knows, server.reads = 0, {"identity", "gzip", "zstd"}
    for name in ("pull", "push"):
        transport.call(name, LONG, "token")
    assert server.packings == ["zstd", "zstd"]


@pytest.mark.parametrize("status", [422, 415])
def test_a_server_that_lost_its_dictionary_is_met_without_at_once(
    server: Server, transport: HttpTransport, status: int
) -> None:
    """An older version came back from a backup: nothing stops, nobody is asked."""
    transport.call("pull", LONG, "token")
    server.knows, server.reads, server.status = 0, {"identity", "gzip", "zstd"}, status
    assert transport.call("push", LONG, "token").document == {"got": 1}
    assert server.packings == ["zstd", "aid-1", "zstd"]
    transport.call("pull", LONG, "token")
    assert server.packings[3:] == ["zstd"]


@pytest.mark.parametrize(
    ("reads", "packings"),
    [({"identity", "gzip"}, ["zstd", "gzip", "gzip"]), ({"identity"}, ["zstd", "gzip", "identity", "identity"])],
)
def test_a_server_without_zstd_is_met_with_what_it_reads(
    server: Server, transport: HttpTransport, reads: set[str], packings: list[str]
) -> None:
    server.knows, server.reads = 0, reads
    transport.call("pull", LONG, "token")
    transport.call("push", LONG, "token")
    assert server.packings == packings


def test_what_is_not_well_formed_stays_so_however_it_is_packed(server: Server, transport: HttpTransport) -> None:
    server.reads = set()
    with expect_problem("malformed"):
        transport.call("push", LONG, "token")
    server.reads = {"identity", "gzip", "zstd"}
    transport.call("push", LONG, "token")
    assert server.packings[-1] == "zstd", "nothing was learned from it"


def test_a_request_says_no_more_than_it_must(server: Server, transport: HttpTransport) -> None:
    transport.call("pull", LONG, "token")
    transport.call("push", LONG, "token")
    said = {"host", "content-type", "content-length", "content-encoding", "authorization", "aidvisit-nonce"}
    assert set(server.asked[0][1]) == said | {"accept-encoding"}
    assert set(server.asked[1][1]) <= said


def test_the_connection_is_kept(server: Server, transport: HttpTransport) -> None:
    for _ in range(3):
        transport.call("pull", {}, "token")
    assert server.connections == 1


@pytest.mark.parametrize("name", ["pull", "push"])
def test_a_kept_connection_that_is_gone_is_made_anew_at_once(
    server: Server, transport: HttpTransport, name: str
) -> None:
    server.hang_up = True
    for count in range(1, 4):
        assert transport.call(name, LONG, "token").document["got"]
        assert server.connections == count


def test_a_server_that_is_gone_is_not_asked_for_ever(server: Server, transport: HttpTransport) -> None:
    transport.call("pull", {}, "token")
    server.shutdown()
    server.server_close()
    transport._session.close()
    with expect_problem("server-unreachable"):
        transport.call("push", LONG, "token")


def test_a_reply_says_what_travelled_and_how_long_it_took(server: Server, transport: HttpTransport) -> None:
    reply = transport.call("push", LONG, "token")
    assert 0 < reply.sent < len(json.dumps(LONG))
    assert reply.received > 0
    assert 0 < reply.seconds < 60


def test_the_line_is_looked_for_without_a_question(server: Server, transport: HttpTransport) -> None:
    assert transport.is_there()
    assert server.asked == []
    server.shutdown()
    server.server_close()
    assert not transport.is_there()


def test_what_hangs_up_at_once_is_no_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as switch:
        transport = HttpTransport(f"http://127.0.0.1:{switch.getsockname()[1]}")
        thread = threading.Thread(target=lambda: switch.accept()[0].close())
        thread.start()
        assert not transport.is_there()
        thread.join()


def test_a_lean_question_carries_no_nonce(server: Server, transport: HttpTransport) -> None:
    assert transport.lean("push", LONG, "token").proof is None
    assert "aidvisit-nonce" not in server.asked[0][1]


class Remembering(Line):
    """A line inside this process that says which dictionary was used last."""

    dictionary = 0


def test_a_laptop_remembers_which_dictionary_its_centre_has() -> None:
    """A process that was just started packs with it from the first request on."""
    centre = Centre(memory()).set_up()
    laptop = connected(centre, uuid7())
    laptop.line = Remembering(centre)
    laptop.line.after = lambda *_: setattr(laptop.line, "dictionary", 1)
    laptop.sync()
    laptop.line = line = Remembering(centre)
    line.before = lambda *_: asked.append(line.dictionary)
    asked: list[int] = []
    laptop.sync()
    assert asked == [1]
