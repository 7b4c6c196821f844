"""What commands say to people: in both languages whole, for the home that was meant, in the time of the wall."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from aidvisit import cli
from aidvisit.cli import records
from aidvisit.config import Settings
from aidvisit.errors import Problem
from sync.blobs import Waiting
from tests.support.homes import PASSWORD, SAMPLE
from tests.unit.test_web_pages import QUIET

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run a command as a person does: (exit code, stdout, stderr)."""
    monkeypatch.delenv("AIDVISIT_HOME", raising=False)

    def call(*arguments: object, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = cli.main([*map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def central(tmp_path: Path, say: Say) -> Path:
    home = tmp_path / "the centre"
    code, said, _ = say("central", "init", "--admin", "office", "--password-stdin", "--home", home, stdin=PASSWORD)
    assert code == 0
    assert f"aidvisit --home '{home}' central run" in said
    return home


def test_a_code_says_until_when_on_the_wall(central: Path, say: Say) -> None:
    _, said, _ = say("--home", central, "central", "team", "add", "--name", "一队")
    _, said, _ = say("--home", central, "central", "enrol-code", "--team", said.split()[-1])
    assert re.search(r"[\w-]{11}    (\S+ \d\d:\d\d\+08:00) 前有效 / valid until \1$", said, re.M)


def test_of_two_teams_in_one_town_one_is_named(central: Path, say: Say) -> None:
    for name in ("一队", "二队"):
        say("--home", central, "central", "team", "add", "--name", name, "--divisions", "441225112")
    code, _, said = say("--home", central, "import", SAMPLE)
    assert code == 1
    chinese, english = said.splitlines()
    assert "物资由哪一支去发?一队、二队 (--team, --households-only)" in chinese
    assert "--team" in english
    assert not re.search(r"[一-鿿]", english.replace("一队", "").replace("二队", ""))
    assert say("--home", central, "import", SAMPLE, "--team", "三队")[0] == 1
    code, said, _ = say("--home", central, "import", SAMPLE, "--team", "二队")
    assert code == 0
    assert say("--home", central, "import", SAMPLE)[0] == 0, "known from then on"


def test_the_english_half_has_its_numbers(tmp_path: Path) -> None:
    state = QUIET.__class__(
        **{name: getattr(QUIET, name) for name in QUIET.__slots__} | {"through": 6, "quarantined": 2}
    )
    for one in records._status_lines(state, Waiting(1, 10, 2, 90), Settings(tmp_path, "field")):
        chinese, _, english = one.partition(" / ")
        assert re.findall(r"\d+", chinese) == re.findall(r"\d+", english), one


def test_a_refusal_says_whose_password_opened_the_laptop(
    central: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aidvisit.cli.home._opened_by", lambda: "luo")

    def refuse(*_: object, **__: object) -> None:
        raise Problem("not-permitted")

    monkeypatch.setattr("aidvisit.services.import_.import_sheet", refuse)
    assert "用 luo 的密码打开的" in say("--home", central, "import", SAMPLE)[2]


@pytest.mark.parametrize(
    "command", [("central", "new-epoch"), ("sync", "lost"), ("central", "held", "release"), ("bundle", "import")]
)
def test_help_says_what_it_is_about(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([*command, "--help"])
    said = capsys.readouterr().out
    assert re.search("备份|第几条|带来的", said)
