"""What "saved" rests on: settings of connections, one writer at a time, and errors in words."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from aidvisit.errors import Problem
from aidvisit.store import database, migrations
from aidvisit.store.database import db, init_app, open_engine, reading, transaction, viewing, writing
from aidvisit.store.tables import Category


@pytest.fixture
def app(database_url: str):
    migrations.upgrade(database_url)
    app = Flask("test")
    init_app(app, database_url)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def category(code: str) -> sa.Insert:
    return sa.insert(Category).values(
        code=code, stream="org", subject=code, name=code, level="household", synonyms=[], order_key="1"
    )


def codes(conn: sa.Connection) -> list[str]:
    return sorted(conn.execute(sa.select(Category.code)).scalars())


def test_every_sqlite_connection_has_the_settings(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": database.LOCK_WAIT_MS,
        "temp_store": 2,
    }
    with engine.connect() as one, engine.connect() as two:
        for conn in (one, two):
            assert {name: conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected} == expected
    engine.dispose()


def test_a_scratch_is_readable_to_nobody_and_gone_afterwards(tmp_path: Path) -> None:
    with database.scratch(tmp_path) as conn:
        conn.exec_driver_sql("PRAGMA cache_size = 1")  # it goes to the file at once
        conn.exec_driver_sql("CREATE TABLE said (words TEXT)")
        conn.execute(sa.text("INSERT INTO said VALUES (:words)"), [{"words": "somebody" * 1000}] * 50)
        (file,) = tmp_path.iterdir()
        assert file.stat().st_size > 100_000
        assert (b"somebody" in file.read_bytes()) is not database.encryption_here()
    assert list(tmp_path.iterdir()) == []


def test_a_transaction_is_whole(app: Flask) -> None:
    def fail() -> None:
        with transaction() as conn:
            conn.execute(category("a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with transaction() as conn:
        conn.execute(category("b"))
    with reading() as conn:
        assert codes(conn) == ["b"]


def test_reading_is_one_moment(app: Flask) -> None:
    """What is committed in between is not half seen; the writer does not wait for the reader."""
    with reading() as before:
        assert codes(before) == []
        with transaction() as conn:
            conn.execute(category("a"))
        assert codes(before) == []
    with reading() as after:
        assert codes(after) == ["a"]


def test_the_session_sees_what_was_committed(app: Flask) -> None:
    assert db.session.execute(sa.select(Category.code)).scalars().all() == []
    with transaction() as conn:
        conn.execute(category("a"))
    assert db.session.execute(sa.select(Category.code)).scalars().all() == ["a"]


def test_many_threads_write_one_after_the_other(app: Flask) -> None:
    """Each reads what the one before wrote: with a lock taken late, some would fail or count twice."""
    failures = []

    def work() -> None:
        try:
            for _ in range(5):
                with app.app_context(), transaction() as conn:
                    if conn.dialect.name == "postgresql":
                        conn.execute(sa.text("LOCK TABLE category"))
                    conn.execute(category(f"{len(codes(conn)):03d}"))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with reading() as conn:
        assert codes(conn) == [f"{number:03d}" for number in range(40)]


def test_a_lock_that_is_not_given_up_is_said_in_words(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_WAIT_MS", 50)
    monkeypatch.setattr(database, "PRAGMAS", ("busy_timeout=50", *database.PRAGMAS[1:]))
    migrations.upgrade(database_url)
    engine = open_engine(database_url)
    with writing(engine) as first:
        first.execute(sa.text("LOCK TABLE category") if engine.dialect.name == "postgresql" else category("a"))
        with pytest.raises(Problem) as refused, writing(engine) as second:
            second.execute(category("b"))
    assert refused.value.name == "database-locked"
    engine.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_that_restarted_is_noticed_before_a_connection_is_used_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, another = open_engine(database_url), open_engine(database_url)
    with viewing(engine) as first, viewing(engine) as second:
        ended = [conn.execute(sa.text("SELECT pg_backend_pid()")).scalar_one() for conn in (first, second)]
    with another.connect() as conn:
        for one in ended:
            conn.execute(sa.text("SELECT pg_terminate_backend(:one, 10000)"), {"one": one})
    monkeypatch.setattr(database, "QUIET_S", -1)
    with viewing(engine) as first, viewing(engine) as second:
        now = [conn.execute(sa.text("SELECT pg_backend_pid()")).scalar_one() for conn in (first, second)]
    assert not {*now} & {*ended}
    engine.dispose()
    another.dispose()


def test_a_full_disk_is_said_in_words_and_nothing_is_half_done(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrations.upgrade(url)
    engine = open_engine(url)

    def fill() -> None:
        with writing(engine) as conn:
            conn.execute(category("a"))
            conn.exec_driver_sql(f"PRAGMA max_page_count={conn.exec_driver_sql('PRAGMA page_count').scalar()}")
            conn.execute(category("b" * 100_000))

    with pytest.raises(Problem) as refused:
        fill()
    assert refused.value.name == "disk-full"
    with writing(engine) as conn:
        assert codes(conn) == []
    engine.dispose()


def test_a_file_that_is_no_database_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("慰问物资发放" * 1000, encoding="utf-8")
    with pytest.raises(Problem) as refused:
        migrations.upgrade(f"sqlite:///{tmp_path / 'a.db'}")
    assert refused.value.name == "database-unreadable"
    assert refused.value.members["database"].endswith("a.db")


def test_a_database_that_cannot_be_reached_is_said_without_its_password(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path / 'none' / 'a.db'}", "postgresql+psycopg://user:secret@127.0.0.1:1/none"):
        with pytest.raises(Problem) as refused:
            migrations.upgrade(url)
        assert refused.value.name == "database-unreachable"
        assert "secret" not in str(refused.value.to_dict())


def test_other_database_errors_stay_what_they_are(app: Flask) -> None:
    with pytest.raises(sa.exc.DBAPIError) as raised, transaction() as conn:
        conn.execute(sa.text("SELECT * FROM no_such_table"))
    assert isinstance(raised.value, OperationalError | sa.exc.ProgrammingError)
