"""The centre in several processes: gunicorn starts, watches and replaces them; in each runs `serving.server`.

gunicorn's own threads would read a request's body themselves, so that a few slow lines held them all.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.base import Worker

from aidvisit.config import Settings
from aidvisit.serving import server
from aidvisit.serving.watch import watching

SILENT_S = 120
"""A worker whose loop did not turn for so long is ended and replaced."""

Load = Callable[[], Flask]


class Process(Worker):
    """One worker process."""

    def init_signals(self) -> None:
        """Whatever asks it to end lets it answer first."""
        super().init_signals()
        signal.signal(signal.SIGINT, self.handle_exit)
        signal.signal(signal.SIGQUIT, self.handle_exit)

    def run(self) -> None:
        listener: Any = self.sockets[0]
        app: Any = self.wsgi
        with watching(app):
            server.run(server.make(app, app.config["SETTINGS"], listener.sock), self._goes_on)

    def _goes_on(self) -> bool:
        self.notify()
        return bool(self.alive) and os.getppid() == self.ppid


class Centre(BaseApplication):
    """The master. `load` makes the application, anew in each process."""

    def __init__(self, load: Load, settings: Settings, listener: socket.socket, count: int, ready: Callable[[], None]):
        self._load, self._settings, self._listener = load, settings, listener
        self._count, self._ready = count, ready
        super().__init__()

    def load_config(self) -> None:
        values: dict[str, Any] = {
            "bind": f"fd://{self._listener.detach()}",
            "workers": self._count,
            "worker_class": Process,
            "timeout": SILENT_S,
            "graceful_timeout": int(server.GRACE_S) + 5,
            "worker_tmp_dir": str(self._settings.home),  # an empty file that has no name; nothing stands elsewhere
            "control_socket_disable": True,
            "loglevel": "warning",
            "when_ready": lambda _: self._ready(),
            "proc_name": "aidvisit",
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._load()


def run(load: Load, settings: Settings, listener: socket.socket, count: int, ready: Callable[[], None]) -> None:
    """Serve in `count` processes until stopped; `ready` is called once the address answers."""
    Centre(load, settings, listener, count, ready).run()
