"""Somebody between a laptop and its centre: passes on what is asked, and meddles with what is answered."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

PASSED_UP = ("Content-Type", "Content-Encoding", "Accept-Encoding", "Authorization", "Aidvisit-Nonce")
PASSED_DOWN = ("Content-Type", "Content-Encoding", "Date", "Aidvisit-Signature", "Retry-After")


@dataclass(frozen=True, slots=True)
class Passing:
    """An answer on its way, still packed."""

    status: int
    headers: dict[str, str]
    body: bytes

    def without(self, name: str) -> Passing:
        return replace(self, headers={key: value for key, value in self.headers.items() if key != name})


def document(status: int, found: object, media_type: str = "application/json") -> Passing:
    return Passing(status, {"Content-Type": media_type}, json.dumps(found).encode())


class Meddler:
    """`meddle`: (path, answer) → what the laptop hears. `passed`: (path, answer) as the centre gave them."""

    def __init__(self, centre: str) -> None:
        self._centre = centre
        self.meddle: Callable[[str, Passing], Passing] = lambda _, answer: answer
        self.passed: list[tuple[str, Passing]] = []
        meddler = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                answer = meddler.ask(self.path, data, {k: self.headers[k] for k in PASSED_UP if k in self.headers})
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def ask(self, path: str, data: bytes, headers: dict[str, str]) -> Passing:
        """The centre's answer, as it was meddled with."""
        with requests.post(self._centre + path, data=data, headers=headers, timeout=60, stream=True) as response:
            body = response.raw.read(decode_content=False)
        kept = {name: response.headers[name] for name in PASSED_DOWN if name in response.headers}
        answer = Passing(response.status_code, kept, body)
        self.passed.append((path, answer))
        return self.meddle(path, answer)

    @contextmanager
    def running(self) -> Iterator[Meddler]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
