"""Each migration, with what the version before it held: nothing is lost, and no power cut leaves it half done."""

from __future__ import annotations

import copy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Connection, Engine

from aidvisit import __version__
from aidvisit.services.sync import take_up
from aidvisit.store import database, ledger, migrations
from aidvisit.store.apply import search
from aidvisit.store.database import open_engine, reading, writing
from aidvisit.store.ledger import Fact
from aidvisit.store.tables import Household, HouseholdCategory, Member
from aidvisit.store.vault import Vault
from sync import blobs, log
from tests.support import upgrades
from tests.support.store import TOWN, TRUCK, counted, delivered, moved, say, uid, visited
from tests.support.store import tables as projected
from tests.support.upgrades import Picture, Row, Rows, watched
from tests.support.village import LAN, MO, QIN, TAO, village

FIRST = "0003"
"""Until there, steps make tables and nothing else; from there, the power goes at their statements."""

CUTS = 3
"""At how many statements of a step the power goes, besides its commit; at all, where it has no more."""

GONE = {"0009": {("household", "search_text")}}
"""Columns that a step takes away on purpose."""


class PowerCutError(Exception):
    """Raised in the middle of an upgrade."""


@pytest.fixture(autouse=True, scope="module")
def scripts_are_read_once() -> Iterator[None]:
    """Each upgrade would load all of them three times."""
    with open_engine("sqlite://").connect() as conn:
        scripts = ScriptDirectory.from_config(migrations.config(conn))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptDirectory, "from_config", lambda _: scripts)
        yield


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    found = open_engine(database_url)
    yield found
    found.dispose()


def picture(engine: Engine) -> Picture:
    with engine.connect() as conn:
        return upgrades.picture(conn)


# --- what steps change in rows that are there -------------------------------------------------------------------


def take_up_again(rows: Rows) -> None:
    """Registrations are applied anew by the next start, which an unknown version makes the software do."""
    for row in rows["op"].values():
        if row["kind"] == "household.registered" and row["problem"] is None:
            row["applied"] = False
    rows["node"].pop(("version",), None)


CHANGES: dict[str, Callable[[Rows], None]] = dict.fromkeys(("0008", "0009", "0011", "0020"), take_up_again)


def check(before: Picture, after: Picture, steps: list[str]) -> None:
    """What there was is there, value by value, but for what these steps change."""
    expected, gone = copy.deepcopy(before.rows), set()
    for step in steps:
        gone |= GONE.get(step, set())
        if step in CHANGES:
            CHANGES[step](expected)
    for table, rows in expected.items():
        held = after.rows[table]
        assert rows.keys() == held.keys(), (steps, table)
        for key, row in rows.items():
            for column, value in row.items():
                if (table, column) in gone:
                    assert column not in held[key]
                else:
                    assert held[key][column] == value, (steps, table, key, column)


# --- up the ladder ----------------------------------------------------------------------------------------------


def test_what_each_version_held_is_there_after_the_next_and_after_all(engine: Engine) -> None:
    """Every version adds its rows; those of each go through all steps after it, one by one and at once.

    At once: looked at before the commit, which then fails.
    """
    steps = upgrades.revisions(engine)
    migrations.make(engine, steps[0])
    for mark, (older, newer) in enumerate(pairwise(steps)):
        upgrades.fill(engine, mark)
        before = picture(engine)
        assert all(before.rows.values()), "a table has no rows"

        def looked_at(_number: int, statement: str, conn: Connection, rest: list[str] = steps[mark + 1 :]) -> None:
            if statement == "COMMIT":
                check(before, upgrades.picture(conn), rest)  # noqa: B023
                raise PowerCutError

        with watched(engine, looked_at), pytest.raises(PowerCutError):
            migrations.migrate(engine)
        assert picture(engine) == before, older
        migrations.make(engine, newer)
        check(before, picture(engine), [newer])
    migrations.migrate(engine)


# --- interrupted ------------------------------------------------------------------------------------------------


def test_power_that_goes_at_any_statement_leaves_what_there_was(engine: Engine) -> None:
    """The tables and the rows alike: what a step had made and changed until then is not there."""
    steps = upgrades.revisions(engine)
    migrations.make(engine, FIRST)
    for mark, newer in enumerate(steps[steps.index(FIRST) + 1 :]):
        upgrades.fill(engine, mark)
        before = picture(engine)
        changes = cut(engine, newer, at=-1)
        assert changes[-1] == "COMMIT"
        for at in range(0, len(changes), -(-len(changes) // CUTS)):
            assert len(cut(engine, newer, at)) == at + 1
            assert picture(engine) == before, changes[at]
        migrations.make(engine, newer)


def cut(engine: Engine, target: str, at: int) -> list[str]:
    """Upgrade until one statement, by its number, or until the commit: what was to be changed."""
    heard: list[str] = []

    def watcher(number: int, statement: str, _conn: Connection) -> None:
        heard.append(statement)
        if number == at or statement == "COMMIT":
            raise PowerCutError

    with watched(engine, watcher), pytest.raises(PowerCutError):
        migrations.make(engine, target)
    return heard


def test_a_process_that_is_killed_in_the_middle_leaves_what_there_was(engine: Engine) -> None:
    """The database itself finds out: nobody is there to roll back."""
    migrations.make(engine, "0008")
    upgrades.fill(engine, 1)
    before = picture(engine)
    engine.dispose()
    url = engine.url.render_as_string(hide_password=False)
    for words in ("DROP COLUMN search_text", "COMMIT"):
        done = subprocess.run([sys.executable, "-m", "tests.support.upgrades", url, words], check=False)
        assert done.returncode == -signal.SIGKILL
        assert picture(engine) == before
    migrations.migrate(engine)
    check(before, picture(engine), ["0009", "0011"])


# --- real facts -------------------------------------------------------------------------------------------------


INDEXED = (Household, HouseholdCategory, Member)


@dataclass(frozen=True, slots=True)
class Held:
    """What a centre of today holds: all rows, and those of the tables that are made of the log."""

    rows: dict[str, list[Row]]
    made: dict[str, set[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def today() -> Held:
    """A village to which a lot happened."""
    photo = b"\xff\xd8 a face"
    name = sha256(photo).hexdigest()
    proof = {"as": "photo", "sha256": name, "bytes": len(photo), "media_type": "image/jpeg"}
    with village("sqlite://") as conn:
        blobs.put(conn, name, "image/jpeg", photo)
        say(
            conn,
            delivered(uid(11), QIN, {"rice": 2, "oil": 1}, proofs=[proof]),
            delivered(uid(12), MO, {"rice": 1}),
            Fact(TOWN, "delivery.voided", uid(12), {"reason": "他不在家"}),
            visited(uid(13), LAN, "met", needs=["轮椅"]),
            Fact(TOWN, "household.updated", QIN, {"set": {"head.phone": "13800001111", "size": 3}, "base": {}}),
            Fact(TOWN, "household.closed", TAO, {"reason": "moved", "date": "2020-12-31", "to": "广州"}),
            moved(uid(14), "warehouse:main", TRUCK, rice=10),
            counted(uid(15), rice=8),
            Fact("office", "access.recorded", uid(16), {"what": "reveal", "household": QIN}),
        )
        log.remember(conn, version=__version__)
        assert ledger.verify(conn) == []
        rows = {table: list(rows.values()) for table, rows in upgrades.picture(conn).rows.items()}
        return Held(rows, projected(conn))


OLDER = sorted(path.name[:4] for path in Path(migrations.__file__).parent.glob("versions/0*.py"))[:-1]
ON_POSTGRESQL = ("0003", "0008", "0010", OLDER[-1])
"""The oldest, the newest, and those before steps that let registrations be taken up again."""


@pytest.mark.parametrize(
    ("database_url", "older"),
    [
        *(("sqlite", older) for older in OLDER[OLDER.index(FIRST) :]),
        *(("postgresql", older) for older in ON_POSTGRESQL),
    ],
    indirect=["database_url"],
)
def test_real_facts_of_each_version_are_read_by_this_one(older: str, database_url: str, today: Held) -> None:
    """After the upgrade and the start that follows the tables are what the log says, also those that are new."""
    app = Flask("upgraded")
    database.init_app(app, database_url)
    with app.app_context():
        hold(database.db.engine, older, today)
        migrations.migrate(database.db.engine)
        take_up()
        with reading() as conn:
            assert ledger.verify(conn) == []
            assert projected(conn) == today.made
            named = conn.exec_driver_sql("SELECT count(*) FROM blob_name").scalar()
            assert (blobs.missing(conn), named) == (0, 1)
        database.db.engine.dispose()


def hold(engine: Engine, revision: str, today: Held) -> None:
    """A database of that revision, holding as much of it as it had tables and columns for."""
    migrations.make(engine, revision)
    with writing(engine) as conn:
        for table in upgrades.tables(conn):
            # A number of a database's own is given by itself.
            columns = [column.name for column in table.c if (table.name, column.name) != ("household_search", "n")]
            lacking = {"search_text": "x"}
            rows = [{name: (row | lacking).get(name) for name in columns} for row in today.rows.get(table.name, ())]
            if rows:
                conn.execute(sa.insert(table), rows)
        if revision >= "0009":
            numbers = dict(conn.execute(sa.text("SELECT household, n FROM household_search")).tuples().all())
            rows_of = (conn.execute(sa.select(one.__table__)).mappings() for one in INDEXED)
            held = search.tokens(*(list(map(dict, rows)) for rows in rows_of))
            upgrades.index(conn, {numbers[one]: " ".join(sorted(found)) for one, found in held})


# --- what steps find out about rows that were there ---------------------------------------------------------------


@pytest.mark.parametrize(("synced", "as_of"), [('"2020-12-30T04:00:00Z"', "2020-12-30T04:00:00Z"), (None, None)])
def test_streams_are_as_fresh_as_the_last_sync(engine: Engine, synced: str | None, as_of: str | None) -> None:
    migrations.make(engine, "0005")
    with writing(engine) as conn:
        conn.execute(sa.text("INSERT INTO cursor (stream, n) VALUES ('org', 4)"))
        if synced:
            conn.execute(sa.text("INSERT INTO node (key, value) VALUES ('synced_at', :at)"), {"at": synced})
    migrations.migrate(engine)
    assert picture(engine).rows["cursor"] == {("org",): {"stream": "org", "n": 4, "head": None, "as_of": as_of}}


def test_what_arrived_without_a_body_was_erased(engine: Engine) -> None:
    migrations.make(engine, "0015")
    upgrades.fill(engine, 1)
    migrations.migrate(engine)
    found = picture(engine).rows["op"].values()
    assert {(row["body"] is None, bool(row["erased"])) for row in found} == {(True, True), (False, False)}


def test_an_encrypted_laptop_is_left_as_it_was_too(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.create()
    engine = open_engine(f"sqlite:///{(tmp_path / 'aidvisit.db').as_posix()}", vault)
    migrations.make(engine, "0008")
    upgrades.fill(engine, 1)
    before = picture(engine)
    for at in (6, -1):
        cut(engine, migrations.HEAD, at)
        assert picture(engine) == before
    migrations.migrate(engine)
    check(before, picture(engine), ["0009", "0011"])
    engine.dispose()
