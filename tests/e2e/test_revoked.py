"""A laptop that the centre revoked, by processes as people run them: locked for everybody, and nothing is lost."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.services.delivery import record_delivery
from aidvisit.services.sync import own_device
from aidvisit.store.database import reading
from aidvisit.store.queries.trip import today
from sync.op import uuid7
from tests.support.centre import PASSWORD, Centre
from tests.support.nodes import DAY, LEADER, SHEET, TOWN, Node

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Lost:
    """A running centre, and a laptop with two deliveries that it has not sent."""

    centre: Centre
    laptop: Node
    device: str
    recovery: str

    def run(self, *words: str, secret: str = PASSWORD) -> tuple[int, dict[str, Any]]:
        """A command on the laptop: its exit code, and what it answered or why it refused."""
        done = self.laptop.run([*words, "--password-stdin", "--json"], secret + "\n")
        return done.returncode, json.loads(done.stdout or done.stderr.splitlines()[-1])

    def keys(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.laptop.home / "keys.json").read_text())
        return found

    def held(self) -> tuple[int, bool]:
        """What the centre holds of the laptop, and whether it is revoked there."""
        (row,) = self.centre.command("central", "device", "list")["devices"]
        return row["through"], row["revoked"]

    def revoke(self) -> None:
        self.centre.command("central", "device", "revoke", "--device", self.device, "--reason", "落在公交车上")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> tuple[Centre, dict[str, str]]:
    """The centre, which does not run, beside the laptop's home; what enrolling the laptop said."""
    folder = tmp_path_factory.mktemp("revoked")
    centre = Centre(folder / "central")
    team = centre.add_team("慰问一队", TOWN)
    person = ("--login", LEADER, "--name", "罗春和", "--role", "leader", "--team", team, "--password-stdin")
    centre.command("central", "user", "add", *person, stdin=PASSWORD + "\n")
    with centre.running():
        laptop = Node(folder / "field", "field")
        code = ("--server", centre.url, "--code", centre.code(team), "--name", "3 号笔记本")
        made = laptop.command("field", "init", *code)
        trip = centre.command("import", str(SHEET))["trip"]["id"]
        laptop.command("sync")
        _deliver_twice(laptop, trip)
    return centre, made


@pytest.fixture
def lost(ready: tuple[Centre, dict[str, str]], tmp_path: Path) -> Iterator[Lost]:
    made = ready[1]
    centre = ready[0].copied(tmp_path / "central")
    shutil.copytree(ready[0].home.with_name("field"), tmp_path / "field")
    laptop = Node(tmp_path / "field", "field", server_url=centre.url)
    with centre.running():
        yield Lost(centre, laptop, made["device"], made["recovery_key"])
        laptop.stop()


def _deliver_twice(laptop: Node, trip: str) -> None:
    with opened(config.load(laptop.home, {}), secret=PASSWORD):
        with reading() as conn:
            listed = today(conn, trip).households[:2]
        for household in listed:
            record_delivery(
                actor=own_device(), delivery=uuid7(), household=household.id, trip=trip, date=DAY, lines={"rice": 1},
                received_by={"as": "head", "name": household.name}, proofs=[{"as": "paper"}],
                reasons=dict.fromkeys(("over-stock", "date", "over-allocation"), "测试"),
            )  # fmt: skip


def sign_in(node: Node) -> requests.Response:
    browser = requests.Session()
    token = TOKEN.search(browser.get(f"{node.url}/sign-in").text)
    fields = {"login": LEADER, "password": PASSWORD, "csrf_token": token[1] if token else ""}
    return browser.post(f"{node.url}/sign-in", data=fields)


def test_the_recovery_key_alone_opens_it_and_what_was_not_sent_is_there(lost: Lost) -> None:
    assert len(lost.keys()["slots"]) == 1
    assert lost.run("sync", "status")[1]["waiting"] == 2
    before, _ = lost.held()
    lost.revoke()
    code, refusal = lost.run("sync")
    assert (code, refusal["type"]) == (1, "urn:aidvisit:problem:device-revoked")

    keys = lost.keys()
    assert (keys["slots"], keys["revoked"]) == ([], True)
    assert keys["recovery"]["sealed"]
    assert lost.run("sync", "status")[1]["type"] == "urn:aidvisit:problem:laptop-revoked"
    assert lost.held() == (before, True)

    code, state = lost.run("sync", "status", secret=lost.recovery)
    assert (code, state["waiting"]) == (0, 3), "both, and that the recovery key was used"
    code, verified = lost.run("verify", secret=lost.recovery)
    assert (code, verified["ok"]) == (0, True)
    code, digests = lost.run("digest", secret=lost.recovery)
    assert (code, TOWN in digests) == (0, True)

    code, refusal = lost.run("sync", secret=lost.recovery)
    assert (code, refusal["type"]) == (1, "urn:aidvisit:problem:device-revoked"), "nor with the office's key"
    assert lost.held() == (before, True)


def test_a_laptop_that_was_found_is_taken_in_again_with_a_code(lost: Lost) -> None:
    """What it had not sent comes once, its people open it as before; the old device stays revoked."""
    lost.revoke()
    assert lost.run("sync")[1]["type"] == "urn:aidvisit:problem:device-revoked"
    code, refusal = lost.run("sync", "renew", secret=lost.recovery)
    assert (code, refusal["type"]) == (1, "urn:aidvisit:problem:device-revoked"), "not without a code"
    (team,) = {row["team"] for row in lost.centre.command("central", "device", "list")["devices"]}
    code, done = lost.run("sync", "renew", "--code", lost.centre.code(team), secret=lost.recovery)
    assert (code, done.get("waiting")) == (0, 0), done
    rows = {row["id"]: row for row in lost.centre.command("central", "device", "list")["devices"]}
    assert rows.keys() == {lost.device, done["device"]}
    assert (rows[lost.device]["revoked"], rows[done["device"]]["revoked"]) == (True, False)
    assert rows[done["device"]]["through"] >= 2
    assert lost.centre.command("central", "held", "list")["held"] == []
    assert lost.centre.command("verify")["ok"]
    code, verified = lost.run("verify")
    assert (code, verified["ok"]) == (0, True), "with a person's password again"


def test_who_is_at_work_is_signed_out_and_told_why(lost: Lost) -> None:
    """The agent learns of it after somebody signed in; from then on the pages lead to a sentence, for anybody."""
    lost.revoke()
    lost.laptop.start()
    sign_in(lost.laptop)
    for _ in range(100):
        if lost.keys()["revoked"]:
            break
        threading.Event().wait(0.2)
    assert lost.keys()["slots"] == []
    page = requests.get(lost.laptop.url)
    assert page.url.startswith(f"{lost.laptop.url}/sign-in")
    assert "这台笔记本已被中心停用" in page.text
    assert "没有上报的记录都还在" in page.text
    assert 'name="password"' not in page.text
    refused = sign_in(lost.laptop)
    assert "慰问一队" not in refused.text
    assert refused.url.startswith(f"{lost.laptop.url}/sign-in")

    lost.laptop.stop()
    lost.laptop.start()
    assert 'name="password"' not in requests.get(lost.laptop.url).text, "a restart changes nothing"


@pytest.fixture
def hotel() -> Iterator[str]:
    """A stranger in the centre's place, who says to everything that the device was revoked."""

    class Stranger(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps({"type": "urn:aidvisit:problem:device-revoked", "status": 403}).encode()
            self.send_response(403)
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Content-Length", str(len(body)))
            if self.path.endswith("pull"):
                self.send_header("Aidvisit-Signature", "A" * 86)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_stranger_who_says_so_changes_nothing(lost: Lost, hotel: str) -> None:
    lost.laptop.settings["server_url"] = hotel
    code, refusal = lost.run("sync")
    assert (code, refusal["type"]) == (1, "urn:aidvisit:problem:other-server")
    assert (len(lost.keys()["slots"]), lost.keys()["revoked"]) == (1, False)
    lost.laptop.settings["server_url"] = lost.centre.url
    assert lost.run("sync")[1]["pushed"] == 2
