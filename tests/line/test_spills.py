"""Real processes, driven hard: nothing of it in the folder for temporary files, no word of it in the log."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support import watched
from tests.support.centre import PASSWORD, Centre
from tests.support.nodes import LEADER, Node

TOWN = "441225112"
NAME, ID_NUMBER, TYPED = "覃桂香", "11010519491231002X", "not-the-password-of-anybody"
MIB = 1024 * 1024


class Watched(Node):
    program = ("-m", "tests.support.watched")

    def __init__(self, home: Path, role: str, folder: Path, **settings: str) -> None:
        super().__init__(home, role, **settings)
        self._folder = folder

    def environment(self) -> dict[str, str]:
        return super().environment() | {"TMPDIR": str(self._folder)}


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Centre, str]:
    """A centre with one person and one household, and a code for a laptop."""
    centre = Centre(tmp_path_factory.mktemp("watched") / "central")
    team = centre.add_team("一队", TOWN)
    person = ("--login", LEADER, "--name", "罗春和", "--role", "leader", "--team", team, "--password-stdin")
    centre.command("central", "user", "add", *person, stdin=PASSWORD + "\n")
    return centre, centre.code(team)


@pytest.fixture
def central(set_up: tuple[Centre, str], tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "temporary").mkdir()
    node = Watched(set_up[0].home, "central", tmp_path / "temporary")
    node.start()
    yield node
    node.stop()


class Browser:
    def __init__(self, node: Node) -> None:
        self.url, self.session = node.url, requests.Session()
        self.session.trust_env = False

    def post(self, path: str, form: dict[str, str], token: bool = True) -> requests.Response:
        page = self.session.get(f"{self.url}/sign-in").text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        fields = {"csrf_token": found[1]} if token and found else {}
        return self.session.post(self.url + path, fields | form, allow_redirects=False)


def spilled(node: Node) -> list[str]:
    return [line for line in node.log.read_text().splitlines() if watched.MARK in line]


def test_the_watch_sees(tmp_path: Path) -> None:
    code = (
        "import sys, tempfile; from tests.support import watched;"
        "sys.addaudithook(watched.watch); tempfile.TemporaryFile()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"TMPDIR": str(tmp_path)})
    assert watched.MARK in done.stderr


def test_long_requests_and_answers_never_touch_the_disk(central: Watched) -> None:
    browser = Browser(central)
    answer = browser.post("/sign-in", {"note": "<" * (900 * 1024 // 3)}, token=False)
    assert answer.status_code == 400
    assert len(answer.content) > MIB, "long enough to be spooled"
    upload = {"file": ("list.xlsx", NAME.encode() * (7 * MIB // 9))}
    assert browser.session.post(f"{central.url}/sign-in", files=upload).status_code == 400
    push = browser.session.post(
        f"{central.url}/sync/v1/push", b"x" * (4 * MIB - 1), headers={"Authorization": "Bearer x"}
    )
    assert push.status_code == 401
    assert spilled(central) == []


def test_no_log_line_holds_a_secret_or_a_name(central: Watched, set_up: tuple[Centre, str], tmp_path: Path) -> None:
    """Both roles: refusals of every kind, a broken database, an enrolment, a laptop that is opened."""
    centre, code = set_up
    browser = Browser(central)
    for login in (LEADER, NAME):
        for _ in range(7):
            browser.post("/sign-in", {"login": login, "password": TYPED})
    wrong = {"code": "ABCDE-12345", "name": NAME, "public_key": "x"}
    assert browser.session.post(f"{central.url}/sync/v1/enrol", json=wrong).status_code in (403, 422)
    bearer = {"Authorization": "Bearer a-token-that-nobody-has"}
    browser.session.post(f"{central.url}/sync/v1/push", json={"name": NAME}, headers=bearer)

    laptop = Watched(tmp_path / "field", "field", tmp_path / "temporary")
    said = laptop.command("field", "init", "--server", central.url, "--code", code, "--name", "3 号笔记本")
    laptop.start()
    try:
        person = Browser(laptop)
        assert person.post("/sign-in", {"login": LEADER, "password": TYPED}).status_code == 403
        assert person.post("/sign-in", {"login": LEADER, "password": PASSWORD}).status_code == 303
        assert person.post("/search", {"q": NAME}).status_code == 200
        centre.sql("ALTER TABLE household_count RENAME COLUMN households TO gone")
        assert browser.post("/sign-in", {"login": "admin", "password": PASSWORD}).status_code == 303
        broken = browser.post("/search", {"q": f"{NAME} {ID_NUMBER}"})
        assert broken.status_code == 500
    finally:
        centre.sql("ALTER TABLE household_count RENAME COLUMN gone TO households")
        laptop.stop()

    logs = central.log.read_text() + laptop.log.read_text()
    assert "OperationalError" in logs, "the bug is in the log"
    recovery = [value for value in said.values() if isinstance(value, str) and value.count("-") == 8]
    assert len(recovery) == 1
    for needle in (NAME, ID_NUMBER, TYPED, PASSWORD, code, "ABCDE", "a-token-that-nobody-has", "罗春和", *recovery):
        assert needle not in logs
        assert needle.encode("unicode_escape").decode() not in logs
    assert spilled(central) + spilled(laptop) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of Linux")
def test_what_is_in_memory_stays_there(central: Watched) -> None:
    assert central.process is not None
    limits = Path(f"/proc/{central.process.pid}/limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0\s", limits)
    code = (
        "import ctypes, os; from aidvisit.__main__ import keep_memory_in; keep_memory_in();"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), os.umask(0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 1, "PR_GET_DUMPABLE of an ordinary process"
    assert done.stdout.split() == ["0", str(0o077)]
