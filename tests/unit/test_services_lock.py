"""A laptop that is locked: what its pages say, who unlocks it, and what goes on meanwhile."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from aidvisit import cli, config
from aidvisit.cli.home import opened
from aidvisit.errors import Problem
from aidvisit.services import audit, lock, sync
from aidvisit.services.vault import VAULT, acting, reseal, seal_off, vault
from aidvisit.store import database
from aidvisit.store.database import reading, transaction
from aidvisit.store.doors import FREE_TRIES
from aidvisit.store.vault import OpenKey, Vault
from sync import log
from tests.support.homes import PASSWORD
from tests.support.pages import Pages, typed, words


@pytest.fixture
def locked(laptop: Pages) -> Pages:
    """The laptop as it is after its program was started."""
    with laptop.app.app_context():
        lock.lock()
    return laptop


def box(node: Pages) -> Vault:
    found: Vault = node.app.extensions[VAULT]
    return found


def test_a_locked_laptop_shows_nothing_but_its_door(locked: Pages) -> None:
    for path in ("/", "/search", "/sync"):
        answer = locked.get(path)
        assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/sign-in")
    said = words(locked.get("/sign-in"))
    assert "登录并开锁" in said
    assert "恢复密钥" in said
    assert locked.post("/search", {"q": "陈"}).status_code == 401
    assert locked.get("/static/app.css").status_code == 200


def test_signing_in_unlocks_it(locked: Pages) -> None:
    assert locked.sign_in(next="/search").location == "/search"
    assert not box(locked).locked
    assert locked.get("/").status_code == 200
    with locked.app.app_context(), reading() as conn:
        query = "SELECT what FROM access ORDER BY order_key DESC"
        assert conn.exec_driver_sql(query).scalar() == audit.SIGN_IN


def test_signing_in_waits_for_no_other_command(locked: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody imports a long list, by a command in another process."""
    short = [pragma for pragma in database.PRAGMAS if not pragma.startswith("busy_timeout")]
    monkeypatch.setattr(database, "PRAGMAS", ["busy_timeout=50", *short])
    with opened(sync_settings(locked), secret=PASSWORD), transaction():
        assert locked.sign_in().status_code == 303
    assert not box(locked).locked


def test_who_tries_again_is_not_let_in_to_what_was_not_brought_up_to_date(locked: Pages) -> None:
    """The database is newer than the program: neither a person nor a sync may write into what it does not know."""
    with opened(sync_settings(locked), secret=PASSWORD), transaction() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for _ in range(2):
        refused = locked.sign_in()
        assert refused.status_code == Problem("database-from-future").status
        assert "9999" in words(refused)
        assert box(locked).locked


@pytest.mark.parametrize(("login", "password"), [("luo", "another one"), ("nobody", PASSWORD), ("chen", PASSWORD)])
def test_a_wrong_password_leaves_it_locked(locked: Pages, login: str, password: str) -> None:
    """`chen` belonged to the team once."""
    answer = locked.sign_in(login, password)
    assert answer.status_code == 403
    assert "登录名或密码不对" in words(answer)
    assert box(locked).locked


def test_guessing_slows_down_also_over_a_restart(locked: Pages, homes: Path) -> None:
    for _ in range(FREE_TRIES):
        locked.sign_in("luo", "another one")
    answer = locked.sign_in("luo", PASSWORD)
    assert (answer.status_code, box(locked).locked) == (429, True)
    assert int(answer.headers["Retry-After"]) >= 1


def test_somebody_who_left_is_kept_out_even_where_their_slot_is_still_there(laptop: Pages) -> None:
    with laptop.app.app_context():
        # As if the sync that brought the news was cut before the slots were made anew.
        with database.transaction() as conn:
            conn.exec_driver_sql("UPDATE person SET active = 0 WHERE login = 'luo'")
        lock.lock()
    assert laptop.sign_in().status_code == 403
    assert box(laptop).locked


def test_two_who_sign_in_at_once_are_both_let_in(locked: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is held up where the other could come between the password and the look at who it is."""
    both, real = threading.Barrier(2), Vault.unlock

    def slowly(self: Vault, login: str, open_key: OpenKey) -> str | None:
        found = real(self, login, open_key)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return found

    monkeypatch.setattr(Vault, "unlock", slowly)

    def enter(login: str) -> str:
        with locked.app.app_context():
            return lock.unlock(login, PASSWORD).login

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(enter, ["luo", "office"])) == ["luo", "office"]


def test_locking_ends_every_session_and_drops_the_key(laptop: Pages) -> None:
    laptop.sign_in()
    page = laptop.get("/")
    assert "锁机" in words(page)
    cookie = laptop.client.get_cookie("aidvisit_field")
    assert laptop.post("/lock", token=typed(page)["csrf_token"]).location == "/sign-in"
    assert box(laptop).locked
    with laptop.app.app_context(), pytest.raises(Problem, match="locked"), reading():
        pass
    assert cookie is not None
    laptop.sign_in()
    laptop.client.set_cookie("aidvisit_field", cookie.value)
    assert laptop.get("/search").status_code == 302


def test_the_recovery_key_opens_it_and_people_sign_in_as_ever(locked: Pages, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    wrong = locked.post("/recover", {"recovery_key": Vault(other).create()})
    assert (wrong.status_code, box(locked).locked) == (403, True)
    slip = locked.post("/recover", {"recovery_key": "YRKK-Y84X-KTK0"})
    assert slip.status_code == 422
    assert "九组" in words(slip)


def test_the_agent_waits_while_it_is_locked(locked: Pages) -> None:
    settings = sync_settings(locked)
    agent = sync.start_agent(locked.app, settings)
    try:
        with pytest.raises(Problem, match="locked"):
            agent.sync_now()
    finally:
        agent.stop()
        del locked.app.extensions[sync.AGENT]


def sync_settings(node: Pages) -> config.Settings:
    with node.app.app_context():
        return sync.current_settings()


def test_a_session_that_is_idle_asks_again_while_the_laptop_stays_open(
    laptop: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """15 minutes by default; the agent goes on sending."""
    assert sync_settings(laptop).idle_minutes == 15
    laptop.sign_in()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 15 * 60 + 1)
    assert laptop.get("/").status_code == 302
    assert not box(laptop).locked
    with laptop.app.app_context(), reading() as conn:
        assert log.own(conn)


def test_a_command_acts_for_who_unlocked(laptop: Pages) -> None:
    with laptop.app.app_context(), reading() as conn:
        luo = conn.exec_driver_sql("SELECT id FROM person WHERE login = 'luo'").scalar_one()
        office = conn.exec_driver_sql("SELECT id FROM person WHERE login = 'office'").scalar_one()
    with laptop.app.app_context():
        assert acting() in (luo, office)  # they have the same password in these tests
        assert reseal() == 2
        assert vault().opened_by == acting()


# --- the command line ------------------------------------------------------------------------------------------


def test_commands_on_a_locked_laptop_ask_for_its_password(
    laptop: Pages, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = sync_settings(laptop).home
    assert cli.main(["digest", "--home", str(home)]) == 1
    assert "--password-stdin" in capsys.readouterr().err
    for secret, code in (("another one", 1), (PASSWORD, 0)):
        monkeypatch.setattr("sys.stdin", _Line(secret))
        assert cli.main(["digest", "--json", "--home", str(home), "--password-stdin"]) == code
    assert "441225112" in json.loads(capsys.readouterr().out)


class _Line:
    """Standard input with one line."""

    def __init__(self, text: str) -> None:
        self._text = text

    def readline(self) -> str:
        return self._text + "\n"

    def isatty(self) -> bool:
        return False


def test_a_laptop_is_not_served_in_the_clear_unless_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write(tmp_path, role="field", server_url="https://centre.example")
    assert cli.main(["field", "run", "--home", str(tmp_path), "--port", "1"]) == 1
    assert "--no-encryption" in capsys.readouterr().err


def test_where_sqlcipher_is_not_to_be_had_a_laptop_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "sqlcipher", None)
    asked = ["field", "init", "--server", "http://127.0.0.1:9", "--code", "ABCDE-12345", "--name", "3 号"]
    assert cli.main([*asked, "--home", str(tmp_path / "home")]) == 1
    said = capsys.readouterr().err
    assert "SQLCipher" in said
    assert "--no-encryption" in said
    assert not (tmp_path / "home").exists()


def test_a_script_s_password_is_not_asked_of_a_laptop_without_encryption(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets as far as listening, where another program listens already."""
    config.write(tmp_path, role="field", server_url="https://centre.example", no_encryption=True)
    monkeypatch.setattr("sys.stdin", _Line(PASSWORD))
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        asked = ["field", "run", "--home", str(tmp_path), "--port", str(other.getsockname()[1]), "--password-stdin"]
        assert cli.main(asked) == 1
    assert "--port" in capsys.readouterr().err


def test_who_makes_slots_does_not_undo_a_revocation_of_another_process(
    laptop: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command syncs beside the agent: one learns of the revocation while the other has just read the file."""
    settings, other = sync_settings(laptop), Vault(sync_settings(laptop).home)
    read_it, done = threading.Event(), threading.Event()
    read, write = Vault._read, Vault._write

    def wait_after(self: Vault) -> dict[str, Any]:
        document = read(self)
        if self is other and threading.current_thread() is not threading.main_thread():
            read_it.set()
            done.wait(1)
        return document

    def written(self: Vault, document: dict[str, Any]) -> None:
        write(self, document)
        if self is not other:
            done.set()

    def beside() -> None:
        with opened(settings, other):
            reseal()

    with opened(settings, secret=PASSWORD) as app:
        other._key = app.extensions[VAULT].key()
        with transaction() as conn:
            conn.exec_driver_sql("UPDATE person SET active = 0 WHERE login = 'luo'")
        monkeypatch.setattr(Vault, "_read", wait_after)
        monkeypatch.setattr(Vault, "_write", written)
        thread = threading.Thread(target=beside)
        thread.start()
        assert read_it.wait(10)
        seal_off()
        thread.join()
    assert Vault(settings.home).revoked
