"""Backups: made of a home in use, proved, restored; refused with a reason when anything is not right."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyrage.x25519 import Identity
from sqlalchemy import text

from aidvisit import cli, config
from aidvisit.cli.home import opened
from aidvisit.errors import Problem
from aidvisit.services import account, backup, renewal, restore, visit
from aidvisit.services import sync as sync_service
from aidvisit.services.import_ import import_sheet
from aidvisit.services.sync import own_device
from aidvisit.store import backup_file, ledger, snapshot
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.backup import backup_state
from sync import client, clock, log
from sync.link import Link
from sync.op import uuid7
from tests.support import homes as support
from tests.support import postgres
from tests.support.homes import PASSWORD
from tests.support.pages import DAY, RECOVERY, InProcess

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def command(*arguments: object, stdin: str = "") -> tuple[int, Any, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = cli.main(["--json", *map(str, arguments)])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    monkeypatch.delenv("AIDVISIT_HOME", raising=False)
    return command


@pytest.fixture
def central(homes: Path, tmp_path: Path) -> Path:
    shutil.copytree(homes / "central", tmp_path / "central")
    return tmp_path / "central"


@pytest.fixture
def field(homes: Path, tmp_path: Path) -> Path:
    shutil.copytree(homes / "field", tmp_path / "field")
    return tmp_path / "field"


def digests(home: Path, secret: str | None = None) -> dict[str, str]:
    with opened(config.load(home, {}), secret=secret), reading() as conn:
        assert ledger.verify(conn) == []
        return ledger.digest(conn)


def name_of(error: str) -> str:
    return str(json.loads(error)["type"]).removeprefix("urn:aidvisit:problem:")


def not_home(household: str | None = None) -> None:
    """A fact of the open laptop: nobody was at home."""
    with reading() as conn:
        house = household or conn.execute(text("SELECT min(id) FROM household")).scalar_one()
        trip = conn.execute(text("SELECT id FROM trip")).scalar_one()
    visit.record_visit(
        actor=own_device(), visit=uuid7(), household=house, trip=trip, date=DAY, outcome="not-home",
        purposes=["distribution"],
    )  # fmt: skip


def test_a_centre_comes_back_from_its_backup(central: Path, tmp_path: Path, run: Run) -> None:
    code, key, _ = run("--home", central, "backup-key")
    assert code == 0
    code, made, _ = run("--home", central, "backup", tmp_path / "one.aidbackup")
    assert (code, made["ops"] > 40, made["bytes"]) == (0, True, (tmp_path / "one.aidbackup").stat().st_size)
    assert b"SQLite" not in (tmp_path / "one.aidbackup").read_bytes()
    before = digests(central)
    code, back, _ = run(
        "--home", tmp_path / "back", "restore", tmp_path / "one.aidbackup", "--key-stdin", stdin=key["recovery_key"]
    )
    assert (code, back["ops"]) == (0, made["ops"])
    assert digests(tmp_path / "back") == before
    with opened(config.load(tmp_path / "back", {})), reading() as conn:
        assert log.recall(conn, "epoch") == back["epoch"]
        assert backup_state(conn, clock.wall()).last is None
    with opened(config.load(central, {})), reading() as conn:
        assert log.recall(conn, "epoch") != back["epoch"]
        assert backup_state(conn, clock.wall()).last is not None
    assert sorted(path.name for path in central.iterdir() if path.name.startswith(".")) == []


def test_a_laptop_comes_back_with_its_recovery_key_and_opens_for_its_people(
    homes: Path, field: Path, tmp_path: Path, run: Run
) -> None:
    file = tmp_path / "laptop.aidbackup"
    code, made, _ = run("--home", field, "backup", file, "--password-stdin", stdin=PASSWORD)
    assert code == 0
    (tmp_path / "key").write_text((homes / RECOVERY).read_text())
    code, back, _ = run("--home", tmp_path / "back", "restore", file, "--key-file", tmp_path / "key")
    assert (code, back["ops"], back["epoch"]) == (0, made["ops"], None)
    assert digests(tmp_path / "back", PASSWORD) == digests(field, PASSWORD)
    assert not (tmp_path / "back" / "aidvisit.db").read_bytes().startswith(b"SQLite format")


def test_backups_of_many_machines_may_be_for_one_key(field: Path, tmp_path: Path, run: Run) -> None:
    office = Identity.generate()
    code, set_to, _ = run(
        "--home", field, "backup-key", "--recipient", str(office.to_public()), "--password-stdin", stdin=PASSWORD
    )
    assert (code, set_to["recipient"]) == (0, str(office.to_public()))
    file = tmp_path / "laptop.aidbackup"
    assert run("--home", field, "backup", file, "--password-stdin", stdin=PASSWORD)[0] == 0
    code, back, _ = run("--home", tmp_path / "back", "restore", file, "--key-stdin", stdin=str(office))
    assert (code, back["ops"]) == (0, None)  # that key opens the backup, not the laptop in it
    assert digests(tmp_path / "back", PASSWORD)
    code, _, said = run("--home", field, "backup-key", "--recipient", "age1x", "--password-stdin", stdin=PASSWORD)
    assert (code, name_of(said)) == (1, "recipient-invalid")


@pytest.fixture
def made(central: Path, tmp_path: Path) -> tuple[Path, str]:
    """A backup of a centre, and what opens it."""
    with opened(config.load(central, {})):
        key, _ = backup.new_key()
        backup.make(tmp_path / "one.aidbackup")
    return tmp_path / "one.aidbackup", key


def refusal(file: Path, key: str, home: Path) -> str:
    home.mkdir()
    with pytest.raises(Problem) as refused:
        restore.restore(file, key, home)
    return refused.value.name


def test_what_is_not_whole_is_refused(made: tuple[Path, str], tmp_path: Path) -> None:
    file, key = made
    data = file.read_bytes()
    for number, place in enumerate((len(data) // 3, len(data) - 20)):
        (tmp_path / "x").write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert refusal(tmp_path / "x", key, tmp_path / f"flipped-{number}") == "backup-damaged"
    (tmp_path / "x").write_bytes(data[: len(data) // 2])
    assert refusal(tmp_path / "x", key, tmp_path / "short") == "backup-damaged"
    (tmp_path / "x").write_bytes(b"a text file\n")
    assert refusal(tmp_path / "x", key, tmp_path / "text") == "backup-not-ours"
    assert refusal(file, str(Identity.generate()), tmp_path / "other-key") == "backup-not-ours"
    assert refusal(file, key[:-1] + ("0" if key[-1] != "0" else "1"), tmp_path / "typed") == "recovery-key-mistyped"
    assert refusal(tmp_path / "nowhere", key, tmp_path / "absent") == "no-such-file"


@pytest.mark.parametrize(
    ("header", "parts", "name"),
    [
        ({"format": "aidvisit-backup", "version": 2, "program": "9.0"}, [], "backup-from-future"),
        ({"format": "something", "version": 1}, [], "backup-not-ours"),
        ({}, [("../outside", b"x")], "backup-damaged"),
        ({}, [("tables/../../x", b"x")], "backup-damaged"),
        ({}, [("aidvisit.db", b"x"), ("keys.json", b"x"), ("aidvisit.db", b"x")], "backup-damaged"),
    ],
)
def test_a_file_that_somebody_else_wrote_is_refused(
    header: dict[str, Any], parts: list[tuple[str, bytes]], name: str, tmp_path: Path
) -> None:
    key = Identity.generate()
    with (tmp_path / "x").open("wb") as file:
        backup_file.write(file, [key.to_public()], header, parts, dict)
    (tmp_path / "home").mkdir()
    with pytest.raises(Problem) as refused, (tmp_path / "x").open("rb") as file:
        backup_file.unpack(file, key, tmp_path / "home")
    assert refused.value.name == name
    assert not (tmp_path / "outside").exists()


def test_nothing_is_overwritten_and_a_key_is_needed(central: Path, tmp_path: Path, run: Run) -> None:
    code, _, said = run("--home", central, "backup", tmp_path / "x")
    assert (code, name_of(said), (tmp_path / "x").exists()) == (1, "no-backup-key", False)
    _, key, _ = run("--home", central, "backup-key")
    (tmp_path / "x").write_text("mine")
    code, _, said = run("--home", central, "backup", tmp_path / "x")
    assert (code, name_of(said), (tmp_path / "x").read_text()) == (1, "backup-exists", "mine")
    assert run("--home", central, "backup", tmp_path / "y")[0] == 0
    code, _, said = run("--home", central, "restore", tmp_path / "y", "--key-stdin", stdin=key["recovery_key"])
    assert (code, name_of(said)) == (1, "home-exists")
    code, _, said = run("--home", tmp_path / "new", "restore", tmp_path / "x", "--key-stdin", stdin=key["recovery_key"])
    assert (code, name_of(said), (tmp_path / "new").exists()) == (1, "backup-not-ours", False)


def test_it_is_of_one_moment_while_others_write(central: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = snapshot.parts

    def parts(*given: Any) -> Iterator[backup_file.Part]:
        account.add_team(actor=own_device(), name="后来的队")
        yield from real(*given)
        account.add_team(actor=own_device(), name="更后来的队")

    with opened(config.load(central, {})):
        key, _ = backup.new_key()
        with reading() as conn:
            before = ledger.count(conn)
        monkeypatch.setattr(snapshot, "parts", parts)
        assert backup.make(tmp_path / "one").ops == before
        with reading() as conn:
            assert ledger.count(conn) == before + 2
    (tmp_path / "back").mkdir()
    assert restore.restore(tmp_path / "one", key, tmp_path / "back").ops == before


def test_what_does_not_agree_does_not_count_and_is_kept(central: Path, tmp_path: Path) -> None:
    with opened(config.load(central, {})):
        backup.new_key()
        good = backup.make(tmp_path / "good")
        with transaction() as conn:
            conn.execute(text("UPDATE household SET name = 'somebody' WHERE id = (SELECT min(id) FROM household)"))
        with pytest.raises(Problem) as refused:
            backup.make(tmp_path / "bad")
        state = backup.state()
    assert refused.value.name == "backup-not-proved"
    assert "household" in refused.value.members["finding"]
    assert (state.last, (state.failed or {})["name"], state.running) == (good, "backup-not-proved", False)
    assert sorted(path.name for path in tmp_path.glob("*ad*")) == ["bad.unproved"]


def test_a_disk_without_room_is_told_before_and_meanwhile(
    central: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with opened(config.load(central, {})):
        backup.new_key()
        with monkeypatch.context() as patch:
            patch.setattr("aidvisit.services.backup.os.fsync", full)
            with pytest.raises(Problem) as refused:
                backup.make(tmp_path / "x")
        assert refused.value.name == "backup-no-room"
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
        with pytest.raises(Problem) as refused:
            backup.make(tmp_path / "x")
        assert (refused.value.name, refused.value.members["free_mb"]) == ("backup-no-room", 0)
        assert (backup.state().failed or {})["name"] == "backup-no-room"
    assert not [*tmp_path.glob(".*"), *tmp_path.glob("x*"), *central.glob(".backup*")]


def test_so_many_as_were_asked_for_are_kept_and_nobody_elses_go(
    central: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = config.values_of(central) | {"backup_keep": 2, "backup_folder": str(tmp_path / "elsewhere")}
    values.pop("role")
    config.write(central, role="central", **values)
    (tmp_path / "elsewhere").mkdir()
    others = ["aidvisit-field-000000000000-20200101T000000Z.aidbackup", "notes.txt"]
    for name in others:
        (tmp_path / "elsewhere" / name).write_text("theirs")
    with opened(config.load(central, {})):
        backup.new_key()
        monkeypatch.setattr(backup, "_proved", lambda *_: [])
        moment = clock.wall()
        paths = []
        for day in range(3):
            monkeypatch.setattr(clock, "wall", lambda day=day: moment.replace(year=2030 + day))
            paths.append(backup.make().path)
    assert sorted(map(str, (tmp_path / "elsewhere").iterdir())) == sorted(
        [*paths[1:], *(str(tmp_path / "elsewhere" / name) for name in others)]
    )


def test_a_restored_centre_is_filled_up_again_by_the_laptops(field: Path, central: Path, tmp_path: Path) -> None:
    """What a laptop had sent after the backup is at the restored centre after its next sync."""
    with opened(config.load(central, {})) as office:
        key, _ = backup.new_key()
        backup.make(tmp_path / "one")
        with opened(config.load(field, {}), secret=PASSWORD):
            link = Link(transaction, ledger.House(), InProcess(office), clock.wall)
            not_home()
            client.sync_once(link)
            assert log_state().waiting == 0
    (tmp_path / "back").mkdir()
    restored = restore.restore(tmp_path / "one", key, tmp_path / "back")
    with opened(config.load(tmp_path / "back", {})) as office:
        with reading() as conn:
            assert conn.execute(text("SELECT count(*) FROM visit")).scalar_one() == 0
        with opened(config.load(field, {}), secret=PASSWORD):
            client.sync_once(Link(transaction, ledger.House(), InProcess(office), clock.wall))
            with reading() as conn:
                assert (log_state().waiting, log.recall(conn, "epoch")) == (0, restored.epoch)
        with reading() as conn:
            assert conn.execute(text("SELECT count(*) FROM visit")).scalar_one() == 1
            assert ledger.verify(conn) == []


def log_state() -> log.LogState:
    return sync_service.status()


def test_a_restored_laptop_is_a_copy_and_goes_on_as_a_new_one(
    homes: Path, field: Path, central: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both record after the backup, the first one sends: the copy is told so, and loses nothing."""
    with opened(config.load(field, {}), secret=PASSWORD):
        backup.make(tmp_path / "one")
    (tmp_path / "back").mkdir()
    restore.restore(tmp_path / "one", (homes / RECOVERY).read_text(), tmp_path / "back")
    with opened(config.load(central, {})) as office:

        def line(_settings: object) -> Link:
            return Link(transaction, ledger.House(), InProcess(office), clock.wall)

        monkeypatch.setattr(sync_service, "link", line)
        with opened(config.load(field, {}), secret=PASSWORD):
            not_home()
            first = own_device()
            sync_service.sync_now()
        with opened(config.load(tmp_path / "back", {}), secret=PASSWORD):
            not_home()
            assert own_device() == first
            with pytest.raises(Problem) as told:
                sync_service.sync_now()
            assert told.value.name == "fork"
            assert renewal.renew() != first
            sync_service.sync_now()
            assert log_state().waiting == 0
            with reading() as conn:
                assert (ledger.verify(conn), conn.execute(text("SELECT count(*) FROM visit")).scalar_one()) == ([], 2)
        with reading() as conn:
            assert conn.execute(text("SELECT count(*) FROM visit")).scalar_one() == 2


def test_a_centre_on_postgresql(postgres_server: str, tmp_path: Path) -> None:
    """Its tables go and come as they are; the numbers it gives by itself go on; a database in use is left alone."""
    with postgres.database(postgres_server) as url, postgres.database(postgres_server) as empty:
        with support.centre(tmp_path, url) as centre:
            import_sheet(support.SAMPLE, actor=centre.user)
            key, _ = backup.new_key()
            made = backup.make(tmp_path / "one")
            with reading() as conn:
                before = ledger.digest(conn)
                left = conn.execute(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'aidvisit%'")).all()
            assert left == []
        for number, (given, name) in enumerate((("", "database-needed"), (url, "database-not-empty"))):
            (tmp_path / f"refused-{number}").mkdir()
            with pytest.raises(Problem) as refused:
                restore.restore(tmp_path / "one", key, tmp_path / f"refused-{number}", given)
            assert refused.value.name == name
        (tmp_path / "back").mkdir()
        assert restore.restore(tmp_path / "one", key, tmp_path / "back", empty).ops == made.ops
        assert sorted(path.name for path in (tmp_path / "back").iterdir()) == ["settings.toml"]
        with opened(config.load(tmp_path / "back", {})), transaction() as conn:
            assert (ledger.digest(conn), ledger.verify(conn)) == (before, [])
            highest = conn.execute(text("SELECT max(n) FROM household_search")).scalar_one()
            following = text("SELECT nextval(pg_get_serial_sequence('household_search', 'n'))")
            assert conn.execute(following).scalar_one() > highest >= 34


@pytest.mark.parametrize(("free", "beside"), [(2**40, True), (2**20, False)])
def test_a_home_is_compared_with_its_log_beside_it_where_there_is_room_else_in_memory(
    run: Run, central: Path, monkeypatch: pytest.MonkeyPatch, free: int, beside: bool
) -> None:
    usage = shutil.disk_usage(central)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
    scratch, files = ledger.scratch, list[bool]()

    def seen(folder: Path | None) -> Any:
        files.append(folder is not None and folder.parent == central)
        return scratch(folder)

    monkeypatch.setattr(ledger, "scratch", seen)
    held = sorted(path.name for path in central.iterdir())
    assert run("--home", central, "verify")[0] == 0
    run("--home", central, "doctor")  # that nearly nothing is free is wrong enough for it
    assert files == [beside, beside]
    assert sorted(path.name for path in central.iterdir()) == held
