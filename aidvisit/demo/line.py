"""The line between the demo's laptop and its centre: a TCP relay that a file cuts."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

LOOK_EVERY_S = 0.1


class Line:
    """Relays every connection to the centre, for as long as the `switch` file is not there.

    Cut, it drops what is open and refuses what is new, as an unplugged cable does.
    """

    def __init__(self, centre_port: int, switch: Path) -> None:
        self._centre_port, self._switch = centre_port, switch
        self._listener: socket.socket | None = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        threading.Thread(target=self._accept, name="demo-line", daemon=True).start()
        threading.Thread(target=self._watch, name="demo-switch", daemon=True).start()

    @staticmethod
    def _listen(port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        return listener

    def close(self) -> None:
        """End both threads and whatever is open."""
        self._closed = True
        self._cut()

    def _cut(self) -> None:
        if self._listener is not None:
            _hang_up(self._listener)
            self._listener = None
        with self._lock:
            for each in list(self._open):
                _hang_up(each)

    def _watch(self) -> None:
        while not self._closed:
            cut = self._switch.exists()
            if cut and self._listener is not None:
                self._cut()
            elif not cut and self._listener is None:
                self._listener = self._listen(self.port)
            time.sleep(LOOK_EVERY_S)

    def _accept(self) -> None:
        while not self._closed:
            listener = self._listener
            try:
                if listener is None:
                    raise OSError("the line is cut")
                near, _ = listener.accept()
            except OSError:
                time.sleep(LOOK_EVERY_S)
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._centre_port))
            except OSError:
                _hang_up(near)
                continue
            with self._lock:
                self._open |= {near, far}
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._relay, args=pair, daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # hung up at one end, which ends it at the other as well
            while data := source.recv(65536):
                target.sendall(data)
        for each in (source, target):
            _hang_up(each)
        with self._lock:
            self._open -= {source, target}


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
