"""Several processes are asked for where they cannot be had."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aidvisit import config
from aidvisit.cli import main


def test_without_gunicorn_it_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write(tmp_path / "home", role="central")
    monkeypatch.setitem(sys.modules, "aidvisit.serving.workers", None)
    assert main(["central", "run", "--home", str(tmp_path / "home"), "--workers", "2"]) == 1
    told = capsys.readouterr().err
    assert "gunicorn" in told
    assert "aidvisit[postgres]" in told
    assert not (tmp_path / "home" / "aidvisit.db").exists(), "before anything was touched"


@pytest.mark.parametrize("count", ["0", "-1", "33", "two"])
def test_a_number_of_processes_that_makes_no_sense(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["central", "run", "--workers", count])
    assert "1…32" in capsys.readouterr().err
