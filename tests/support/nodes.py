"""A centre and a field laptop as people run them: set up and started by the command line, each in a home of its own.

Setting up takes seconds, so it is done once, and every test gets copies of both homes (`copies`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.demo.line import Line
from aidvisit.services import stock
from aidvisit.services.sync import own_device
from tests.support import started
from tests.support.centre import PASSWORD, Centre, free_port

SHEET = Path(__file__).parents[1] / "data" / "minqiang-2020-12-30.xlsx"
TOWN, DAY = "441225112", "2020-12-30"
LOADED = {"rice": 43, "oil": 35, "nuts": 34}
OFFICE, LEADER = "admin", "luo"
READY_WITHIN_S = 60


class Node:
    """One process of `aidvisit … run`. `url` answers while it runs."""

    program: Sequence[str] = ()
    """What Python runs instead of `aidvisit`."""

    def __init__(self, home: Path, role: str, **settings: str) -> None:
        self.home, self.role, self.settings = home, role, settings
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[str] | None = None
        self.options: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """Settings given here win over those in the home: the copy of a home answers on another port."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIDVISIT_")}
        own = {f"AIDVISIT_{name.upper()}": value for name, value in self.settings.items()}
        return kept | own | {"AIDVISIT_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}

    def command(self, *words: str, stdin: str = "") -> dict[str, Any]:
        """Run `aidvisit … --json` on this home and return the object that it prints; a laptop is unlocked for it."""
        unlock = ["--password-stdin"] if (self.home / "keys.json").exists() else []
        done = self.run([*words, *unlock, "--json"], f"{PASSWORD}\n" if unlock else stdin)
        assert done.returncode == 0, f"aidvisit {' '.join(words)}: exit {done.returncode}\n{done.stderr}"
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found

    def run(self, words: Sequence[str], stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        """Run `aidvisit` with these words on this home, whatever comes of it."""
        own = {f"AIDVISIT_{name.upper()}": value for name, value in settings.items()}
        environment = self.environment() | own
        if not self.program:
            return started.run(words, environment, stdin, READY_WITHIN_S)
        return subprocess.run(
            [sys.executable, *self.program, *words], input=stdin, capture_output=True, text=True, env=environment,
            timeout=READY_WITHIN_S,
        )  # fmt: skip

    def start(self) -> None:
        """Run it and wait for the one line that says it is ready; a laptop is locked until somebody signs in."""
        words = [self.role, "run", "--port", str(self.port), *self.options, "--json"]
        with self.log.open("a") as log:
            options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": log, "env": self.environment()}
            if self.program:
                self.process = subprocess.Popen([sys.executable, *self.program, *words], text=True, **options)
            else:
                self.process = started.Started(words, text=True, **options)
        assert self.process.stdout is not None
        watchdog = threading.Timer(READY_WITHIN_S, self.process.kill)
        watchdog.start()
        ready = self.process.stdout.readline()
        watchdog.cancel()
        assert self.url in ready, f"{self.role} did not start: {ready}{self.log.read_text()}"

    @contextmanager
    def inside(self) -> Iterator[str]:
        """The application context of its home, for what only a service does; yields the device to act as."""
        with opened(config.load(self.home, {}), secret=PASSWORD):
            yield own_device()

    @property
    def log(self) -> Path:
        """What the process says on its way."""
        return self.home.with_suffix(".log")

    def stop(self) -> None:
        """kill -9: no test relies on a tidy end (workers end with their master)."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate(timeout=30)
            self.process = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A running centre and a running laptop of the team that has the trip; the line between them can be cut."""

    centre: Node
    field: Node
    trip: str


def set_up(folder: Path) -> str:
    """Make a centre and an enrolled laptop in `folder`, with the sample list imported and loaded; the trip's id."""
    centre = Centre(folder / "central")
    team = centre.add_team("慰问一队", TOWN)
    person = ("--login", LEADER, "--name", "罗春和", "--role", "leader", "--team", team, "--password-stdin")
    centre.command("central", "user", "add", *person, stdin=PASSWORD + "\n")
    with centre.running():
        field = Node(folder / "field", "field")
        field.command("field", "init", "--server", centre.url, "--code", centre.code(team), "--name", "3 号笔记本")
        imported = centre.command("import", str(SHEET))
    trip = str(imported["trip"]["id"])
    # No command and no page loads a truck in this version; the service that the page will call does.
    with Node(centre.home, "central").inside() as device:
        stock.load(actor=device, trip=trip, date=DAY, lines=LOADED, slip="CK-2012-031")
    return trip


@contextmanager
def copies(ready: Path, folder: Path, trip: str) -> Iterator[Pair]:
    """Both nodes of `set_up`, copied and running; the demo's switch for the line is on the laptop's pages."""
    shutil.copytree(ready, folder, dirs_exist_ok=True)
    centre = Node(folder / "central", "central")
    switch = folder / "line-is-cut"
    line = Line(centre.port, switch)
    address = f"http://127.0.0.1:{line.port}"
    field = Node(folder / "field", "field", server_url=address, demo_line=str(switch))
    try:
        centre.start()
        field.command("sync")
        field.start()
        yield Pair(centre, field, trip)
    finally:
        field.stop()
        centre.stop()
        line.close()
