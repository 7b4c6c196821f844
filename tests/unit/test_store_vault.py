"""The key of an encrypted laptop: who opens it, what its file holds, and what a crash leaves."""

from __future__ import annotations

import errno
import json
import os
import stat
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from aidvisit.domain.recovery import RECOVERY_BYTES, recovery_seed, recovery_text
from aidvisit.errors import Problem
from aidvisit.services import passwords
from aidvisit.store import database
from aidvisit.store.database import open_engine, writing
from aidvisit.store.vault import Holder, OpenKey, Vault
from sync.identity import encode
from tests.support.store import uid


@cache
def luo() -> Holder:
    return Holder(uid(1), "luochunhe", passwords.wrapped_key("luo's password"))


@cache
def chen() -> Holder:
    return Holder(uid(2), "chen", passwords.wrapped_key("chen's password"))


def by(password: str) -> OpenKey:
    return lambda key: passwords.unwrap_key(key, password)


def read(home: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((home / "keys.json").read_text())
    return document


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A new one, open, with a slot for Luo and one for Chen."""
    made = Vault(tmp_path)
    made.create()
    made.seal_to([luo(), chen()])
    return made


def test_everybody_s_password_opens_the_same_key(vault: Vault) -> None:
    key = vault.key()
    for holder, password in ((luo(), "luo's password"), (chen(), "chen's password")):
        vault.lock()
        assert vault.locked
        assert vault.unlock(holder.login, by(password)) == holder.user == vault.opened_by
        assert vault.key() == key


def test_nobody_else_opens_it(vault: Vault) -> None:
    vault.lock()
    assert vault.unlock("luochunhe", by("chen's password")) is None
    assert vault.unlock("nobody", by("luo's password")) is None
    assert vault.unlock_any(by("somebody's password")) is None
    assert vault.locked
    with pytest.raises(Problem, match="locked"):
        vault.key()


@pytest.mark.parametrize("login", ["luochunhe", "nobody"])
def test_a_wrong_password_costs_one_computation(vault: Vault, login: str) -> None:
    """As many as for somebody who has no slot: the time does not tell who belongs to the team."""
    asked = []

    def refuse(key: dict[str, Any]) -> bytes:
        asked.append(key)
        raise InvalidTag

    assert vault.unlock(login, refuse) is None
    assert len(asked) == 1


def test_a_command_needs_no_login(vault: Vault) -> None:
    vault.lock()
    assert vault.unlock_any(by("chen's password")) == chen().user


def test_the_recovery_key_opens_it_for_nobody_in_particular(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    text = vault.create()
    key = vault.key()
    vault.lock()
    assert vault.recover(text.lower().replace("-", " "))
    assert (vault.key(), vault.opened_by) == (key, None)
    (tmp_path / "other").mkdir()
    assert not vault.recover(Vault(tmp_path / "other").create())


@given(st.binary(min_size=RECOVERY_BYTES, max_size=RECOVERY_BYTES), st.data())
def test_a_slip_of_the_pen_is_told(seed: bytes, data: st.DataObject) -> None:
    text = recovery_text(seed)
    assert recovery_seed(text) == seed
    place = data.draw(st.sampled_from([at for at, letter in enumerate(text) if letter != "-"]))
    other = data.draw(st.sampled_from(sorted(set("0123456789ABCDEFGHJKMNPQRSTVWXYZ") - {text[place]})))
    try:
        found = recovery_seed(text[:place] + other + text[place + 1 :])
    except Problem:
        return
    assert found != seed  # one in a million is not noticed, and opens nothing


def test_a_person_who_left_has_no_slot(vault: Vault) -> None:
    assert vault.seal_to([chen()])
    vault.lock()
    assert vault.unlock("luochunhe", by("luo's password")) is None
    assert vault.unlock("chen", by("chen's password")) == chen().user


def test_a_new_password_takes_the_place_of_the_old(vault: Vault) -> None:
    """With the same pair, as when somebody changes their own; with another, as when an administrator sets it."""
    same = passwords.rewrapped_key(luo().key, "luo's password", "another one")
    for key in (same, passwords.wrapped_key("another one")):
        assert vault.seal_to([Holder(luo().user, luo().login, key), chen()])
        vault.lock()
        assert vault.unlock("luochunhe", by("luo's password")) is None
        assert vault.unlock("luochunhe", by("another one")) == luo().user


@pytest.mark.parametrize(
    "change",
    [
        {"public": "AAAA"},
        {"public": "no key"},
        {"public": None},
        {"public": encode(bytes(32))},
        {"params": {"kdf": "scrypt"}},
        {"params": {"m": 1 << 40, "t": 1, "p": 1}},
        {"params": {"m": 0, "t": 0, "p": 0}},
        {"wrapped": "AAAA"},
        {"salt": "="},
    ],
)
def test_a_key_of_another_make_shuts_out_nobody_else(vault: Vault, change: dict[str, Any]) -> None:
    """Whatever a centre says of one person's key, the others go on opening the laptop."""
    strange = Holder(luo().user, luo().login, luo().key | change)
    vault.seal_to([strange, chen()])
    vault.lock()
    assert vault.unlock("luochunhe", by("luo's password")) is None
    assert vault.unlock_any(by("chen's password")) == chen().user


def test_nothing_is_written_when_nothing_changed(vault: Vault, tmp_path: Path) -> None:
    before = (tmp_path / "keys.json").stat().st_mtime_ns
    assert not vault.seal_to([luo(), chen()])
    assert (tmp_path / "keys.json").stat().st_mtime_ns == before


def test_a_revoked_laptop_opens_by_the_recovery_key_alone(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    text = vault.create()
    vault.seal_to([luo()])
    vault.seal_off()
    assert (vault.locked, vault.revoked, read(tmp_path)["slots"]) == (True, True, [])
    assert vault.unlock("luochunhe", by("luo's password")) is None
    assert vault.recover(text)
    assert not vault.seal_to([luo()])
    assert read(tmp_path)["slots"] == []


def test_the_file_tells_nobody_s_name_and_no_key(vault: Vault, tmp_path: Path) -> None:
    text = (tmp_path / "keys.json").read_text()
    assert "luochunhe" not in text
    assert vault.key().hex() not in text
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", "null", '{"version": 1', '{"version": 1}'])
def test_a_file_that_cannot_be_read_is_said(vault: Vault, tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(Problem, match="keys-unreadable"):
        vault.unlock("chen", by("chen's password"))


def test_a_file_of_a_newer_version_is_left_alone(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text('{"version": 2}')
    with pytest.raises(Problem, match="database-from-future"):
        vault.unlock("chen", by("chen's password"))


def test_power_that_fails_while_the_file_is_written_leaves_the_old_one(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read(tmp_path)

    def fail(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Problem, match="disk-full"):
        vault.seal_to([chen()])
    assert read(tmp_path) == before


def test_the_database_is_not_readable_without_the_key(vault: Vault, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'aidvisit.db'}"
    engine = open_engine(url, vault)
    with writing(engine) as conn:
        conn.exec_driver_sql("CREATE TABLE household (name TEXT)")
        conn.exec_driver_sql("INSERT INTO household VALUES ('陈明生')")
    for file in tmp_path.iterdir():
        assert "陈明生".encode() not in file.read_bytes()
    assert not (tmp_path / "aidvisit.db").read_bytes().startswith(b"SQLite format 3")
    engine.dispose()
    plain = open_engine(url)
    with pytest.raises(Problem, match="database-unreadable"), writing(plain):
        pass
    plain.dispose()
    vault.lock()
    with pytest.raises(Problem, match="locked"), writing(engine):
        pass


def test_without_sqlcipher_an_encrypted_home_says_so(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "sqlcipher", None)
    with pytest.raises(Problem, match="no-encryption-here"):
        open_engine("sqlite:////nowhere/aidvisit.db", vault)


def test_what_is_revoked_is_locked_also_where_the_disk_is_full(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(Problem, match="disk-full"):
        vault.seal_off()
    assert vault.locked
