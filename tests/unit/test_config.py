"""Settings: what the file says, what the environment overrides, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from aidvisit.config import Settings, find_home, load, write
from aidvisit.errors import Problem


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    home = tmp_path / "省 homes" / "laptop"
    written = write(home, role="field", server_url="http://centre.example/", timezone="Asia/Urumqi", port=0)
    assert load(home, {}) == written
    assert written.server_url == "http://centre.example"
    assert (written.port, written.zone.key) == (8001, "Asia/Urumqi")
    assert home.stat().st_mode & 0o077 == 0
    assert [path.name for path in home.iterdir()] == ["settings.toml"]


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    write(tmp_path, role="central", port=8000)
    settings = load(tmp_path, {"AIDVISIT_PORT": "9000", "AIDVISIT_ROLE": "field", "AIDVISIT_HOST": ""})
    assert (settings.port, settings.role, settings.host) == (9000, "central", "127.0.0.1")


def test_yes_and_no_are_read(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    write(tmp_path, role="field", insecure=True, behind_proxy=False, ca_file=str(authority))
    settings = load(tmp_path, {})
    assert (settings.insecure, settings.behind_proxy, settings.ca_file) == (True, False, authority)
    assert load(tmp_path, {"AIDVISIT_INSECURE": "false", "AIDVISIT_BEHIND_PROXY": "1"}).behind_proxy
    assert not load(tmp_path, {"AIDVISIT_INSECURE": "0"}).insecure
    with pytest.raises(Problem, match="settings-invalid"):
        load(tmp_path, {"AIDVISIT_INSECURE": "yes please"})


def test_a_session_ends_after_a_quarter_of_an_hour(tmp_path: Path) -> None:
    assert write(tmp_path, role="central").idle_minutes == 15


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
    ],
)
def test_database_url_names_the_driver_that_is_installed(tmp_path: Path, given: str, used: str) -> None:
    assert Settings(tmp_path, "central", database_url=given).database_url == used


def test_database_is_in_the_home_when_none_is_named(tmp_path: Path) -> None:
    assert Settings(tmp_path, "field").database_url == f"sqlite:///{tmp_path.as_posix()}/aidvisit.db"


def test_directory_without_settings_is_not_a_home(tmp_path: Path) -> None:
    for home in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(Problem) as raised:
            load(home, {})
        assert raised.value.name == "not-a-home"
        assert "--home" in raised.value.words("zh")
        assert str(home) in raised.value.words("en")


@pytest.mark.parametrize(
    "text",
    [
        "role = ",
        'role = "boss"',
        'server_url = "http://x"',
        'role = "field"\nport = "8001"',
        'role = "field"\nport = true',
        'role = "field"\ninsecure = 1',
        'role = "field"\nbehind_proxy = "true"',
        'role = "field"\nca_file = "ca.pem"',
        'role = "field"\ncolour = "red"',
        'role = "field"\ntimezone = "Asia/Nowhere"',
        'role = "field"\ntimezone = "../../etc/passwd"',
    ],
)
def test_settings_that_make_no_sense_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.toml").write_text(text, encoding="utf-8")
    with pytest.raises(Problem) as raised:
        load(tmp_path, {})
    assert raised.value.name == "settings-invalid"
    assert "settings.toml" in raised.value.words("en")


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(Problem, match="settings-invalid"):
        load(tmp_path, {})


def test_home_of_the_other_role_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, role="central")
    before = (tmp_path / "settings.toml").read_bytes()
    with pytest.raises(Problem) as raised:
        write(tmp_path, role="field", server_url="http://x")
    assert raised.value.name == "home-taken"
    assert (tmp_path / "settings.toml").read_bytes() == before


def test_home_asked_for_goes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIDVISIT_HOME", str(tmp_path / "environment"))
    assert find_home(tmp_path / "option") == tmp_path / "option"
    assert find_home() == tmp_path / "environment"
    monkeypatch.delenv("AIDVISIT_HOME")
    assert find_home().name == "aidvisit"


def test_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(Problem) as raised:
        write(tmp_path / "file" / "home", role="central")
    assert raised.value.name == "not-writable"
    assert str(tmp_path) in raised.value.words("en")
