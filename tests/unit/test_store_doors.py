"""Tries are counted, sessions end, and the file that keeps both gives nothing away and never stands in the way."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aidvisit.errors import Problem
from aidvisit.store import doors as module
from aidvisit.store.doors import FORGOTTEN_AFTER_S, FREE_TRIES, FREE_TRIES_OF_ADDRESS, LIFETIME_S, LONGEST_WAIT_S, Doors

IDLE_S = 900


class Clock:
    """The wall clock of this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1_790_000_000.0
        monkeypatch.setattr(time, "time", lambda: self.now_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def doors(tmp_path: Path, clock: Clock) -> Doors:
    return Doors(tmp_path)


def fail(doors: Doors, login: str = "luo", address: str | None = None) -> None:
    with pytest.raises(Problem, match="wrong-password"), doors.guarded("sign-in", login, address):
        raise Problem("wrong-password")


def succeed(doors: Doors, login: str = "luo", address: str | None = None) -> None:
    with doors.guarded("sign-in", login, address):
        pass


def wait_s(doors: Doors, login: str = "luo", address: str | None = None) -> int:
    """Seconds that the next try waits; a try that is let through is taken back."""
    try:
        with doors.guarded("sign-in", login, address):
            raise Problem("disk-full")
    except Problem as problem:
        return problem.retry_after or 0


def test_some_tries_are_free_then_each_doubles_the_wait(doors: Doors, clock: Clock) -> None:
    for _ in range(FREE_TRIES):
        fail(doors)
    for expected in (2, 4, 8, 16, 32, 64, 128, 256, 512, LONGEST_WAIT_S, LONGEST_WAIT_S):
        assert wait_s(doors) == expected
        clock.now_s += expected - 1
        assert wait_s(doors) == 1, "still shut a second before"
        clock.now_s += 1
        fail(doors)


def test_a_success_forgets_the_failures_before(doors: Doors) -> None:
    for _ in range(FREE_TRIES - 1):
        fail(doors)
    succeed(doors)
    for _ in range(FREE_TRIES):
        assert wait_s(doors) == 0
        fail(doors)
    assert wait_s(doors) == 2


def test_failures_are_forgotten_after_a_day(doors: Doors, clock: Clock) -> None:
    for _ in range(FREE_TRIES):
        fail(doors)
    clock.now_s += FORGOTTEN_AFTER_S + 1
    for _ in range(FREE_TRIES):
        assert wait_s(doors) == 0
        fail(doors)


def test_a_restart_does_not_forget(tmp_path: Path) -> None:
    tries = "\n".join(
        [
            "import pathlib, sys",
            "from aidvisit.errors import Problem",
            "from aidvisit.store.doors import Doors",
            "for _ in range(int(sys.argv[2])):",
            "    try:",
            "        with Doors(pathlib.Path(sys.argv[1])).guarded('sign-in', 'luo'): raise Problem('wrong-password')",
            "    except Problem as problem: print(problem.name)",
        ]
    )

    def run(count: int) -> list[str]:
        command = [sys.executable, "-c", tries, str(tmp_path), str(count)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()

    assert run(FREE_TRIES) == ["wrong-password"] * FREE_TRIES
    assert wait_s(Doors(tmp_path)) in (1, 2)


def test_a_clock_set_back_neither_frees_nor_locks_out_for_ever(doors: Doors, clock: Clock) -> None:
    for _ in range(FREE_TRIES + 3):
        fail(doors)
        clock.now_s += wait_s(doors)
    fail(doors)
    assert wait_s(doors) == 32
    clock.now_s -= 10 * 365 * 24 * 3600
    assert wait_s(doors) == 32, "the wait begins anew"
    clock.now_s += 32
    assert wait_s(doors) == 0


def test_what_says_nothing_of_the_secret_is_no_failure(doors: Doors) -> None:
    for name in ("disk-full", "database-locked", "too-many-sign-ins") * FREE_TRIES:
        with pytest.raises(Problem, match=name), doors.guarded("sign-in", "luo", "192.0.2.1"):
            raise Problem(name)
    assert wait_s(doors) == 0


def test_a_bug_counts_as_a_failure(doors: Doors) -> None:
    for _ in range(FREE_TRIES):
        with pytest.raises(ZeroDivisionError), doors.guarded("sign-in", "luo"):
            raise ZeroDivisionError
    assert wait_s(doors) == 2


def test_what_is_tried_at_once_is_counted_before(tmp_path: Path) -> None:
    """Ten in parallel: no more are let through than are free."""
    barrier, through = threading.Barrier(10), []

    def attempt() -> None:
        doors = Doors(tmp_path)
        barrier.wait()
        try:
            with doors.guarded("sign-in", "luo"):
                through.append(1)
                time.sleep(0.2)  # the computation
                raise Problem("wrong-password")
        except Problem:
            pass

    threads = [threading.Thread(target=attempt) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(through) == FREE_TRIES


def test_an_address_has_more_tries_and_then_waits_for_every_login(doors: Doors) -> None:
    for number in range(FREE_TRIES_OF_ADDRESS):
        fail(doors, f"somebody{number}", "192.0.2.1")
    assert wait_s(doors, "another", "192.0.2.1") == 2
    assert wait_s(doors, "another", "192.0.2.2") == 0
    assert wait_s(doors, "another") == 0


def test_who_knows_one_password_does_not_wash_an_address_clean(doors: Doors) -> None:
    for number in range(FREE_TRIES_OF_ADDRESS):
        fail(doors, f"somebody{number}", "192.0.2.1")
        if number % 3 == 0:
            succeed(doors, "chen", "192.0.2.1")
    assert wait_s(doors, "another", "192.0.2.1") == 2


def test_who_mistypes_and_then_gets_in_leaves_no_trace_at_the_address(doors: Doors) -> None:
    """Forty people share an office's address for a whole day."""
    for number in range(FREE_TRIES_OF_ADDRESS + 2):
        fail(doors, f"somebody{number}", "192.0.2.1")
        succeed(doors, f"somebody{number}", "192.0.2.1")
    assert wait_s(doors, "another", "192.0.2.1") == 0


def test_one_customer_of_ipv6_is_one_address(doors: Doors) -> None:
    for number in range(FREE_TRIES_OF_ADDRESS):
        fail(doors, f"somebody{number}", f"2001:db8:0:1::{number:x}")
    assert wait_s(doors, "another", "2001:db8:0:1:ffff::1") == 2
    assert wait_s(doors, "another", "2001:db8:0:2::1") == 0


def test_the_file_is_bounded_and_keeps_the_newest(tmp_path: Path, clock: Clock) -> None:
    doors = Doors(tmp_path, most=5)
    for number in range(12):
        clock.now_s += 1
        fail(doors, f"somebody{number}")
        doors.begin(f"user{number}", "mark")
    with closing(sqlite3.connect(tmp_path / module.FILE)) as conn:
        assert conn.execute("SELECT count(*) FROM try").fetchone() == (5,)
        assert conn.execute("SELECT count(*) FROM session").fetchone() == (5,)


def test_a_session_lasts_while_it_is_used(doors: Doors, clock: Clock) -> None:
    identity = doors.begin("user", "mark")
    for _ in range(10):
        clock.now_s += IDLE_S - 1
        held = doors.session(identity, IDLE_S)
        assert held is not None
        assert (held.user, held.mark) == ("user", "mark")
    clock.now_s += IDLE_S + 1
    assert doors.session(identity, IDLE_S) is None
    clock.now_s -= IDLE_S
    assert doors.session(identity, IDLE_S) is None, "what ended does not come back"


def test_what_a_page_asks_by_itself_keeps_no_session(doors: Doors, clock: Clock) -> None:
    identity = doors.begin("user", "mark")
    for _ in range(3):
        clock.now_s += IDLE_S / 3
        assert doors.session(identity, IDLE_S, used=False) is not None
    clock.now_s += 1
    assert doors.session(identity, IDLE_S, used=False) is None


def test_a_session_ends_after_a_day_of_work(doors: Doors, clock: Clock) -> None:
    identity, began = doors.begin("user", "mark"), clock.now_s
    while clock.now_s + 600 <= began + LIFETIME_S:
        clock.now_s += 600
        assert doors.session(identity, IDLE_S) is not None
    clock.now_s += 600
    assert doors.session(identity, IDLE_S) is None


def test_a_clock_set_back_ends_a_session(doors: Doors, clock: Clock) -> None:
    identity = doors.begin("user", "mark")
    clock.now_s -= 30
    assert doors.session(identity, IDLE_S) is not None, "a clock may slip"
    clock.now_s -= 3600
    assert doors.session(identity, IDLE_S) is None


def test_sessions_end_one_by_one_and_for_everybody(doors: Doors) -> None:
    identities = [doors.begin(user, "mark") for user in ("a", "a", "b", "a")]

    def open_ones() -> list[bool]:
        return [doors.session(identity, IDLE_S) is not None for identity in identities]

    doors.end(identities[0])
    assert open_ones() == [False, True, True, True]
    doors.close()
    assert open_ones() == [False] * 4


def test_the_file_says_nothing_of_anybody(tmp_path: Path, doors: Doors) -> None:
    fail(doors, "luochunhe", "192.0.2.77")
    identity = doors.begin("0199-user", "mark")
    held = (tmp_path / module.FILE).read_bytes()
    assert b"0199-user" in held, "a user's id is no secret"
    for needle in ("luochunhe", "192.0.2.77", identity):
        assert needle.encode() not in held
    assert (tmp_path / module.FILE).stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == [module.FILE], "no journal stays behind"


def test_two_homes_hash_differently(tmp_path: Path) -> None:
    tries = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        fail(Doors(tmp_path / name))
        with closing(sqlite3.connect(tmp_path / name / module.FILE)) as conn:
            tries.append(conn.execute("SELECT who FROM try").fetchone())
    assert tries[0] != tries[1]


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)


def damaged(path: Path) -> None:
    held = bytearray(path.read_bytes())
    held[4096:] = b"\xff" * (len(held) - 4096)
    path.write_bytes(held)


def other_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("DROP TABLE session")
        conn.execute("DROP TABLE try")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA user_version = 7")


@pytest.mark.parametrize("breaking", [garbage, damaged, other_tables, newer, lambda path: path.write_bytes(b"")])
def test_a_broken_file_is_made_anew(
    tmp_path: Path, doors: Doors, breaking: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    identity = doors.begin("user", "mark")
    breaking(tmp_path / module.FILE)
    assert doors.session(identity, IDLE_S) is None
    for _ in range(FREE_TRIES):
        fail(doors)
    assert wait_s(doors) == 2


def test_a_file_that_cannot_be_written_is_told_in_words(tmp_path: Path, doors: Doors) -> None:
    fail(doors)
    with TemporaryDirectory() as home:  # unlike pytest's, others may enter it
        Path(home).chmod(0o555)
        shutil.copyfile(tmp_path / module.FILE, Path(home) / module.FILE)
        (Path(home) / module.FILE).chmod(0o444)
        assert as_nobody(lambda: succeed(Doors(Path(home)))) == "not-writable"


def as_nobody(action: Callable[[], object]) -> str:
    """The name of the problem that somebody without rights meets: root, who may run the tests, writes anywhere."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            action()
        except Problem as problem:
            os.write(writer, problem.name.encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        name = told.read()
    os.waitpid(child, 0)
    return name


def test_a_home_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="not-writable"):
        succeed(Doors(tmp_path / "nowhere"))


def test_a_folder_in_its_place_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / module.FILE).mkdir()
    with pytest.raises(Problem, match="not-writable"):
        succeed(Doors(tmp_path))


def test_a_file_that_is_held_is_told_in_words(tmp_path: Path, doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT_S", 0.1)
    fail(doors)
    with closing(sqlite3.connect(tmp_path / module.FILE, isolation_level=None)) as conn:
        conn.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Problem, match="database-locked"):
            succeed(doors)


def test_a_disk_that_takes_nothing_stops_tries_but_no_session(
    tmp_path: Path, doors: Doors, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = doors.begin("user", "mark")
    real = sqlite3.connect

    def only_reads(*arguments: object, **options: object) -> sqlite3.Connection:
        conn: sqlite3.Connection = real(*arguments, **options)  # type: ignore[call-overload]
        conn.execute("PRAGMA query_only = ON")
        return conn

    monkeypatch.setattr(sqlite3, "connect", only_reads)
    clock.now_s += 60
    assert doors.session(identity, IDLE_S) is not None, "a page needs no room on the disk"
    with pytest.raises(Problem, match="not-writable"):
        succeed(doors)
    doors.close()
    monkeypatch.undo()
    assert doors.session(identity, IDLE_S) is None
