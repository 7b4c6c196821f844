"""What is typed, what is answered, and what every refusal says and leaves behind: nothing."""

from __future__ import annotations

import gc
import io
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aidvisit import cli, config
from aidvisit.cli.home import opened, ready
from aidvisit.services.device import enrolment_codes
from aidvisit.services.sync import own_device
from aidvisit.store.database import transaction
from aidvisit.store.ledger import House
from sync import clock, enrolment
from sync.identity import KeyPair
from sync.op import uuid7
from tests.support.homes import PASSWORD, SAMPLE

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command with --json: (exit code, the object on stdout or None, stderr)."""
    monkeypatch.delenv("AIDVISIT_HOME", raising=False)

    def call(*arguments: object, stdin: str = "") -> tuple[int, Any, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = cli.main(["--json", *map(str, arguments)])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    return call


@pytest.fixture
def central(tmp_path: Path, run: Run) -> Path:
    home = tmp_path / "central"
    code, made, _ = run("central", "init", "--admin", "office", "--password-stdin", "--home", home, stdin=PASSWORD)
    assert code == 0
    assert set(made) == {"home", "device", "team", "user"}
    return home


def name_of(error: str) -> str:
    return str(json.loads(error)["type"]).removeprefix("urn:aidvisit:problem:")


def test_a_centre_is_made_and_filled(central: Path, run: Run) -> None:
    """Teams, people, codes and a list, with the shapes that scripts rely on."""
    code, team, _ = run("central", "team", "add", "--name", "一队", "--divisions", "441225112", "--home", central)
    assert code == 0
    _, user, _ = run(
        "--home", central, "central", "user", "add", "--login", "luo", "--name", "罗", "--role", "leader",
        "--team", team["team"], "--password-stdin", stdin=PASSWORD + "\n",
    )  # fmt: skip
    assert set(user) == {"user"}
    _, one, _ = run("central", "enrol-code", "--team", team["team"], "--home", central)
    assert set(one) == {"code", "expires_at", "invitation"}
    _, several, _ = run("central", "enrol-code", "--team", team["team"], "--count", 2, "--home", central)
    assert [set(each) for each in several["codes"]] == [{"code", "expires_at", "invitation"}] * 2
    _, done, _ = run("import", SAMPLE, "--home", central)
    assert done["households"] == {"new": 34, "same": 0, "changed": 0}
    assert done["members"] == {"new": 0, "same": 0, "changed": 0}
    assert (done["refused"], done["questions"]) == ([], [])
    _, again, _ = run("import", SAMPLE, "--home", central, "--dry-run")
    assert again["households"]["same"] == 34


def test_people_are_listed_and_changed(central: Path, run: Run) -> None:
    _, listed, _ = run("central", "team", "list", "--home", central)
    (team,) = listed["teams"]
    assert set(team) == {"id", "name", "level", "parent", "divisions"}
    added = ("--login", "luo", "--name", "罗", "--role", "leader", "--team", team["id"], "--password-stdin")
    _, made, _ = run("--home", central, "central", "user", "add", *added, stdin=PASSWORD)
    change = ("--user", made["user"], "--role", "office", "--name", "罗春和", "--active", "no")
    assert run("central", "user", "update", *change, "--home", central)[:2] == (0, made)
    new = ("--user", made["user"], "--password-stdin")
    assert run("central", "user", "password", *new, "--home", central, stdin="a horse of another colour")[:2] == (
        0,
        made,
    )
    _, listed, _ = run("central", "user", "list", "--home", central)
    luo = next(each for each in listed["users"] if each["login"] == "luo")
    assert luo == {
        "id": made["user"], "login": "luo", "name": "罗春和", "role": "office", "team": team["id"], "active": False,
        "phone": None,
    }  # fmt: skip
    office = next(each for each in listed["users"] if each["login"] == "office")
    code, _, error = run("central", "user", "update", "--user", office["id"], "--active", "no", "--home", central)
    assert (code, name_of(error)) == (1, "last-admin")


def test_laptops_are_listed_renamed_and_revoked(central: Path, run: Run) -> None:
    assert run("central", "device", "list", "--home", central)[1] == {"devices": []}
    team = run("central", "team", "add", "--name", "一队", "--home", central)[1]["team"]
    with opened(config.load(central)):
        (code,) = enrolment_codes(actor=own_device(), team=team)
        request = {"code": code.code, "name": "3 号", "public_key": KeyPair.generate().public}
        device = enrolment.enrol(transaction, House(), request, None, "127.0.0.1", clock.wall())["device"]
    assert run("central", "device", "rename", "--device", device, "--name", "5 号", "--home", central)[0] == 0
    code_, done, _ = run("central", "device", "revoke", "--device", device, "--reason", "丢失", "--home", central)
    assert (code_, done) == (0, {"device": device, "revoked": True})
    ((listed,),) = run("central", "device", "list", "--home", central)[1].values()
    shown = {key: listed[key] for key in ("id", "name", "revoked", "revoked_reason", "through", "team_name")}
    assert shown == {
        "id": device, "name": "5 号", "revoked": True, "revoked_reason": "丢失", "through": 0, "team_name": "一队",
    }  # fmt: skip
    code_, _, error = run("central", "device", "rename", "--device", uuid7(), "--name", "x", "--home", central)
    assert (code_, name_of(error)) == (1, "unknown-device")


def test_the_log_is_proved(central: Path, run: Run) -> None:
    code, verified, _ = run("verify", "--home", central)
    assert (code, verified) == (0, {"ok": True, "findings": []})
    _, before, _ = run("digest", "--home", central)
    assert {"org", "office"} >= set(before) - {stream for stream in before if stream.startswith("team-")}
    _, rebuilt, _ = run("rebuild", "--home", central)
    assert rebuilt["ops"] > 400
    _, one, _ = run("digest", "--stream", "org", "--home", central)
    assert one == {"org": before["org"]}
    code, _, error = run("digest", "--stream", "441225999", "--home", central)
    assert (code, name_of(error)) == (1, "stream-not-held")


def test_a_new_epoch_is_another(central: Path, run: Run) -> None:
    epochs = {run("central", "new-epoch", "--home", central)[1]["epoch"] for _ in range(2)}
    assert len(epochs) == 2


def test_the_home_may_stand_in_the_environment(central: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIDVISIT_HOME", str(central))
    assert run("verify")[0] == 0


@pytest.mark.parametrize("words", [["verify"], ["central", "run"], ["sync"], ["sync", "status"]])
def test_a_directory_that_is_no_home_is_told(tmp_path: Path, run: Run, words: list[str]) -> None:
    code, _, error = run(*words, "--home", tmp_path)
    assert (code, name_of(error)) == (1, "not-a-home")
    assert not list(tmp_path.iterdir())


def test_a_home_of_the_other_role_is_told(central: Path, run: Run) -> None:
    for words in (["field", "run"], ["sync"], ["sync", "status"]):
        code, _, error = run(*words, "--home", central)
        assert (code, name_of(error)) == (1, "wrong-role")


def test_a_home_is_not_made_over_another(central: Path, run: Run) -> None:
    before = sorted(path.name for path in central.iterdir())
    code, _, error = run("central", "init", "--admin", "x", "--password-stdin", "--home", central, stdin=PASSWORD)
    assert (code, name_of(error)) == (1, "home-exists")
    code, _, error = run(
        "field", "init", "--server", "http://127.0.0.1:9", "--code", "X", "--name", "n", "--home", central
    )
    assert (code, name_of(error)) == (1, "home-exists")
    assert sorted(path.name for path in central.iterdir()) == before


def test_a_centre_that_cannot_be_made_leaves_nothing(tmp_path: Path, run: Run) -> None:
    home = tmp_path / "central"
    code, _, error = run("central", "init", "--admin", "x", "--password-stdin", "--home", home, stdin="short")
    assert (code, name_of(error)) == (1, "weak-password")
    assert not list(tmp_path.iterdir())


def test_words_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json a refusal is a Chinese sentence, then the English one."""
    assert cli.main(["verify", "--home", str(tmp_path)]) == 1
    chinese, english = capsys.readouterr().err.splitlines()
    assert "不是本程序的数据目录" in chinese
    assert "not a home" in english


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nothing"],
        ["import"],
        ["central", "team", "add"],
        ["central", "enrol-code", "--team", "x", "--count", "0"],
        ["field", "init", "--name", "x"],
        ["field", "init", "--name", "x", "--server", "https://aid.example.org"],
        ["field", "init", "--name", "x", "--code", "x"],
        ["field", "init", "--name", "x", "--code", "x", "--invitation", "x"],
    ],
)
def test_wrong_usage_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_sheet_that_is_none_is_told(central: Path, run: Run, tmp_path: Path) -> None:
    page = tmp_path / "list.xlsx"
    page.write_text("<html>")
    code, _, error = run("import", page, "--home", central)
    assert (code, name_of(error)) == (1, "not-a-sheet")
    code, _, error = run("import", SAMPLE, "--home", central)
    assert (code, name_of(error)) == (1, "import-unclear"), "no team works there yet"


@pytest.fixture
def hotel() -> Iterator[str]:
    """A Wi-Fi sign-in page that answers everything with HTML."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>Welcome to the hotel</html>")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_laptop_that_cannot_enrol_leaves_nothing(tmp_path: Path, run: Run, hotel: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for url, name in ((hotel, "hotel-wifi"), (nobody, "server-unreachable"), ("aid.example.org", "bad-address")):
            home = tmp_path / "laptop"
            code, _, error = run(
                "field", "init", "--server", url, "--code", "ABCDE-12345", "--name", "3 号", "--home", home
            )
            assert (code, name_of(error)) == (1, name)
            assert not list(tmp_path.iterdir())


def test_a_port_in_use_is_told(central: Path, run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, error = run("central", "run", "--port", taken.getsockname()[1], "--home", central)
    assert (code, name_of(error)) == (1, "port-in-use")


def test_a_database_from_the_future_is_left_as_it_is(central: Path, run: Run) -> None:
    with closing(sqlite3.connect(central / "aidvisit.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    code, _, error = run("verify", "--home", central)
    assert (code, name_of(error)) == (1, "database-from-future")


def test_a_database_that_is_a_centre_already_is_not_made_another(tmp_path: Path, run: Run, database_url: str) -> None:
    """On a database server the home is new, but the database may not be."""

    def init(name: str) -> tuple[int, Any, str]:
        words = ["central", "init", "--admin", "x", "--password-stdin", "--database", database_url]
        return run(*words, "--home", tmp_path / name, stdin=PASSWORD)

    assert init("first")[0] == 0
    code, _, error = init("second")
    assert (code, name_of(error)) == (1, "home-exists")
    assert not (tmp_path / "second").exists()
    assert run("verify", "--home", tmp_path / "first")[0] == 0


def test_nobody_at_the_prompt_is_told_in_words(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-D, or a script that forgot --password-stdin."""

    def ended(_words: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", ended)
    code, _, error = run("central", "init", "--admin", "office", "--home", tmp_path / "central")
    assert (code, name_of(error)) == (1, "password-missing")
    assert not (tmp_path / "central").exists()


def test_what_stays_is_looked_through_once(tmp_path: Path) -> None:
    gc.unfreeze()
    try:
        ready(config.write(tmp_path / "central", role="central"))
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("key", ["-" + "A" * 42, "--json" + "A" * 37, "A" * 43])
def test_a_fingerprint_may_begin_with_a_hyphen(run: Run, tmp_path: Path, key: str) -> None:
    verify = ("verify", tmp_path / "none.zip", "--key", key)
    for words in (verify, ("sync", "renew", "--home", tmp_path, "--fingerprint", key)):
        code, _, error = run(*words)
        assert (code, bool(name_of(error))) == (1, True), words


def test_a_reader_that_has_read_enough_is_no_error(homes: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    asked = [sys.executable, "-m", "aidvisit", "doctor", "--home", str(homes / "central")]
    done = subprocess.run(asked, stdout=write, stderr=subprocess.PIPE, check=False, timeout=120)
    os.close(write)
    assert done.stderr.decode() == ""
