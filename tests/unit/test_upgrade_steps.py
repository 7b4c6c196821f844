"""Each migration, with what the version before it held: nothing is lost, and no power cut leaves it half done."""

from __future__ import annotations

import copy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from sqlalchemy import Connection, Engine

from aidvisit.store import migrations
from aidvisit.store.database import open_engine
from tests.support import upgrades
from tests.support.upgrades import Picture, PowerCut, Rows, watched

FIRST = "0003"
"""Until there, steps make tables and nothing else; from there, the power goes at their statements."""

CUTS = 5
"""At how many statements of a step the power goes, besides its commit; at all, where it has no more."""

GONE = {"0009": {("household", "search_text")}}
"""Columns that a step takes away on purpose."""


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


CHANGES: dict[str, Callable[[Rows], None]] = dict.fromkeys(("0008", "0009", "0011"), take_up_again)


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
                raise PowerCut

        with watched(engine, looked_at), pytest.raises(PowerCut):
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
            raise PowerCut

    with watched(engine, watcher), pytest.raises(PowerCut):
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
