"""The API against its description, over HTTP: `python -m tests.contract.described --cases 200` (make contract).

`--on postgresql`: the same centre, its log taken over to PostgreSQL and replayed there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import schemathesis
import sqlalchemy as sa

from aidvisit import config
from aidvisit.store import anew, ledger, migrations
from aidvisit.store.database import open_engine, viewing, writing
from sync.tables import metadata as log_tables
from tests.support import pages, postgres
from tests.support.api import DESCRIPTION, Known, hold, known, operations
from tests.support.centre import free_port


@contextmanager
def served(folder: Path, database: str = "") -> Iterator[tuple[str, Known]]:
    """A centre with the sample in a process of its own: its address, and what there is at it."""
    with pytest.MonkeyPatch.context() as patch:
        pages.cheap_passwords(patch)
        pages.make_homes(folder)
        with pages.pages(folder, "central", folder / "served") as shown:
            there = known(shown.app)
    if database:
        taken_over(folder / "served" / "central", database)
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIDVISIT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "aidvisit", "central", "run", "--port", str(port), "--json"],
        env=environment | {"AIDVISIT_HOME": str(folder / "served" / "central")}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield f"http://127.0.0.1:{port}", there
    finally:
        process.terminate()
        process.communicate(timeout=90)  # it answers whom it let in first


def taken_over(home: Path, database: str) -> None:
    """The centre has another database from now on, with the same log and whatever else is not made from it."""
    source, target = open_engine(config.load(home, {}).database_url), open_engine(database)
    migrations.make(target, migrations.HEAD)
    with viewing(source) as old, writing(target) as new:
        for table in (table for one in (log_tables, *anew.OTHERS) for table in one.sorted_tables):
            new.execute(sa.delete(table))
            if rows := [dict(row) for row in old.execute(sa.select(table)).mappings()]:
                new.execute(sa.insert(table), rows)
        ledger.rebuild(new)
        assert ledger.verify_tables(new) == []
    source.dispose()
    target.dispose()
    config.write(home, **config.values_of(home) | {"database": database})  # type: ignore[arg-type]


@contextmanager
def _database(on: str) -> Iterator[str]:
    if on == "sqlite":
        yield ""
        return
    postgres.reserve()
    try:
        with postgres.database(postgres.start()) as url:
            yield url
    finally:
        postgres.remove()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200, help="of each operation")
    parser.add_argument("--only", default="", help="operations whose name has this in it")
    parser.add_argument("--on", choices=("sqlite", "postgresql"), default="sqlite")
    asked = parser.parse_args()
    faults = total = 0
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        _database(asked.on) as database,
        served(Path(folder), database) as (url, there),
    ):
        schema = schemathesis.openapi.from_url(f"{url}{DESCRIPTION}")
        for operation in operations(schema):
            if asked.only not in operation.label:
                continue
            held = hold(operation, asked.cases, there, url)
            total, faults = total + held.cases, faults + len(held.faults)
            answers = " ".join(f"{status}:{number}" for status, number in sorted(held.statuses.items()))
            print(f"{held.cases:5} {operation.label:50} {answers}", flush=True)
            for fault in held.faults:
                print(fault, flush=True)
    print(f"{total} cases in {time.monotonic() - began:.0f} s, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
