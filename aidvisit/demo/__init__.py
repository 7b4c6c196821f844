"""Both roles on one machine with sample data: the whole product in a minute (`aidvisit demo`)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.config import Settings
from aidvisit.demo import story
from aidvisit.demo.line import Line
from aidvisit.errors import Problem
from aidvisit.services import catalog, sync
from aidvisit.services.device import enrolment_codes
from aidvisit.store.database import transaction
from aidvisit.store.vault import Vault
from sync import clock, server
from sync.client import sync_once
from sync.joining import enrol


def run(home: Path | None, port: int, *, as_json: bool) -> None:
    """Set everything up, print addresses and logins, and stay until Ctrl-C.

    A home of our own is temporary and removed at the end; one that was asked for is kept.
    Raises: Problem `home-exists`.
    """
    if home is not None and home.exists() and any(home.iterdir()):
        raise Problem("home-exists", home=str(home))
    folder = home or Path(tempfile.mkdtemp(prefix="aidvisit-demo-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    demo = _Demo(folder)
    try:
        demo.start(port)
        print(json.dumps(demo.document(), ensure_ascii=False) if as_json else demo.words(), flush=True)
        demo.wait()
    except KeyboardInterrupt:
        pass
    finally:
        for impatient in (signal.SIGINT, signal.SIGTERM):
            signal.signal(impatient, signal.SIG_IGN)
        demo.stop()
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)


class _Demo:
    """The processes and homes of one demo."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: list[subprocess.Popen[str]] = []
        self.central_url = self.field_url = self.recovery_key = ""

    def start(self, port: int) -> None:
        central = config.write(self.folder / "central", role="central", port=_free_port(port))
        with opened(central):
            with transaction() as conn:
                device = server.set_up(conn, name="办公室", now=clock.wall())
            waiting = self._spawn(central)
            catalog.seed(actor=device, around=story.TOWN)
            teams = story.teams(device)
            carrying = ("慰问一队", "慰问二队")
            codes = {name: enrolment_codes(actor=device, team=teams[name])[0].code for name in carrying}
        # Passwords take their time on purpose: meanwhile everything else is made.
        with ThreadPoolExecutor(max_workers=1) as beside:
            people = beside.submit(_people, central, device, teams)
            self.central_url = _address(waiting)
            self._laptops(central, device, teams, codes, people)

    def _laptops(
        self, central: Settings, device: str, teams: Mapping[str, str], codes: Mapping[str, str], people: Future[None]
    ) -> None:

        switch = self.folder / "line-is-cut"
        line = Line(central.port, switch)
        first = config.write(
            self.folder / "laptop-1",
            role="field",
            server_url=f"http://127.0.0.1:{line.port}",
            port=_free_port(central.port + 1),
            demo_line=str(switch),
        )
        second = config.write(self.folder / "laptop-2", role="field", server_url=self.central_url)
        self.recovery_key, vault = _enrol(first, "3 号笔记本", codes["慰问一队"])
        starting = self._spawn(first)  # locked until somebody signs in
        with opened(central):
            trip_id, also = story.list_and_spring(device)
        people.result()
        _, another = _enrol(second, "5 号笔记本", codes["慰问二队"])
        with opened(second, another):
            sync_once(sync.link(second))
            story.next_village(teams["慰问二队"], also)
            sync.sync_now()
        with opened(first, vault):
            sync_once(sync.link(first))
            story.half_a_day(trip_id)
            sync.sync_now()
        self.field_url = _address(starting)

    def _spawn(self, settings: Settings) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "aidvisit", "--home", str(settings.home), settings.role, "run", "--json"]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AIDVISIT_")}
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment)
        self.children.append(child)
        return child

    def wait(self) -> None:
        """Until one of the two ends by itself."""
        while all(child.poll() is None for child in self.children):
            time.sleep(0.5)

    def stop(self) -> None:
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def document(self) -> dict[str, object]:
        return {
            "central": {"url": self.central_url, "login": story.ADMIN, "password": story.PASSWORD},
            "field": {
                "url": self.field_url,
                "login": story.LEADER,
                "password": story.PASSWORD,
                "recovery_key": self.recovery_key,
            },
            "home": str(self.folder),
        }

    def words(self) -> str:
        return (
            f"中心 / centre   {self.central_url}   登录 / login: {story.ADMIN}   密码 / password: {story.PASSWORD}\n"
            f"笔记本 / laptop {self.field_url}   登录 / login: luo      密码 / password: {story.PASSWORD}\n"
            "按 Ctrl-C 结束 / Ctrl-C ends it"
        )


def _people(central: Settings, actor: str, teams: Mapping[str, str]) -> None:
    with opened(central):
        story.people(actor, teams)


def _enrol(settings: Settings, name: str, code: str) -> tuple[str, Vault]:
    """The recovery key, and the open vault."""
    vault = Vault(settings.home)
    recovery_key = vault.create()
    with opened(settings, vault):
        enrol(sync.link(settings), name=name, code=code)
    return recovery_key, vault


def _address(child: subprocess.Popen[str]) -> str:
    """What a server prints when it is ready."""
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line:
        raise Problem("unexpected")
    address: str = json.loads(line)["url"]
    return address


def _free_port(wanted: int) -> int:
    """This port, or another when it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            if sys.platform != "win32":  # there it would mean sharing a port that is taken
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Problem("port-in-use", port=wanted)
