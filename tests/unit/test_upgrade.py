"""A new version brings a home up to date only with a way back; what it does not know it leaves alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from aidvisit import config
from aidvisit.app import create_app
from aidvisit.cli.home import opened
from aidvisit.config import Role, Settings
from aidvisit.errors import Problem
from aidvisit.services import restore
from aidvisit.store import backup_file, migrations
from aidvisit.store.database import open_engine, reading, writing
from aidvisit.store.vault import Vault
from tests.support import postgres

BEFORE = "0014"


def older(settings: Settings, vault: Vault | None = None) -> None:
    """A home as the version before left it, with something in it."""
    engine = open_engine(settings.database_url, vault)
    migrations.make(engine, BEFORE)
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO node (key, value) VALUES ('kept', '1')"))
    engine.dispose()


def revision(settings: Settings, vault: Vault | None = None) -> str | None:
    engine = open_engine(settings.database_url, vault)
    try:
        with engine.connect() as conn:
            return migrations.revision(conn)
    finally:
        engine.dispose()


def ways_back(settings: Settings) -> list[Path]:
    return sorted((settings.home / "before-upgrades").glob("*.aidbackup"))


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_what_is_in_use_is_backed_up_before_it_is_changed(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if backend == "sqlite":
        check_way_back(config.write(tmp_path / "central", role="central"), "", tmp_path)
        return
    server = request.getfixturevalue("postgres_server")
    with postgres.database(server) as url, postgres.database(server) as empty:
        check_way_back(config.write(tmp_path / "central", role="central", database=url), empty, tmp_path)


def check_way_back(settings: Settings, empty: str, folder: Path) -> None:
    older(settings)
    with opened(settings), reading() as conn:
        assert migrations.revision(conn) == migrations.HEAD
    [way] = ways_back(settings)
    assert way.name.startswith(f"{BEFORE}-to-{migrations.HEAD}-")
    key = restore.opener((way.parent / "opens.key").read_text())
    (folder / "unpacked").mkdir()
    with way.open("rb") as file:
        assert backup_file.unpack(file, key, folder / "unpacked").header["revision"] == BEFORE
    with opened(settings):
        pass
    assert ways_back(settings) == [way]
    if empty:
        return
    taken_back = config.write(folder / "unpacked", role="central")
    assert revision(taken_back) == BEFORE


def test_a_new_home_and_one_that_is_up_to_date_need_none(tmp_path: Path) -> None:
    settings = config.write(tmp_path / "central", role="central")
    for _ in range(2):
        with opened(settings):
            pass
    assert not (settings.home / "before-upgrades").exists()


def test_a_laptop_that_is_opened_is_backed_up_as_it_is_encrypted(tmp_path: Path) -> None:
    settings = config.write(tmp_path / "field", role="field")
    vault = Vault(settings.home)
    vault.create()
    older(settings, vault)
    with opened(settings, vault), reading() as conn:
        assert migrations.revision(conn) == migrations.HEAD
    [way] = ways_back(settings)
    key = restore.opener((way.parent / "opens.key").read_text())
    (tmp_path / "unpacked").mkdir()
    with way.open("rb") as file:
        backup_file.unpack(file, key, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked" / "aidvisit.db").read_bytes().startswith(b"SQLite format")


def test_without_room_for_a_way_back_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config.write(tmp_path / "central", role="central")
    older(settings)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(Problem) as refused, opened(settings):
        pass
    assert (refused.value.name, revision(settings), ways_back(settings)) == ("backup-no-room", BEFORE, [])


def test_only_the_last_ones_are_kept(tmp_path: Path) -> None:
    settings = config.write(tmp_path / "central", role="central")
    older(settings)
    folder = settings.home / "before-upgrades"
    folder.mkdir()
    for number in range(3):
        (folder / f"000{number}-to-0009-x.aidbackup").touch()
    with opened(settings):
        pass
    assert len(ways_back(settings)) == 2
    assert ways_back(settings)[-1].name.startswith(BEFORE)


@pytest.mark.parametrize("role", ["central", "field"])
def test_a_database_from_the_future_is_left_alone(role: Role, tmp_path: Path) -> None:
    settings = config.write(tmp_path / role, role=role)
    vault = Vault(settings.home)
    if role == "field":
        vault.create()
    check_refusal(settings, vault)


def test_one_on_postgresql_too(postgres_server: str, tmp_path: Path) -> None:
    with postgres.database(postgres_server) as url:
        settings = config.write(tmp_path / "central", role="central", database=url)
        check_refusal(settings, Vault(settings.home))
        with pytest.raises(Problem, match="database-from-future"):
            create_app(settings)


def check_refusal(settings: Settings, vault: Vault) -> None:
    """In words; nothing is changed, and no way back made."""
    older(settings, vault)
    engine = open_engine(settings.database_url, vault)
    with writing(engine) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(Problem) as refused, opened(settings, vault):
        pass
    assert (refused.value.name, revision(settings, vault)) == ("database-from-future", "9999")
    assert all("9999" in refused.value.words(language) for language in ("zh", "en"))
    assert ways_back(settings) == []
