"""Entries of a million lines as .csv and .xlsx: rows, seconds, peak memory, beside the floor of writing bare rows.

`python -m benchmarks.export [--rows N] [--on sqlite|postgresql] [--keep FOLDER]`: each file is written by a process of
its own, from a centre's database, as the page sends it but to nowhere. The floor writes as many rows of constant cells
by the csv module. `--keep`: what was filled is used again.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from io import TextIOWrapper
from pathlib import Path

from aidvisit.domain.selection import Selection
from aidvisit.services.sheet.write import csv_pieces, sealed, workbook_pieces
from aidvisit.store.database import open_engine, viewing
from aidvisit.store.queries import entries
from benchmarks import kept, past
from tests.support.centre import Centre
from tests.support.nodes import SHEET, TOWN

EACH = 10
HEADER = [
    "date", "item", "quantity", "unit", "household", "from", "to", "trip", "lot", "donor", "slip", "reason",
    "household's id", "code", "source",
]  # fmt: skip
ID = "0192f3a0-0001-7000-8b00-000000000001"
BARE = ["2020-12-30", "大米", 2, "袋", "王明生", "第 1 次", "王明生", "第 1 次", "", "", "", "", ID, "rice", ID]
EARLY = 200_000
"""Rows after which the peak is told, too: a file in constant memory has the same at its end."""


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--on", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--one", help="what a process of its own does")
    parser.add_argument("--url", default="", help="its database")
    arguments = parser.parse_args()
    if arguments.one:
        return _one(arguments.one, arguments.url, arguments.rows)
    print(f"load {os.getloadavg()[0]:.1f} at the start, {os.cpu_count()} processors")
    for where in arguments.on or ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory() as name:
            folder = (arguments.keep or Path(name)) / f"export-{where}-{arguments.rows}"
            folder.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{(folder / 'central' / 'aidvisit.db').as_posix()}"
            keep = arguments.keep is not None
            with nullcontext(url) if where == "sqlite" else kept.database(folder, keep=keep) as address:
                _fill(folder, address, arguments.rows // 2)
                print(where)
                for form in ("start", "floor", "csv", "xlsx"):
                    own = [sys.executable, "-m", "benchmarks.export", "--rows", str(arguments.rows), "--one", form]
                    subprocess.run([*own, "--url", address], check=True)
    return 0


def _fill(folder: Path, url: str, deliveries: int) -> None:
    done = folder / "filled"
    if done.exists():
        return
    started = time.monotonic()
    centre = Centre(folder / "central", "" if url.startswith("sqlite") else url)
    centre.add_team("慰问一队", TOWN)
    centre.command("import", str(SHEET))
    engine = open_engine(url)
    past.make(engine, deliveries, EACH, trips=1_000)
    engine.dispose()
    print(f"{deliveries:,} deliveries; filled in {time.monotonic() - started:.0f} s", flush=True)
    done.touch()


def _one(form: str, url: str, rows: int) -> int:
    started, used, early = time.perf_counter(), time.process_time(), list[float]()
    written, size = (0, 0) if form == "start" else _floor(rows) if form == "floor" else _file(form, url, early)
    peak = _peak_mb()
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    after = f", {early[0]:.0f} MB after {EARLY:,} rows" if early else ""
    print(f"  {form:6}{written:>10,} rows {seconds:8.1f} s ({cpu:.1f} s of CPU) {peak:7.0f} MB peak{after}; "
          f"{size / 1e6:.0f} MB", flush=True)  # fmt: skip
    return 0


def _peak_mb() -> float:
    """Of this process alone: `ru_maxrss` begins with what its parent had."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def _floor(rows: int) -> tuple[int, int]:
    with Path(os.devnull).open("wb") as file, TextIOWrapper(file, "utf-8", newline="") as text:
        writer = csv.writer(text)
        for _ in range(rows):
            writer.writerow(BARE)
    return rows, 0


def _file(form: str, url: str, early: list[float]) -> tuple[int, int]:
    engine = open_engine(url)
    with viewing(engine) as conn:
        count, every = entries.every(conn, "delivered", Selection(), today="2021-01-01")
        whole = sealed(HEADER, map(_cells, _watched(every, early)))
        pieces: Iterable[str | bytes] = csv_pieces(HEADER, whole)
        if form == "xlsx":
            pieces = workbook_pieces([("entries", HEADER, whole)])
        size = sum(len(piece.encode() if isinstance(piece, str) else piece) for piece in pieces)
    engine.dispose()
    return count, size


def _watched(every: Iterable[entries.Entry], early: list[float]) -> Iterator[entries.Entry]:
    for number, one in enumerate(every, 1):
        if number == EARLY:
            early.append(_peak_mb())
        yield one


def _cells(one: entries.Entry) -> list[object]:
    return [
        one.date, one.item_name, one.quantity, one.unit, one.household_name, one.from_name, one.to_name, one.trip_title,
        one.lot, one.donor_name, one.slip, one.reason, one.household, one.item, one.source,
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
