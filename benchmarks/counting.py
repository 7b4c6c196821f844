"""A TCP proxy that counts what passes, both ways: what a line carries of HTTP, headers and all."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass

CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Passed:
    """Bytes from the laptop and to it, and connections made."""

    up: int = 0
    down: int = 0
    connections: int = 0

    @property
    def both(self) -> int:
        return self.up + self.down

    def since(self, before: Passed) -> Passed:
        return Passed(self.up - before.up, self.down - before.down, self.connections - before.connections)


class Counter:
    """Listens on `port` and passes everything on to another port of this machine."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._passed, self._lock = Passed(), threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def passed(self) -> Passed:
        with self._lock:
            return self._passed

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._count(connections=1)
                for source, sink, way in ((near, far, "up"), (far, near, "down")):
                    threading.Thread(target=self._pass_on, args=(source, sink, way), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                self._count(**{way: len(data)})  # before it arrives: nobody reads a figure that is too small
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _count(self, up: int = 0, down: int = 0, connections: int = 0) -> None:
        with self._lock:
            old = self._passed
            self._passed = Passed(old.up + up, old.down + down, old.connections + connections)

    def close(self) -> None:
        self._listening.close()
