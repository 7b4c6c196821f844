"""Backups that a node makes by itself: when, by whom, and what happens when one fails."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from aidvisit import config
from aidvisit.app import create_app
from aidvisit.cli.home import opened
from aidvisit.config import Settings
from aidvisit.services import backup, keeper
from aidvisit.store.queries.backup import BackupState, Kept
from sync import clock
from tests.support import homes as support
from tests.support import postgres
from tests.support.homes import PASSWORD

NOW = datetime.fromisoformat("2026-03-01T08:00:00+00:00")


def known(
    last_h: float | None = None, failed_h: float | None = None, since_h: float = 1000, running: bool = False
) -> BackupState:
    """A state by how many hours ago each thing was."""
    last = None if last_h is None else Kept("x", NOW - timedelta(hours=last_h), 1, 1.0, 1)
    failed = None if failed_h is None else {"at": (NOW - timedelta(hours=failed_h)).isoformat()}
    return BackupState(None, last, failed, NOW - timedelta(hours=since_h), running)


@pytest.mark.parametrize(
    ("state", "hours", "is_due"),
    [
        (known(last_h=25), 24, True),
        (known(last_h=23), 24, False),
        (known(last_h=7), 6, True),
        (known(last_h=2500), 0, False),
        (known(), 24, True),
        (known(since_h=3), 24, False),
        (known(last_h=25, failed_h=0.5), 24, False),
        (known(last_h=25, failed_h=1.5), 24, True),
        (known(last_h=25, running=True), 24, False),
    ],
)
def test_when_one_is_due(state: BackupState, hours: int, is_due: bool, tmp_path: Path) -> None:
    settings = Settings(tmp_path, "central", backup_hours=hours)
    assert keeper.due(state, settings, NOW) is is_due
    assert keeper.due(state, replace(settings, practice=True), NOW) is False


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_one_of_all_processes_makes_it(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if backend == "sqlite":
        check_one_claims(tmp_path, "")
        return
    with postgres.database(request.getfixturevalue("postgres_server")) as url:
        check_one_claims(tmp_path, url)


def check_one_claims(folder: Path, url: str) -> None:
    with support.centre(folder, url) as centre:
        later = clock.wall() + timedelta(hours=25)
        assert keeper.claim(centre.settings, later) is False, "nobody chose a key"
        backup.new_key()

        def claim(_number: int) -> bool:
            with centre.app.app_context():
                return keeper.claim(centre.settings, later)

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(claim, range(4))) == [False, False, False, True]
        assert keeper.claim(centre.settings, later + timedelta(hours=7)), "who began one and is gone holds nobody up"


def test_a_centre_makes_it_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with support.centre(tmp_path) as centre:
        backup.new_key()
        keeper.make(centre.settings)
        state = backup.state()
        assert state.last is not None
        assert [str(path) for path in centre.settings.backups.iterdir()] == [state.last.path]
        shutil.rmtree(centre.settings.backups)
        centre.settings.backups.write_text("no folder")
        keeper.make(centre.settings)
        assert (backup.state().failed or {})["name"] == "not-writable"
        assert backup.state().last == state.last


def test_a_laptop_makes_one_while_it_is_open(homes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(homes / "field", tmp_path / "field")
    settings = config.load(tmp_path / "field", {})
    monkeypatch.setattr(keeper, "LOOK_S", 0.01)
    monkeypatch.setattr(clock, "wall", lambda: datetime.now(NOW.tzinfo) + timedelta(hours=25))
    made = []
    monkeypatch.setattr(keeper, "make", lambda of: made.append(of) or running.stop())
    with opened(settings, secret=PASSWORD) as app:
        running = keeper.Keeper(app, settings)
        running.start()
        running._thread.join(20)
    assert made == [settings]


def test_a_locked_laptop_and_a_practice_make_none(homes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOOK_S", 0.01)
    shutil.copytree(homes / "field", tmp_path / "field")
    settings = config.load(tmp_path / "field", {})
    asked: list[Settings] = []
    monkeypatch.setattr(keeper, "claim", lambda of, _now: bool(asked.append(of)))
    running = keeper.Keeper(create_app(settings), settings)
    running.start()
    running._thread.join(0.2)
    running.stop()
    running._thread.join(20)
    assert asked == []
    idle = keeper.Keeper(Flask("x"), replace(settings, practice=True))
    idle.start()
    assert not idle._thread.is_alive()
