"""What starts `aidvisit` for the tests gives them what `subprocess` would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aidvisit.services import passwords
from tests.support import started

PASSWORD = "correct horse battery\n"
INIT = ("central", "init", "--admin", "admin", "--password-stdin", "--json")


def environment(home: Path) -> dict[str, str]:
    return {"AIDVISIT_HOME": str(home), "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}


def test_a_command_has_its_words_its_environment_and_its_answer(tmp_path: Path) -> None:
    made = started.run(INIT, environment(tmp_path / "home"), PASSWORD, cheap=True)
    assert (made.returncode, made.stderr) == (0, "")
    assert json.loads(made.stdout)["home"] == str(tmp_path / "home")
    assert started.run(["no", "such"], environment(tmp_path)).returncode == 2
    refused = started.run(["central", "team", "list"], environment(tmp_path / "none"))
    real = subprocess.run(
        [*started.PROGRAM, "central", "team", "list"],
        env=environment(tmp_path / "none"),
        capture_output=True,
        text=True,
    )
    assert (refused.returncode, refused.stdout, refused.stderr) == (real.returncode, real.stdout, real.stderr)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is a Popen")
def test_a_server_is_a_child_that_is_killed(tmp_path: Path) -> None:
    started.run(INIT, environment(tmp_path / "home"), PASSWORD, cheap=True)
    words = ("central", "run", "--port", "0", "--json")
    with started.Started(words, env=environment(tmp_path / "home"), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert "http://" in server.stdout.readline()
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert f"PPid:\t{os.getpid()}\n" in status
        server.kill()
        assert server.wait(timeout=30) == -9


def test_only_who_asks_for_it_makes_cheap_passwords(tmp_path: Path) -> None:
    """What a test starts computes as long as it does for people, unless it sets something up."""
    for cheap, memory in ((True, started.CHEAP.memory_kib), (False, passwords.Profile().memory_kib)):
        home = tmp_path / str(cheap)
        assert started.run(INIT, environment(home), PASSWORD, cheap=cheap).returncode == 0
        held = b"".join(file.read_bytes() for file in home.glob("aidvisit.db*"))
        assert f"$argon2id$v=19$m={memory},".encode() in held
