"""The centre's server in one process: waitress with lanes; it ends when what was let in has its answer."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from flask import Flask, Response
from waitress import wasyncore
from waitress.server import create_server

from aidvisit.cli.home import BEHIND_PROXY, IN_MEMORY_BYTES, MAX_REQUEST_BYTES
from aidvisit.config import Settings
from aidvisit.errors import Problem
from aidvisit.services.sync import sign_answer
from aidvisit.serving import lanes
from aidvisit.serving.channel import Channel, Refusal
from aidvisit.serving.watch import watching
from aidvisit.web.api import sync as sync_api

CONNECTIONS = 900  # below the 1,024 files that a process may mostly have open
GRACE_S = 30.0
SYNC = ("/sync/v1/",)


def make(app: Flask, settings: Settings, listener: socket.socket) -> Any:
    """A server on a socket that listens already."""
    threads = 1 if settings.database_url.startswith("sqlite") else 2  # SQLite has one writer at a time
    server: Any = create_server(
        app,
        _dispatcher=lanes.of_centre(threads),  # type: ignore[arg-type]  # it is asked for three of its methods
        sockets=[listener],
        max_request_body_size=MAX_REQUEST_BYTES,
        inbuf_overflow=IN_MEMORY_BYTES,
        outbuf_overflow=IN_MEMORY_BYTES,
        connection_limit=CONNECTIONS,
        asyncore_use_poll=True,
        ident=None,  # whose server this is costs 18 bytes an answer
        **(BEHIND_PROXY if settings.behind_proxy else {}),
    )
    server.ending = False
    with app.app_context():
        sign_answer("", b"")  # reads the key now: a refusal must not wait for a database that is busy
    server.channel_class = type("Channel", (Channel,), {"refusal": staticmethod(refusal_of(app))})
    return server


def refusal_of(app: Flask) -> Refusal:
    """`too-many-requests`, as every other answer of this application: signed, packed, with its headers."""

    def answer(request: Any, wait_s: int) -> bytes:
        problem = Problem("too-many-requests", retry_after=wait_s)
        headers = {name.replace("_", "-"): value for name, value in request.headers.items() if name != "COOKIE"}
        kept = {name: value for name, value in headers.items() if name not in ("CONTENT-LENGTH", "TRANSFER-ENCODING")}
        with app.test_request_context(request.path if request.path.startswith(SYNC) else "/", headers=kept):
            if request.path.startswith(SYNC):
                response = sync_api.answer_problem(problem)
            else:
                response = Response(f"{problem.words('zh')}\n{problem.words('en')}\n", 429, content_type=PLAIN)
                response.headers["Retry-After"] = str(wait_s)
            response = app.process_response(response)
        response.headers["Date"], response.headers["Connection"] = formatdate(usegmt=True), "close"
        return _bytes_of(response)

    return answer


PLAIN = "text/plain; charset=utf-8"


def _bytes_of(response: Response) -> bytes:
    status = HTTPStatus(response.status_code)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in response.headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + response.get_data()


def run(server: Any, goes_on: Callable[[], bool]) -> None:
    """Serve while `goes_on`, asked about once a second; then answer what was let in, for at most `GRACE_S`."""
    _turn(server, goes_on)
    server.accepting, server.ending = False, True
    until = time.monotonic() + GRACE_S
    _turn(server, lambda: _busy(server) and time.monotonic() < until)
    server.task_dispatcher.shutdown(timeout=1)
    wasyncore.close_all(server._map, ignore_all=True)


def run_alone(app: Flask, settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    """The whole centre in this process, until SIGTERM or SIGINT."""
    stopping = threading.Event()
    server = make(app, settings, listener)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    ready()
    with watching(app):
        run(server, lambda: not stopping.is_set())


def _turn(server: Any, goes_on: Callable[[], bool]) -> None:
    while goes_on():
        wasyncore.loop(timeout=1.0, map=server._map, use_poll=True, count=1)


def _busy(server: Any) -> bool:
    return any(channel.requests or channel.total_outbufs_len for channel in list(server.active_channels.values()))
