"""A central server as an administrator sets one up: by the command line, in a process and a home of its own."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tests.support import started

PASSWORD = "correct horse battery"
CODES = 100
PATIENCE_S = 120


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Centre:
    """A centre with teams. `url` answers while it runs; `database` is its SQLAlchemy URL."""

    def __init__(self, home: Path, database: str = "") -> None:
        self.home = home
        self.database = database or f"sqlite:///{(home / 'aidvisit.db').as_posix()}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None
        self._codes: dict[str, list[str]] = {}
        of_database = ["--database", database] if database else []
        made = self.command(
            "central", "init", "--admin", "admin", *of_database, "--password-stdin", stdin=f"{PASSWORD}\n"
        )
        self.office_team = str(made["team"])

    def command(self, *words: str, stdin: str = "") -> dict[str, Any]:
        """Run `aidvisit … --json` and return the object that it prints; passwords that it makes are cheap ones."""
        done = started.run([*words, "--json"], self._environment(), stdin, PATIENCE_S, cheap=True)
        assert done.returncode == 0, f"aidvisit {' '.join(words)}: exit {done.returncode}\n{done.stderr}"
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found

    def copied(self, home: Path) -> Centre:
        """The same centre in another home, on another port; it is on SQLite, and neither of them runs."""
        assert self.process is None
        shutil.copytree(self.home, home)
        other = copy.copy(self)
        other.home, other.port = home, free_port()
        other.database = f"sqlite:///{(home / 'aidvisit.db').as_posix()}"
        other.url = f"http://127.0.0.1:{other.port}"
        other._codes = copy.deepcopy(self._codes)
        return other

    def add_team(self, name: str, *divisions: str) -> str:
        codes = ["--divisions", ",".join(divisions)] if divisions else []
        return str(self.command("central", "team", "add", "--name", name, *codes)["team"])

    def code(self, team: str) -> str:
        """An enrolment code that nobody used."""
        waiting = self._codes.setdefault(team, [])
        if not waiting:
            made = self.command("central", "enrol-code", "--team", team, "--count", str(CODES))
            waiting += [each["code"] for each in made["codes"]]
        return waiting.pop()

    def forget_codes(self, team: str) -> None:
        """The codes that wait in here are worth nothing any more."""
        self._codes.pop(team, None)

    def start(self, *options: str) -> None:
        """Run the server and wait for the one line that says it is ready."""
        words = ["central", "run", "--port", str(self.port), *options, "--json"]
        self.log = (self.home.parent / f"{self.home.name}.log").open("a")
        self.process = started.Started(
            words, env=self._environment(), stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        assert self.process.stdout is not None
        watchdog = threading.Timer(PATIENCE_S, self.process.kill)
        watchdog.start()
        ready = self.process.stdout.readline()
        watchdog.cancel()
        assert self.url in ready, f"the server did not start: {ready}{Path(self.log.name).read_text()}"

    def kill(self) -> None:
        """kill -9: nothing of the process has a chance to finish."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, by: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(by)
        self.process.communicate(timeout=30)
        self.process = None
        self.log.close()

    @contextlib.contextmanager
    def running(self, *options: str) -> Iterator[Centre]:
        self.start(*options)
        try:
            yield self
        finally:
            if self.process is not None:
                self.kill()

    @contextlib.contextmanager
    def connected(self) -> Iterator[sa.Connection]:
        """A connection to the server's database, for what no command does (a day passes, somebody locks a row)."""
        engine = sa.create_engine(self.database, poolclass=NullPool)
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def sql(self, statement: str, **values: Any) -> int:
        """Run one statement in a transaction of its own; how many rows it changed."""
        with self.connected() as connection, connection.begin():
            return int(connection.execute(sa.text(statement), values).rowcount)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIDVISIT_")}
        return kept | {"AIDVISIT_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}
