"""A line that breaks: every connection through it ends after so many bytes to the server."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Cutting:
    """`sent`: bytes that went to the server at `to`; `cuts`: connections that were broken."""

    to: int
    after: int
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    sent: int = 0
    cuts: int = 0

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                asking, _ = self.listener.accept()
                threading.Thread(target=self._carry, args=(asking,), daemon=True).start()

    def _carry(self, asking: socket.socket) -> None:
        with asking, socket.create_connection(("127.0.0.1", self.to)) as server, contextlib.suppress(OSError):
            threading.Thread(target=_copy, args=(server, asking), daemon=True).start()
            left = self.after
            while data := asking.recv(min(left, 8192)):
                server.sendall(data)
                self.sent += len(data)
                left -= len(data)
                if left <= 0:
                    self.cuts += 1
                    asking.shutdown(socket.SHUT_RDWR)
                    return


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(8192):
            target.sendall(data)


@contextlib.contextmanager
def cutting(port: int, after: int) -> Iterator[Cutting]:
    """A line to `port` of this machine."""
    line = Cutting(port, after)
    threading.Thread(target=line.serve, daemon=True).start()
    try:
        yield line
    finally:
        line.listener.close()
