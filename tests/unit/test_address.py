"""Plain HTTP stays on this machine, unless somebody says so by name."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from aidvisit import cli, config
from aidvisit.cli import setup
from aidvisit.cli.home import opened
from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.services.address import check_listening, check_server
from aidvisit.store.database import transaction
from sync import client, clock, log
from sync.op import uuid7
from tests.support.nodes import Node

LOOPBACK = ["127.0.0.1", "127.8.9.1", "localhost", "LocalHost", "[::1]"]
ELSEWHERE = [
    "192.168.1.10", "0.0.0.0", "10.0.0.1", "centre.example", "localhost.example", "127.0.0.1.example", "127.1",
    "2130706433", "[::]", "[fe80::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", LOOPBACK)
def test_plain_http_may_speak_to_this_machine(host: str) -> None:
    check_server(f"http://{host}:8000", insecure=False)
    check_listening(host.strip("[]"), insecure=False)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_plain_http_goes_nowhere_else(host: str) -> None:
    with pytest.raises(Problem) as caught:
        check_server(f"http://{host}:8000", insecure=False)
    assert caught.value.name == "insecure-line"
    assert "--insecure" in caught.value.words("zh")
    assert "https://" in caught.value.words("en")
    check_server(f"http://{host}:8000", insecure=True)
    check_server(f"https://{host}:8000", insecure=False)
    with pytest.raises(Problem) as caught:
        check_listening(host.strip("[]"), insecure=False)
    assert caught.value.name == "insecure-listening"
    check_listening(host.strip("[]"), insecure=True)


@pytest.mark.parametrize(
    "url",
    [
        "", "centre.example", "ftp://centre.example", "https://", "http:///pull", "https://a:99999", "https://a b",
        "http://localhost@centre.example", "http://localhost\\@centre.example", "https://a/?x", "https://a/#x",
        "http://[::1", "https://a\r\nX: y",
    ],
)  # fmt: skip
@pytest.mark.parametrize("insecure", [False, True])
def test_what_is_no_address_is_told(url: str, insecure: bool) -> None:
    with pytest.raises(Problem) as caught:
        check_server(url, insecure=insecure)
    assert caught.value.name == "bad-address"


def test_settings_edited_later_change_nothing(tmp_path: Path) -> None:
    """The check stands where the line is opened, not only where it was typed."""
    settings = config.write(tmp_path, role="field", server_url="http://centre.example")
    with pytest.raises(Problem, match="insecure-line"):
        sync.link(settings)
    assert sync.link(replace(settings, insecure=True))


def words(*arguments: object) -> list[str]:
    return ["--json", *map(str, arguments)]


def init(home: Path, url: str, *more: object) -> int:
    return cli.main(words("field", "init", "--home", home, "--server", url, "--code", "X", "--name", "n", *more))


def test_a_laptop_is_not_enrolled_over_plain_http(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise AssertionError("somebody looked for a way there")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert init(tmp_path / "home", "http://centre.example") == 1
    assert "insecure-line" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_insecure_is_kept_as_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "enrol", lambda *_, **__: "device")
    monkeypatch.setattr(setup, "sync_once", lambda *_: client.Outcome(0, 0))
    monkeypatch.chdir(tmp_path)
    assert init(tmp_path / "home", "http://centre.example", "--insecure", "--ca", "ca.pem") == 0
    settings = config.load(tmp_path / "home", {})
    assert (settings.insecure, settings.ca_file) == (True, tmp_path / "ca.pem")
    assert init(tmp_path / "other", "https://centre.example") == 0
    settings = config.load(tmp_path / "other", {})
    assert (settings.insecure, settings.ca_file, settings.behind_proxy) == (False, None, False)


@pytest.mark.parametrize("role", ["central", "field"])
def test_pages_are_not_served_to_others_without_tls(
    role: config.Role, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write(tmp_path, role=role, server_url="https://centre.example", no_encryption=True)
    assert cli.main(words(role, "run", "--home", tmp_path, "--host", "0.0.0.0", "--port", 1)) == 1
    assert "insecure-listening" in capsys.readouterr().err
    (tmp_path / "settings.toml").write_text(f'role = "{role}"\nhost = "::"\nno_encryption = true\n', encoding="utf-8")
    assert cli.main(words(role, "run", "--home", tmp_path)) == 1
    assert "insecure-listening" in capsys.readouterr().err


def test_a_laptop_whose_address_may_not_be_spoken_to_goes_on_recording(tmp_path: Path) -> None:
    """Somebody edited the settings, or they are of an older version: pages answer, and sending says why it does not."""
    field = Node(tmp_path / "home", "field")
    config.write(field.home, role="field", server_url="http://centre.example", no_encryption=True)
    with opened(config.load(field.home, {})), transaction() as conn:
        log.add_device(conn, uuid7(), name="3 号", public_key="", now=clock.wall())
        device = conn.exec_driver_sql("SELECT id FROM sync_device").scalar_one()
        log.remember(conn, role="field", device=device, name="3 号")
    field.start()
    try:
        assert requests.get(f"{field.url}/sign-in", timeout=10).status_code == 200
        assert "--insecure" in field.log.read_text()
    finally:
        field.stop()
