"""The doctor: well with a home that is well, and for each thing that can be wrong, what and what to do."""

from __future__ import annotations

import io
import json
import shutil
import socket
import sqlite3
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from aidvisit import cli, config
from aidvisit.cli.home import opened
from aidvisit.services import backup, doctor, lock
from aidvisit.services.doctor import machine
from aidvisit.services.doctor.model import Check, Patient
from aidvisit.store import migrations
from aidvisit.store.database import open_engine, transaction
from aidvisit.store.vault import Vault
from sync import clock, log
from tests.support import homes as support
from tests.support import postgres
from tests.support.authority import DAY, Authority, Certificate
from tests.support.homes import PASSWORD


@pytest.fixture
def central(homes: Path, tmp_path: Path) -> Path:
    return private(shutil.copytree(homes / "central", tmp_path / "central"))


@pytest.fixture
def field(homes: Path, tmp_path: Path) -> Path:
    return private(shutil.copytree(homes / "field", tmp_path / "field"))


def private(home: Path) -> Path:
    """As the program itself makes its files."""
    for path in home.iterdir():
        path.chmod(0o600)
    return home


def seen(home: Path, secret: str = "", **how: Any) -> dict[str, Check]:
    """What the doctor says of a home, by check; the worst where a check says several things."""
    settings = config.load(home, {})
    vault = Vault(home)
    if secret:
        lock.open_only(vault, secret)
    found: dict[str, Check] = {}
    for one in doctor.inspect(settings, vault, **({"outside": False} | how)):
        if one.name not in found or doctor.STATES.index(one.state) > doctor.STATES.index(found[one.name].state):
            found[one.name] = one
    assert all(one.do is None for one in found.values() if one.state == "ok")
    return found


def states(found: dict[str, Check]) -> dict[str, str]:
    return {name: one.state for name, one in found.items() if one.state != "ok"}


def test_a_home_that_is_well(central: Path, field: Path, tmp_path: Path) -> None:
    with opened(config.load(central, {})):
        backup.new_key()
        backup.make(tmp_path / "one")
    found = seen(central)
    assert states(found) == {}
    assert set(found) == {"clock", "disk", "database", "keys", "versions", "backup", "pages", "chain", "tables"}
    with opened(config.load(field, {}), secret=PASSWORD):
        backup.make(tmp_path / "two")
    assert states(seen(field, PASSWORD)) == {}


def test_a_centre_on_postgresql(postgres_server: str, tmp_path: Path) -> None:
    with postgres.database(postgres_server) as url, support.centre(tmp_path, url) as centre:
        found = seen(centre.settings.home)
        assert states(found) == {"backup": "look"}
        assert "PostgreSQL" in found["database"].found["en"]
    assert states(seen(centre.settings.home)) == dict.fromkeys(
        ["clock", "versions", "backup", "pages", "chain", "tables"], "unknown"
    ) | {"database": "broken"}


def sql(home: Path, statement: str, secret: str | None = None) -> None:
    with opened(config.load(home, {}), secret=secret), transaction() as conn:
        conn.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE household SET name = 'somebody' WHERE id = (SELECT min(id) FROM household)", {"tables": "broken"}),
        ("UPDATE op SET hash = digest WHERE seq = 3", {"chain": "broken"}),
        ("DELETE FROM op WHERE seq = 5", {"chain": "broken"}),
        ("UPDATE node SET value = '\"AAAA\"' WHERE key = 'private_key'", {"keys": "broken"}),
        ("UPDATE sync_device SET public_key = 'other'", {"keys": "broken"}),
    ],
)
def test_what_somebody_altered_is_found(central: Path, statement: str, wrong: dict[str, str]) -> None:
    sql(central, statement)
    found = states(seen(central))
    assert found.items() >= wrong.items()
    assert {name for name, state in found.items() if state == "broken"} <= {*wrong, "tables"}


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("DROP TABLE node", {"database", "clock", "keys", "backup", "chain", "tables"}),
        ("DROP TABLE household_index", {"database", "tables"}),
        ("DELETE FROM alembic_version", {"database"}),
        ("UPDATE node SET value = '{'", {"clock", "keys", "backup", "tables"}),
        ("UPDATE op SET body = '{' WHERE seq = 4", {"chain", "tables"}),
    ],
)
def test_what_cannot_be_read_is_broken_and_no_traceback(
    statement: str, wrong: set[str], central: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(central / "aidvisit.db")) as database:
        database.execute(statement)
        database.commit()
    assert cli.main(["--home", str(central), "doctor", "--offline", "--json"]) == 1
    out, err = capsys.readouterr()
    assert {one["name"] for one in json.loads(out)["checks"] if one["state"] == "broken"} == wrong
    assert "Traceback" not in err


def test_an_error_in_one_check_ends_no_other_on_postgresql(postgres_server: str, tmp_path: Path) -> None:
    with postgres.database(postgres_server) as url, support.centre(tmp_path, url) as centre:
        with transaction() as conn:
            conn.execute(text("ALTER TABLE sync_device RENAME TO gone"))
        found = seen(centre.settings.home)
        broken = ("clock", "database", "keys", "versions", "backup", "chain", "tables")
        assert states(found) == dict.fromkeys(broken, "broken")
        assert "1" in found["database"].found["en"]


def test_a_database_that_waits_for_its_upgrade(tmp_path: Path) -> None:
    settings = config.write(tmp_path / "central", role="central")
    engine = open_engine(settings.database_url)
    migrations.make(engine, "0014")
    engine.dispose()
    found = states(seen(private(settings.home)))
    assert found["database"] == "look"
    assert {found[name] for name in ("clock", "versions", "backup", "chain", "tables")} == {"unknown"}


def test_an_emptied_database_is_none_that_waits(central: Path) -> None:
    (central / "aidvisit.db").write_bytes(b"")
    found = seen(central)
    assert (found["database"].state, found["chain"].state) == ("broken", "unknown")


def test_a_laptop_without_its_key_file(field: Path) -> None:
    (field / "keys.json").unlink()
    found = seen(field)["keys"]
    assert (found.state, "keys.json" in found.found["en"]) == ("broken", True)


def test_a_damaged_file_is_told_and_what_can_be_read_is(central: Path) -> None:
    data = bytearray((central / "aidvisit.db").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4096 * 3] = b"\xff" * (4096 * 3)
    (central / "aidvisit.db").write_bytes(data)
    found = seen(central)
    assert "broken" in {found["database"].state, found["pages"].state}
    assert (found["disk"].state, found["keys"].state != "broken") == ("ok", True)


@pytest.mark.parametrize("part", [0, 0.2, 0.4, 0.6, 0.8])
def test_an_altered_byte_of_an_encrypted_file_is_found(field: Path, part: float) -> None:
    data = bytearray((field / "aidvisit.db").read_bytes())
    data[int(len(data) * part)] ^= 1
    (field / "aidvisit.db").write_bytes(data)
    found = seen(field, PASSWORD)
    assert "broken" in {found["database"].state, found["pages"].state}


def test_no_database_a_foreign_one_and_one_of_the_future(central: Path) -> None:
    sql(central, "UPDATE alembic_version SET version_num = '9999'")
    found = seen(central)
    assert (found["database"].state, "9999" in found["database"].found["zh"]) == ("broken", True)
    assert (found["chain"].state, found["disk"].state) == ("unknown", "ok")
    (central / "aidvisit.db").write_bytes(b"not a database" * 1000)
    assert seen(central)["database"].state == "broken"
    (central / "aidvisit.db").unlink()
    assert seen(central)["database"].state == "broken"
    assert not (central / "aidvisit.db").exists(), "a look makes nothing"


def test_a_locked_laptop_says_what_could_not_be_checked(field: Path) -> None:
    found = seen(field)
    assert (found["database"].state, found["chain"].state, found["keys"].state) == ("unknown", "unknown", "ok")


def test_keys(field: Path, central: Path) -> None:
    (field / "keys.json").chmod(0o644)
    wide = seen(field)["keys"]
    assert (wide.state, "keys.json" in wide.found["zh"], "chmod" in (wide.do or {})["zh"]) == ("look", True, True)
    (field / "keys.json").chmod(0o600)
    (field / "keys.json").write_text("{")
    assert seen(field)["keys"].state == "unknown"


def test_the_clock(field: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(config.load(field, {}), secret=PASSWORD), transaction() as conn:
        log.remember(conn, offset_ms=20 * 60_000)
    off = seen(field, PASSWORD)["clock"]
    assert (off.state, "慢 20 分钟" in off.found["zh"], "20 minutes behind" in off.found["en"]) == ("look", True, True)
    with opened(config.load(field, {}), secret=PASSWORD), transaction() as conn:
        log.remember(conn, offset_ms=0)
    real = clock.wall()
    monkeypatch.setattr(clock, "wall", lambda: real - timedelta(days=400))
    behind = seen(field, PASSWORD)["clock"]
    assert (behind.state, "还早" in behind.found["zh"]) == ("look", True)


def test_a_disk_that_is_nearly_full(central: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(central)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=500 * 2**20))
    assert seen(central)["disk"].state == "look"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    full = seen(central)["disk"]
    assert (full.state, full.do is not None) == ("broken", True)


def test_backups(central: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "backup-key" in (seen(central)["backup"].do or {})["en"]
    with opened(config.load(central, {})):
        backup.new_key()
    assert seen(central)["backup"].state == "ok", "a new home has a day"
    with opened(config.load(central, {})):
        backup.make(tmp_path / "one")
        log_problem = {"type": "urn:aidvisit:problem:not-writable", "name": "not-writable", "path": "/x", "status": 500}
        with transaction() as conn:
            log.remember(conn, backup_failed=log_problem | {"at": clock.wall().isoformat()})
    failed = seen(central)["backup"]
    assert (failed.state, "后来一次没有做成" in failed.found["zh"]) == ("look", True)
    real = clock.wall()
    monkeypatch.setattr(clock, "wall", lambda: real + timedelta(hours=49))
    assert seen(central)["backup"].state == "look"


def test_versions(field: Path, central: Path) -> None:
    with opened(config.load(field, {}), secret=PASSWORD), transaction() as conn:
        log.remember(conn, centre_version="9.9")
    assert "9.9" in seen(field, PASSWORD)["versions"].found["zh"]
    sql(central, 'UPDATE sync_device SET status = \'{"version": "0.0.9"}\' WHERE team IS NOT NULL')
    behind = seen(central)["versions"]
    assert (behind.state, "0.0.9" in behind.details[0]) == ("look", True)


def test_a_check_that_fails_by_itself_stops_no_other(central: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(_patient: object) -> None:
        raise RuntimeError("a secret in a message")

    monkeypatch.setattr(doctor, "QUICK", (("clock", bug), *doctor.QUICK[1:]))
    found = seen(central)
    assert (found["clock"].state, found["database"].state) == ("unknown", "ok")
    assert "secret" not in str(found["clock"])


@contextmanager
def answering(certificate: Certificate) -> Iterator[str]:
    """A server that makes secure connections and says nothing; its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), connection, context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


@pytest.mark.parametrize(
    ("days", "of_ours", "state"), [(300, True, "ok"), (5, True, "look"), (-1, True, "broken"), (300, False, "broken")]
)
def test_the_certificate(days: int, of_ours: bool, state: str, field: Path, tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path / "other")
    with answering(authority.give("127.0.0.1", after=-400 * DAY, lasts=(400 + days) * DAY)) as url:
        ca = authority.path if of_ours else other.path
        settings = replace(config.load(field, {}), server_url=url, ca_file=ca)
        [found] = machine.certificate(Patient(settings, Vault(field), clock.wall(), None))
    assert (found.state, found.do is None) == (state, state in ("ok", "broken"))


def test_the_line(field: Path) -> None:
    away = seen(field, PASSWORD, outside=True, slow=False)
    assert (away["line"].state, "certificate" in away) == ("look", False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = replace(config.load(field, {}), server_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        [there] = machine.line(Patient(settings, Vault(field), clock.wall(), None))
    assert there.state == "ok"


def test_the_command(
    central: Path, field: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: object, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = cli.main([*map(str, arguments)])
        return code, *capsys.readouterr()

    code, out, _ = run("--home", central, "doctor", "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["state"], told["role"]) == (0, True, "look", "central")
    assert {"name", "state", "found", "do", "details"} == set(told["checks"][0])
    code, out, _ = run("--home", field, "doctor", "--offline", "--password-stdin", stdin=PASSWORD)
    assert (code, "✓ database" in out) == (0, True)
    assert run("--home", field, "doctor", "--offline", "--password-stdin", stdin="wrong")[0] == 1
    assert run("--home", field, "doctor", "--offline")[0] == 0
    sql(central, "UPDATE alembic_version SET version_num = '9999'")
    assert run("--home", central, "doctor")[0] == 1
